"""The random numbers of a program: the keys of its samples, the order of its data, and the values that replicates draw once.

All of it is a function of the seed tree: of the study's seed, the experiment, the replicate, and the place of a sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.layers import row_of

from ..lower import Lowering, Value
from ..lower.threefry import key

STREAMS = ("draw", "train", "test", "redraw")
"""Once a replicate; training examples; test examples; draws of a target that a gradient statistic makes anew."""

Path = tuple[str, ...]


class Seeds:
    """The random numbers of some replicates of a program.

    `keys` holds uint32 [samples, R, 2] by stream, in the order of `samples`; `order` uint32 [R, 2], the keys of the order
    of finite data; `draws` the values that each replicate draws once, [R, …] by name; `paths` the replicates' places in
    the seed tree.
    """

    def __init__(self, program: Program, replicates: Sequence[int], samples: Mapping[Path, int], dtype: Any) -> None:
        """`samples` numbers the samples of the compiled program (`number_samples`), which may be another of its form."""
        self.dtype = dtype
        self.paths = [(program.seed, program.experiment, replicate) for replicate in replicates]
        self.keys = {stream: self._keys(stream, samples) for stream in STREAMS}
        self.order = tf.constant([key(*path, "train", "order") for path in self.paths], tf.uint32)
        self.draws = self._draws(program)

    def value(self, term: t.Term) -> np.ndarray[Any, Any]:
        """A term of constants and draws, [R, …]."""
        lowering = Lowering(self.dtype, {REPLICATE: len(self.paths)}, {}, {}, lead=(REPLICATE,))
        lowering.values.update({name: Value(tensor, (REPLICATE,)) for name, tensor in self.draws.items()})
        array: np.ndarray[Any, Any] = lowering.broadcast_to_axes(
            lowering(term), (REPLICATE,), len(term.type.shape)
        ).numpy()
        return array

    def _keys(self, stream: str, samples: Mapping[Path, int]) -> Any:
        """The keys of a stream: uint32 [samples, R, 2]."""
        rows = [[key(*path, stream, *place) for path in self.paths] for place in samples]
        return tf.constant(np.asarray(rows, np.uint32).reshape(len(rows), len(self.paths), 2))

    def _draws(self, program: Program) -> dict[str, Any]:
        """The replicates' draws, [R, …] by name; computed outside any compiled program, so they are the same for all."""
        samples = number_samples(program)
        keys = self._keys("draw", samples)
        lowering = Lowering(
            self.dtype, {REPLICATE: len(self.paths), EXAMPLE: 1}, bindings_of(program), {},
            keys=lambda sample: keys[samples[sample.path]], index=tf.zeros([1], tf.int64), lead=(REPLICATE,),
        )  # fmt: skip
        draws = {}
        for item in program.draws:
            value = lowering(item.term)
            draws[item.name] = lowering.broadcast_to_axes(value, (REPLICATE,), len(item.type.shape))
            lowering.values[item.name] = Value(draws[item.name], (REPLICATE,))
        return draws


def bindings_of(program: Program) -> dict[str, t.Term]:
    """The terms of a program's names."""
    return {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}


def number_samples(program: Program) -> dict[Path, int]:
    """All that is drawn anywhere in a program, by its place in the seed tree, numbered."""
    numbers: dict[Path, int] = {}
    for term in bindings_of(program).values():
        for item in t.walk(term):
            if isinstance(item, t.Sample):
                numbers.setdefault(item.path, len(numbers))
    for plan in program.networks:
        for layer in plan.leaves():
            row = row_of(layer)
            if row is not None and row.draws:
                numbers.setdefault(noise_path(plan.name, layer.key), len(numbers))
    return numbers


def noise_path(network: str, layer: str) -> Path:
    """The place of a layer's noise in the seed tree."""
    return ("layer", network, layer)

"""The random numbers of a program: the keys of its samples, the order of its data, and the values that replicates draw once.

All of it is a function of the seed tree: of the study's seed, the experiment, the replicate, and the place of a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.layers import row_of

from ..lower import Lowering, Value
from ..lower.threefry import key
from .file_rows import ROWS, ROWS_PLACE, file_tensors, is_of_files, rows_of_replicates
from .file_windows import FileWindows

STREAMS = ("draw", "train", "test", "redraw")
"""Once a replicate; training examples; test examples; draws of a target that a gradient statistic makes anew."""
VALIDATION = "validation"
"""Validation examples, where there are any."""

Path = tuple[str, ...]


class Seeds:
    """The random numbers of some replicates of the cells of a batch, and what else is given to what is compiled.

    `keys` holds uint32 [samples, R, 2] by stream, in the order of `samples`; `order` uint32 [R, 2], the keys of the order of finite
    data: both are the same in each cell. `draws` are the values that each replicate draws once, by name, [R, …], or [cells, R, …] where
    they differ from cell to cell; with them go the values of swept constants, […] or [cells, …] (`constants_of`). `cells` are those of each.
    """

    def __init__(
        self,
        batch: CellBatch,
        replicates: Sequence[int],
        samples: Mapping[Path, int],
        dtype: Any,
        windows: bool = False,
    ) -> None:
        """`samples` numbers the samples of the compiled program (`number_samples`), which may be another of its form.

        With `windows` rows of files are not held whole. Raises StudyError where they cannot be had.
        """
        first = CellSeeds(batch.programs[0], replicates, dtype)
        shared = {name: tensor for name, tensor in first.draws.items() if name not in batch.varying_draws}
        self.cells = [first, *(CellSeeds(program, replicates, dtype, shared) for program in batch.programs[1:])]
        self.files = FileWindows(batch.program, _rows(batch.program, first.paths), dtype) if windows else None
        first_row = (self.files or batch.program.data).first_row
        streams = (*STREAMS, VALIDATION) if batch.program.data.validation else STREAMS
        self.keys = {stream: first.keys_of(stream, samples, first_row(stream)) for stream in streams}
        self.order = tf.constant([key(*path, "train", "order") for path in first.paths], tf.uint32)
        varying = {name: [cell.draws[name] for cell in self.cells] for name in first.draws if name not in shared}
        apart = len(self.cells) > 1
        self.draws = {
            name: tf.stack(varying[name]) if apart and name in varying else tensor
            for name, tensor in first.draws.items()
        }
        for place, values in enumerate(batch.constants):
            self.draws[name_of_constant(place)] = tf.constant(values if apart else values[0])
        held = self.files.held() if self.files is not None else file_tensors(batch.program, first.paths, dtype)
        self.draws |= held
        self._varying = frozenset(varying)

    def take(self, name: str, values: np.ndarray[Any, Any]) -> None:
        """Lets the values of a statistic, [cells · R, …], go with the draws."""
        apart = len(self.cells) > 1
        shape = (len(self.cells), -1, *values.shape[1:]) if apart else values.shape
        self.draws = {**self.draws, name: tf.constant(values.reshape(shape), self.cells[0].dtype)}
        self._varying |= {name}
        self.__dict__.pop("flat", None)

    @cached_property
    def flat(self) -> Seeds:
        """The same with cells and replicates as one axis: keys [samples, cells · R, 2], draws [cells · R, …]."""
        if len(self.cells) == 1:
            return self
        count, replicates = len(self.cells), self.order.shape[0]
        flat = copy(self)
        flat.keys = {stream: tf.tile(keys, [1, count, 1]) for stream, keys in self.keys.items()}
        flat.order = tf.tile(self.order, [count, 1])
        flat.draws = {}
        for name, tensor in self.draws.items():
            if is_constant(name):
                flat.draws[name] = tf.repeat(tensor, replicates, axis=0)
            elif is_of_files(name) and name != ROWS:
                flat.draws[name] = tensor
            elif name in self._varying:
                flat.draws[name] = tf.reshape(tensor, [-1, *tensor.shape[2:]])
            else:
                flat.draws[name] = tf.tile(tensor, [count, *[1] * (tensor.shape.rank - 1)])
        return flat


def _rows(program: Program, paths: Sequence[tuple[Any, ...]]) -> np.ndarray[Any, Any]:
    assert isinstance(program.data, Rows)
    return rows_of_replicates(program.data, paths)


class CellSeeds:
    """The random numbers of some replicates of one cell.

    `draws` holds the values that each replicate draws once, [R, …] by name; `paths` the replicates' places in the seed tree.
    """

    def __init__(
        self, program: Program, replicates: Sequence[int], dtype: Any, known: Mapping[str, Any] | None = None
    ) -> None:
        """`known` are draws that another cell has, and this one by design, too."""
        self.dtype = dtype
        self.program = program
        self.paths = [(program.seed, program.experiment, replicate) for replicate in replicates]
        self.draws = self._draws(program, known or {})

    def value(
        self, term: t.Term, arguments: Mapping[str, np.ndarray[Any, Any]] | None = None, step: int = 0,
        clock: Callable[[str, Any, Any], Any] | None = None,
    ) -> np.ndarray[Any, Any]:  # fmt: skip
        """A term of constants and draws, [R, …].

        `arguments` are the parameters in it, [R, …] by key, and `clock` what the counters are at a step.
        """
        number = tf.constant(step)
        lowering = Lowering(
            self.dtype, {REPLICATE: len(self.paths)}, {}, {}, lead=(REPLICATE,), step=number, update=number, clock=clock,
            arguments={key: Value(tf.constant(array), (REPLICATE,)) for key, array in (arguments or {}).items()},
        )  # fmt: skip
        lowering.values.update({name: Value(tensor, (REPLICATE,)) for name, tensor in self.draws.items()})
        array: np.ndarray[Any, Any] = lowering.broadcast_to_axes(
            lowering(term), (REPLICATE,), len(term.type.shape)
        ).numpy()
        return array

    def keys_of(self, stream: str, samples: Mapping[Path, int], first_row: int = 0) -> Any:
        """The keys of a stream, uint32 [samples, R, 2]; its examples begin at a row among those of a replicate."""
        first = (first_row, 0)
        rows = [
            [key(*path, stream, *place) if place != ROWS_PLACE else first for path in self.paths] for place in samples
        ]
        return tf.constant(np.asarray(rows, np.uint32).reshape(len(rows), len(self.paths), 2))

    def _draws(self, program: Program, known: Mapping[str, Any]) -> dict[str, Any]:
        """The replicates' draws, [R, …] by name; computed outside any compiled program, so they are the same for all."""
        if all(item.name in known for item in program.draws):
            return dict(known)
        samples = number_samples(program)
        keys = self.keys_of("draw", samples)
        lowering = Lowering(
            self.dtype, {REPLICATE: len(self.paths), EXAMPLE: 1}, bindings_of(program), {},
            keys=lambda sample: keys[samples[sample.path]], index=tf.zeros([1], tf.int64), lead=(REPLICATE,),
        )  # fmt: skip
        draws = {}
        for item in program.draws:
            if (drawn := known.get(item.name)) is None:
                drawn = lowering.broadcast_to_axes(lowering(item.term), (REPLICATE,), len(item.type.shape))
            draws[item.name] = drawn
            lowering.values[item.name] = Value(drawn, (REPLICATE,))
        return draws


_CONSTANT = "swept constant "
"""Swept constants go with the draws, under what can be no name of a draw."""


def name_of_constant(place: int) -> str:
    """Under which name a swept constant goes with the draws."""
    return f"{_CONSTANT}{place}"


def is_constant(name: str) -> bool:
    """Whether what goes with the draws is a swept constant."""
    return name.startswith(_CONSTANT)


def constants_of(draws: Mapping[str, Any]) -> list[Any]:
    """The values of the swept constants that go with some draws, by place."""
    return [draws[name_of_constant(place)] for place in range(sum(map(is_constant, draws)))]


def bindings_of(program: Program) -> dict[str, t.Term]:
    """The terms of a program's names."""
    return {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}


def number_samples(program: Program) -> dict[Path, int]:
    """All that is drawn anywhere in a program, by its place in the seed tree, numbered."""
    numbers: dict[Path, int] = {}
    streams = (item.term for items in program.streams.values() for item in items)
    for term in (*bindings_of(program).values(), *streams):
        for item in t.walk(term):
            if isinstance(item, t.Sample):
                numbers.setdefault(item.path, len(numbers))
    for plan in program.networks:
        for layer in plan.leaves():
            row = row_of(layer)
            if row is not None and row.draws_with(layer.config):
                numbers.setdefault(noise_path(plan.name, layer.key), len(numbers))
    if program.data.tabled:
        numbers[ROWS_PLACE] = len(numbers)
    return numbers


def noise_path(network: str, layer: str) -> Path:
    """The place of a layer's noise in the seed tree."""
    return ("layer", network, layer)

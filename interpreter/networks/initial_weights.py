"""How weights start: Keras' initialisers, each with a seed from its own place in the tree of names."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import VALUE, InitialValue, LayerPlan, WeightFunction
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.layers import LAYERS, row_of

from ..lower.threefry import keras_seed
from .number_types import rounded

Array = np.ndarray[Any, Any]


BY_FANS = frozenset(row.keras for row in INITIALIZERS.values() if row.by_fans)
"""Keras' classes of the initialisers that fans scale."""

SPREAD = ("RandomNormal", "TruncatedNormal")
"""Keras' classes of the initialisers that move and spread standard values."""
KEPT_BYTES = 64 * 2**20
"""So much of what was drawn last a process keeps for the next cells that begin."""


class Values(Protocol):
    """What is made of constants and draws."""

    def __call__(self, term: t.Term, arguments: Mapping[str, Array] = ...) -> Array:
        """A term's value in each replicate, [R, …]; `arguments` are the parameters in it, [R, …] by key."""


class Drawn:
    """What initialisers drew, for several threads: cells that differ in how far they spread the same normals, or in how many layers
    there are, take what was drawn for the first of them."""

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._kept: dict[tuple[Any, ...], Array] = {}
        self._room = room
        self._lock = threading.Lock()

    def values(self, start: InitialValue, seed: int, shape: Sequence[int], dtype: str) -> Array:
        """What Keras' initialiser gives, an array of one's own: a normal is a standard one, times its deviation, and its mean added, in `dtype`."""
        if start.keras not in SPREAD:
            return self._drawn(start, seed, shape, dtype).copy()
        made = initializer(start, seed)
        standard = self._drawn(InitialValue(start.keras, {"mean": 0.0, "stddev": 1.0}), seed, shape, dtype)
        return np.asarray(standard * np.asarray(made.stddev, dtype) + np.asarray(made.mean, dtype))

    def _drawn(self, start: InitialValue, seed: int, shape: Sequence[int], dtype: str) -> Array:
        key = (start.keras, repr(sorted(start.arguments.items())), seed, tuple(shape), dtype)
        with self._lock:
            if (known := self._kept.pop(key, None)) is not None:
                self._kept[key] = known  # the last to go now
                return known
        drawn = np.array(initializer(start, seed)(shape, dtype=dtype))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = drawn
                self._room -= drawn.nbytes
            while self._room < 0:
                self._room += self._kept.pop(next(iter(self._kept))).nbytes
        return drawn


DRAWN = Drawn()
"""What this process drew."""


@dataclass(frozen=True)
class Starts:
    """How one weight of a layer starts.

    `by_keras` is Keras' variable, with the constant that it starts with by itself, `kept_by` the constraint by a function that it obeys,
    `stored` the type that it is kept in, where that is not `dtype`; `drawn` holds what initialisers drew before.
    """

    plan: LayerPlan
    weight: str
    network: str
    dtype: str
    by_keras: Any
    kept_by: WeightFunction | None = None
    stored: str = ""
    drawn: Drawn = DRAWN

    def stacked(self, seed_paths: Sequence[Sequence[str | int]], values: Values) -> Array:
        """The weight of all replicates: [R, …]; `values` gives what is made of constants and draws."""
        start = self._unbounded(seed_paths, values)
        if self.kept_by is not None:
            body, parameter = self.kept_by.body, self.kept_by.parameter
            if self.plan.copies is None:
                start = values(body, {parameter: start})
            else:
                start = np.stack([values(body, {parameter: one}) for one in np.moveaxis(start, 1, 0)], axis=1)
        return rounded(start, self.stored).numpy() if self.stored else start

    def _unbounded(self, seed_paths: Sequence[Sequence[str | int]], values: Values) -> Array:
        start, shape = self._initial_value(), self.plan.shapes[self.weight]
        if start is None or start.keras != VALUE:
            return np.stack([self._one(start, path) for path in seed_paths])
        value = values(start.arguments["value"])
        value = value.reshape(value.shape[:1] + (1,) * (len(shape) - value.ndim + 1) + value.shape[1:])
        return self._with_ones(np.array(np.broadcast_to(value, (len(seed_paths), *shape)), self.dtype))

    @property
    def of_term(self) -> bool:
        """Whether constants and draws enter."""
        start = self._initial_value()
        return self.kept_by is not None or (start is not None and start.keras == VALUE)

    def _one(self, start: InitialValue | None, seed_path: Sequence[str | int]) -> Array:
        """One replicate's. The first copy of a network starts as the network without copies does."""
        if self.plan.copies is None:
            return self._of_copy(start, seed_path, ())
        each = [self._of_copy(start, seed_path, ("copy", copy) if copy else ()) for copy in range(self.plan.copies)]
        return np.stack(each)

    def _of_copy(
        self, start: InitialValue | None, seed_path: Sequence[str | int], copy: tuple[str | int, ...]
    ) -> Array:
        """That of one copy; what the language does not initialise starts as Keras has it."""
        if start is None:
            return np.asarray(self.by_keras.value)
        shape = self.plan.weights[self.weight]
        if start.keras == "Constant":  # Keras' own goes through float32
            return self._with_ones(np.full(shape, start.arguments["value"], self.dtype))
        seed = keras_seed(*seed_path, "weights", self.network, self.plan.key, self.weight, *copy)
        row = row_of(self.plan)  # a free parameter is of no row: its fans are of its own shape
        made = shape if row is None or start.keras not in BY_FANS else row.fan_shape(self.weight, shape)
        return self._with_ones(self.drawn.values(start, seed, made, self.dtype).reshape(shape))

    def _with_ones(self, value: Array) -> Array:
        """The same with what starts at 1 in any case."""
        row = row_of(self.plan)
        ones = row.ones_at_start if row is not None else None
        if ones is not None and self.weight in (entries := ones(self.plan.config)):
            value[..., entries[self.weight]] = 1
        return value

    def _initial_value(self) -> InitialValue | None:
        """None where Keras starts it from a constant of its own."""
        if self.weight in self.plan.initializers:
            return self.plan.initializers[self.weight]
        row = LAYERS[self.plan.row]  # a free parameter says how it starts
        parameter = row.parameters.get(f"{row.argument_of(self.weight)}_initializer")
        word = row.starts.get(self.weight) if parameter is None else parameter.default
        return None if word is None else InitialValue(INITIALIZERS[word].keras)


def initializer(start: InitialValue, seed: int) -> Any:
    """A Keras initialiser with its seed."""
    kind = getattr(keras.initializers, start.keras)
    arguments = dict(start.arguments)
    if start.keras not in ("Zeros", "Ones", "Constant", "Identity"):
        arguments["seed"] = seed
    return kind(**arguments)

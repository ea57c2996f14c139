"""What an int can be, found by trying: every combination of the few values of what it is made of.

Bounds of each part alone don't know that `2 * k - 1` is odd, that `k - k // 3 * 3` is a remainder, or that a coin is never
0. Where an int is made by elementwise operations of few numbers with few values each, all combinations are computed, in
NumPy, less those that the conditions of the branch around it exclude. An entry of an array counts as a number: elementwise
operations keep entries in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np

from ..ir import terms as t
from ..ir.plan import NetworkPlan
from ..ir.types import KINDS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.operations import OPERATIONS
from ..tables.operations.intervals import GROWING, Bounds
from .evaluate import Array, apply

MAX_VALUES = 64
"""The values of one number up to which they are tried."""
MAX_COMBINATIONS = 4096
MAX_INDEXED = 2**18
"""The combinations of indices up to which an index that is made of them is computed."""
INDEXED = (t.IndexVariable, t.Parameter)
"""The terms that are an index, or may stand for one."""
MAX_STEPS = 40
"""How far back a number is followed through names and operations; from there on its bounds alone are known."""
SAFE = 2.0**62
"""Up to which int64 are exact, with room for one more operation."""

Conditions = tuple[tuple[t.Term, bool], ...]
"""Conditions, each with whether it holds."""


OTHER_PLACES = (t.Expectation, t.Gradient, t.GradientStatistic, t.SamplingFloor, t.LeftOut, t.Recalled, t.WithWeights)
"""The terms whose parts are values of other examples, of other times or at other weights."""


class Looked(Protocol):
    """What names, parameters and networks stand for."""

    @property
    def bindings(self) -> Mapping[str, t.Term]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def networks(self) -> Mapping[str, NetworkPlan]: ...


class Unknown(Exception):
    """There are too many combinations, or a number of which no bounds are known."""


@dataclass
class Values:
    """The values that terms can have together.

    `bounds` gives those of a term, if any are known; `behind` what a name or a parameter stands for. `behind_names` are the
    names on whose own terms, and not their bounds alone, what was found hangs.
    """

    bounds: Callable[[t.Term], Bounds | None]
    behind: Callable[[t.Term], t.Term | None]
    leaves: dict[Hashable, Array] = field(default_factory=dict)
    behind_names: set[str] = field(default_factory=set)
    indices: set[Hashable] = field(default_factory=set)
    hanging: set[Hashable] = field(default_factory=set)
    """The numbers that are indices of index notation, and those that may hang on one in a way that is not known."""
    most: tuple[int, int] = (MAX_VALUES, MAX_COMBINATIONS)
    """How many values of one number, and how many combinations, are tried."""

    def of(self, term: t.Term, conditions: Conditions) -> Array | None:
        """All values of an int where some conditions hold; None where they are too many to try, or none."""
        self.leaves.clear()
        try:
            self._gather(term, 0)
        except Unknown:
            return None
        kept = []
        for condition, holds in conditions:
            before = dict(self.leaves)
            try:
                self._gather(condition, 0)
                kept.append((condition, holds))
            except Unknown:
                self.leaves = before
        return self._together(term, kept)

    def of_indices(self, term: t.Term, conditions: Conditions) -> Array | None:
        """All values of an int that hangs on the indices of index notation alone; None for others, and where a condition on an index cannot be tried."""
        self.leaves.clear()
        most, self.most = self.most, (MAX_INDEXED, MAX_INDEXED)
        try:
            self._gather(term, 0)
            if not self.leaves or not all(key in self.indices for key in self.leaves):
                return None
            kept = [one for one in conditions if t.has(one[0], *INDEXED)]
            for condition, _ in kept:
                self._gather(condition, 0)
            if self.hanging & self.leaves.keys():
                return None
        except Unknown:
            return None
        finally:
            self.most = most
        return self._together(term, kept)

    def _together(self, term: t.Term, kept: Iterable[tuple[t.Term, bool]]) -> Array | None:
        """The values of a term in all combinations of the numbers that were noted in which the conditions hold."""
        grid = np.meshgrid(*self.leaves.values(), indexing="ij") if self.leaves else []
        given = dict(zip(self.leaves, (values.ravel() for values in grid), strict=True))
        count = grid[0].size if grid else 1
        try:
            found = np.broadcast_to(self._value(term, given, 0), count)
            taken = np.full(count, True)
            for condition, holds in kept:
                taken &= np.broadcast_to(self._value(condition, given, 0), count) == holds
        except Unknown:
            return None
        return _distinct(found[taken]) if taken.any() else None

    def leaf(self, term: t.Term) -> Hashable:
        """What tells the number that a name or a parameter stands for."""
        for _ in range(MAX_STEPS):
            inner = self.behind(term) if isinstance(term, t.Reference | t.Parameter) else None
            if inner is None:
                break
            if isinstance(term, t.Reference) and isinstance(inner, t.Reference | t.Parameter):
                self.behind_names.add(term.name)
            term = inner
        return _key(term)

    def _parts(self, term: t.Term, depth: int) -> tuple[t.Term, ...]:
        """The terms that a term is made of entry by entry; nothing of what counts as a number of its own."""
        if depth > MAX_STEPS:
            return ()
        if isinstance(term, t.Stop):
            return (term.operand,)
        if isinstance(term, t.Invoke):
            return (term.body,)
        if isinstance(term, t.Reference | t.Parameter):
            inner = self.behind(term)
            if isinstance(term, t.Reference):
                self.behind_names.add(term.name)
            return () if inner is None else (inner,)
        if isinstance(term, t.Operate) and OPERATIONS[term.operation].elementwise and term.arguments:
            return term.arguments if all(_whole(item) for item in term.arguments) and not term.static else ()
        return ()

    def _gather(self, term: t.Term, depth: int) -> None:
        """Notes the numbers that a term is made of. Raises Unknown."""
        parts = self._parts(term, depth)
        for part in parts:
            self._gather(part, depth + 1)
        if parts or (isinstance(term, t.Literal) and not term.type.shape and isinstance(term.value, np.ndarray)):
            return
        key = _key(term)
        if isinstance(term, t.IndexVariable):
            self.indices.add(key)
        elif t.has(term, *INDEXED):
            self.hanging.add(key)
        if key not in self.leaves:
            self.leaves[key] = self._tried(term)
            if prod(map(len, self.leaves.values())) > self.most[1]:
                raise Unknown

    def _tried(self, term: t.Term) -> Array:
        """The values of a number by itself."""
        bounds = self.bounds(term)
        if isinstance(term, t.Literal) and isinstance(term.value, np.ndarray):
            values = _distinct(term.value)
        elif bounds is None or bounds[1] - bounds[0] >= 2 * self.most[0]:
            raise Unknown
        else:
            apart = DISTRIBUTIONS[term.distribution].apart if isinstance(term, t.Sample) else 1
            values = np.arange(bounds[0], bounds[1] + 1, apart)
        if len(values) > self.most[0]:
            raise Unknown
        return values

    def _value(self, term: t.Term, given: Mapping[Hashable, Array], depth: int) -> Array:
        """The value of a term in each combination. Raises Unknown where it leaves what can be computed exactly."""
        parts = self._parts(term, depth)
        if not parts:
            key = _key(term)
            return given[key] if key in given else np.asarray(term.value)  # type: ignore[attr-defined]
        values = [self._value(part, given, depth + 1) for part in parts]
        if not isinstance(term, t.Operate):
            return values[0]
        result = apply(term.operation, values, term.static)
        if term.operation in GROWING:
            near = apply(term.operation, [value.astype(float) for value in values], term.static)
            if not bool((np.abs(near) <= SAFE).all()):
                raise Unknown
        if result.dtype.kind not in "biu":
            raise Unknown
        return result


def _distinct(values: Array) -> Array:
    """The distinct values in order, as `numpy.unique` gives them, which would first load NumPy's masked arrays."""
    ordered = np.sort(values, axis=None)
    return np.append(ordered[:1], ordered[1:][ordered[1:] != ordered[:-1]])


def _whole(term: t.Term) -> bool:
    """Whether a term is an int or a bool."""
    return KINDS.index(term.type.kind) < KINDS.index("real")


def _key(term: t.Term) -> Hashable:
    """What tells a number: an index by its key, a parameter of unknown argument by its own, anything else by its term."""
    return (type(term).__name__, term.key) if isinstance(term, t.IndexVariable | t.Parameter) else id(term)


def reached(branch: t.Term, ranges: Looked) -> Iterator[t.Term]:
    """What a branch reads whose value hangs on no condition around it: what names and arguments stand for, and means."""

    def onwards(term: t.Term) -> Iterable[t.Term]:
        return () if isinstance(term, OTHER_PLACES) else t.children(term)

    for item in t.walk(branch, onwards):
        if isinstance(item, t.Reference):
            yield ranges.bindings[item.name]
        elif isinstance(item, t.Parameter):
            if isinstance(argument := ranges.parameters.get(item.key), t.Term):
                yield argument
        elif isinstance(item, t.NetworkOutput) and item.input is None:
            plan = ranges.networks[item.network]
            yield from dict.fromkeys((plan.input, plan.whole(plan.input)))
        elif isinstance(item, OTHER_PLACES):
            yield item

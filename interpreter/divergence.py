"""Where a replicate ceases to be finite: in a term of the loss, in a weight, or in what an optimiser keeps.

A loss may hide what its weights have become, so they are looked at by themselves: at the end of each stretch of training,
which costs a step nothing. Weights that are not finite stay so, whichever optimiser goes on with them. Where some are
found, the stretch is made again from its start in halves, until the step is known; what a step draws depends on its
number alone, so it is the same walk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from .program import Compiled

Faults = list["Divergence | None"]
State = Sequence[np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Divergence:
    """The first step at which one replicate was not finite. `what` was not: a term of the loss at that step's weights,
    or, `state`, a weight or a value of an optimiser after so many updates."""

    step: int
    what: str
    state: bool = False

    def __str__(self) -> str:
        if not self.state:
            return f"{self.what} was not finite at step {self.step:,}"
        return f"{self.what} was not finite " + (f"after step {self.step:,}" if self.step else "at the start")


class Watch:
    """Looks at all that training changes of a compiled program, and says which replicates diverged, when and in what."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.fallen: Faults | None = None
        """By replicate, how it diverged before the present step; None where nothing has been looked at."""

    def begin(self) -> None:
        """Forgets what was seen: the state has been set from outside."""
        self.fallen = None

    def watched(self, count: int, advance: Callable[[int], Faults]) -> Faults:
        """Makes so many updates by `advance`, which says how the loss of each replicate first ceased to be finite."""
        compiled = self.compiled
        first, start = compiled.step, compiled.saved()
        known = self.fallen
        if known is None:
            known = [Divergence(first, what, True) if what else None for what in self._faults()]
        found = [before or fault for before, fault in zip(known, advance(count), strict=True)]
        faults = self._faults()
        new = {place: what for place, what in enumerate(faults) if what and known[place] is None}
        if new:
            end = compiled.saved()
            for place, fault in self._located(start, first, count, found, new, advance).items():
                found[place] = fault
            compiled.restore(first + count, end)
        self.fallen = found
        return list(found)

    def _located(
        self, start: State, first: int, count: int, found: Faults, new: dict[int, str], advance: Callable[[int], Faults]
    ) -> dict[int, Divergence]:
        """When the state of some replicates ceased to be finite, where their loss had not before."""
        last = {place: first + count if (fault := found[place]) is None else fault.step for place in new}
        located: dict[int, Divergence] = {}
        for end in sorted(set(last.values()) - {first}):
            group = {place: what for place, what in new.items() if last[place] == end}
            if end < first + count:
                self.compiled.restore(first, start)
                advance(end - first)
                group = {place: what for place, what in enumerate(self._faults()) if what and place in group}
            self._bisect(start, first, end, group, advance, located)
        return located

    def _bisect(
        self, start: State, low: int, high: int, new: dict[int, str], advance: Callable[[int], Faults],
        located: dict[int, Divergence],
    ) -> None:  # fmt: skip
        """Of replicates whose state is finite after `low` updates, `start`, and not after `high`: after how many it is not."""
        if not new:
            return
        if high - low == 1:
            located.update((place, Divergence(high, what, True)) for place, what in new.items())
            return
        middle = (low + high) // 2
        self.compiled.restore(low, start)
        advance(middle - low)
        between, faults = self.compiled.saved(), self._faults()
        early = {place: what for place, what in enumerate(faults) if what and place in new}
        self._bisect(start, low, middle, early, advance, located)
        late = {place: what for place, what in new.items() if place not in early}
        self._bisect(between, middle, high, late, advance, located)

    def _faults(self) -> list[str | None]:
        """By replicate, the first of what it keeps that is not finite now."""
        if not self._names:
            return [None] * len(self.compiled.replicates)
        sound = self._sound().numpy()
        return [None if row.all() else self._names[int(np.argmin(row))] for row in sound]

    @cached_property
    def _watched(self) -> list[tuple[str, Any]]:
        """What is looked at, with how it is called: weights, and what optimisers keep of each."""
        found = [
            (f"the weight {name}.{layer}.{weight}", variable)
            for name, network in self.compiled.networks.items()
            for (layer, weight), variable in network.weights.items()
        ]
        labels = {variable.path.replace("/", "_"): what for what, variable in found}
        for optimizer, _ in self.compiled.optimizers.values():
            for variable in optimizer.variables:
                own = [label for label in labels if variable.name.startswith(f"{label}_")]
                if own:
                    label = max(own, key=len)
                    kept = variable.name[len(label) + 1 :].replace("_", " ")
                    found.append((f"the optimiser's {kept} of {labels[label].removeprefix('the weight ')}", variable))
        return found

    @cached_property
    def _names(self) -> list[str]:
        return [name for name, _ in self._watched]

    @cached_property
    def _sound(self) -> Any:
        """Whether each of it is finite: [R, …]. Outside the step's program, which it would slow down."""

        @tf.function(autograph=False)
        def sound() -> Any:
            values = [tf.convert_to_tensor(variable.value) for _, variable in self._watched]
            return tf.stack(
                [tf.reduce_all(tf.math.is_finite(value), axis=list(range(1, value.shape.rank))) for value in values],
                axis=1,
            )

        return sound

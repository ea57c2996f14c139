"""Where a replicate ceases to be finite: in a term of the loss, in a weight, or in what an optimiser keeps.

A loss may hide what its weights have become, so they are looked at by themselves: at the end of each stretch of training,
in one call that also keeps the state for the next stretch to begin from; neither costs a step anything. Weights that are
not finite stay so, whichever optimiser goes on with them. Where some are found, the stretch is made again from its start
in halves, until the step is known; what a step draws depends on its number alone, so it is the same walk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from .shared_functions import Functions
from .state import State

Faults = list["Divergence | None"]
Values = Sequence[Any]
"""The values of all variables that training changes, as tensors: a variable that is assigned to leaves them as they are."""


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

    def __init__(self, state: State, replicates: int, functions: Functions) -> None:
        self.state = state
        self.functions = functions
        self.replicates = replicates
        self.fallen: Faults | None = None
        """By replicate, how it diverged before the present step; None where nothing has been looked at."""
        self.start: Values = ()
        """The state at the present step, where something has been looked at."""

    def begin(self) -> None:
        """Forgets what was seen: the state has been set from outside."""
        self.fallen, self.start = None, ()

    def watched(self, count: int, advance: Callable[[int], Faults]) -> Faults:
        """Makes so many updates by `advance`, which says how the loss of each replicate first ceased to be finite."""
        first, start, known = self.state.step, self.start, self.fallen
        if known is None:
            faults, start = self._look()
            known = [Divergence(first, what, True) if what else None for what in faults]
        fallen = [before or fault for before, fault in zip(known, advance(count), strict=True)]
        faults, end = self._look()
        new = {place: what for place, what in enumerate(faults) if what and known[place] is None}
        if new:
            for place, fault in self._located(start, first, count, fallen, new, advance).items():
                fallen[place] = fault
            self.state.restore(first + count, end)
        self.fallen, self.start = fallen, end
        return list(fallen)

    def _located(
        self,
        start: Values,
        first: int,
        count: int,
        fallen: Faults,
        new: dict[int, str],
        advance: Callable[[int], Faults],
    ) -> dict[int, Divergence]:
        """When the state of some replicates ceased to be finite, where their loss had not before."""
        last = {place: first + count if (fault := fallen[place]) is None else fault.step for place in new}
        located: dict[int, Divergence] = {}
        for end in sorted(set(last.values()) - {first}):
            group = {place: what for place, what in new.items() if last[place] == end}
            if end < first + count:
                self.state.restore(first, start)
                advance(end - first)
                group = {place: what for place, what in enumerate(self._look()[0]) if what and place in group}
            self._bisect(start, first, end, group, advance, located)
        return located

    def _bisect(
        self, start: Values, low: int, high: int, new: dict[int, str], advance: Callable[[int], Faults],
        located: dict[int, Divergence],
    ) -> None:  # fmt: skip
        """Of replicates whose state is finite after `low` updates, `start`, and not after `high`: after how many it is not."""
        if not new:
            return
        if high - low == 1:
            located.update((place, Divergence(high, what, True)) for place, what in new.items())
            return
        middle = (low + high) // 2
        self.state.restore(low, start)
        advance(middle - low)
        faults, between = self._look()
        early = {place: what for place, what in enumerate(faults) if what and place in new}
        self._bisect(start, low, middle, early, advance, located)
        late = {place: what for place, what in new.items() if place not in early}
        self._bisect(between, middle, high, late, advance, located)

    def _look(self) -> tuple[list[str | None], Values]:
        """By replicate, the first of what it keeps that is not finite now; and the state."""
        sound, values = self._look_at_all()
        rows = sound.numpy()
        return [None if row.all() else self._names[int(np.argmin(row))] for row in rows], values

    @cached_property
    def _watched(self) -> list[tuple[str, Any]]:
        """What is looked at, with how it is called: weights, and what optimisers keep of each."""
        variables = [
            (f"the weight {name}.{layer}.{weight}", variable)
            for name, network in self.state.networks.items()
            for (layer, weight), variable in network.weights.items()
        ]
        labels = {variable.path.replace("/", "_"): what for what, variable in variables}
        for variable in (variable for optimizers in self.state.optimizers for variable in optimizers.state()):
            own = [label for label in labels if variable.name.startswith(f"{label}_")]
            if own:
                label = max(own, key=len)
                kept = variable.name[len(label) + 1 :].replace("_", " ")
                variables.append((f"the optimiser's {kept} of {labels[label].removeprefix('the weight ')}", variable))
        return variables

    @cached_property
    def _names(self) -> list[str]:
        return [name for name, _ in self._watched]

    @cached_property
    def _look_at_all(self) -> Any:
        """Whether each of what is looked at is finite, [R, …], and the state. Outside the step's program, which it would slow down."""

        @self.functions.shared("look at the state", False)
        def look() -> Any:
            values = [tf.convert_to_tensor(variable.value) for _, variable in self._watched]
            sound = [tf.reduce_all(tf.math.is_finite(value), axis=list(range(1, value.shape.rank))) for value in values]
            kept = [tf.convert_to_tensor(variable.value) for variable in self.state.variables()]
            return tf.stack(sound, axis=1) if sound else tf.ones([self.replicates, 0], tf.bool), kept

        return look

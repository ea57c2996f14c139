"""The values of terms that change with the step and with nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..ir import terms as t
from ..ir.axes import EXAMPLE
from .evaluate import Array, Value, counter_name, evaluate_batched

PLAIN = (t.Literal, t.StepNumber, t.Operate, t.Invoke, t.Stop, t.Stack, t.Cut, t.Gather, t.Reference, t.Parameter)
"""The classes of terms whose value is known at every step, if that of their parts is."""


class Timed:
    """Values at every step that is looked at; `times` are the counters there, by name. What hangs on one that is not among them is not known.

    `bindings` are the terms of names, `parameters` those of arguments by the keys of parameters, where they are terms.
    """

    def __init__(
        self, bindings: Mapping[str, t.Term], parameters: Mapping[str, Any], times: Mapping[str, Array]
    ) -> None:
        self.bindings = bindings
        self.parameters = parameters
        self.known: dict[str, Value] = {}
        self.times = times
        self.timed = False

    def values(self, term: t.Term) -> Array | None:
        """The values of a single number, one a step; None for what hangs on no counter, or on something else, too."""
        if term.type.shape or not self._prepared(term) or not self.timed:
            return None
        found = evaluate_batched(term, self.known)
        return np.asarray(found.array)

    def _prepared(self, term: t.Term) -> bool:
        """Whether all that a term is made of is known at every step; what it names is then among what is known."""
        for item in t.walk(term):
            if not isinstance(item, PLAIN):
                return False
            if isinstance(item, t.StepNumber):
                if item.counter not in self.times:
                    return False
                self.known.setdefault(counter_name(item.counter), Value(self.times[item.counter], (EXAMPLE,)))
                self.timed = True
            if isinstance(item, t.Reference) and not self._known(item.name, self.bindings.get(item.name)):
                return False
            if isinstance(item, t.Parameter) and not self._known(item.key, self.parameters.get(item.key)):
                return False
        return True

    def _known(self, name: str, term: Any) -> bool:
        if name in self.known:
            return True
        if not isinstance(term, t.Term) or not self._prepared(term):
            return False
        self.known[name] = evaluate_batched(term, self.known)
        return True


def first_outside(timed: Timed, values: Array, size: int) -> tuple[int, int] | None:
    """The first of an index's values at every step that is outside 0 … size - 1, and its step; None where there is none."""
    if not (outside := (values < 0) | (values >= size)).any():
        return None
    place = int(outside.argmax())
    return int(values[place]), int(timed.times["step"][place])

"""The ways of gradients that are not 0 throughout: `round` and `sign` are flat, and a gradient that goes through them alone is 0."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import Program
from ..tables.flops import FLAT
from ..tables.gradient_modes import mode_of
from .gradient_paths import BRIDGES, Paths, Reached
from .print_term import bare


class SteepPaths(Paths):
    """The same ways, but that a flat operation ends one, as an int does."""

    def onwards(self, term: t.Term, reached: Reached) -> Iterable[t.Term]:
        """The terms that a gradient goes on to where it is not 0 for certain."""
        if isinstance(term, t.Operate) and term.operation in FLAT and term.type.kind == "real":
            reached.ends.append(term)
            return ()
        return super().onwards(term, reached)


def untrained(program: Program, paths: Paths) -> list[Problem]:
    """Warnings of networks and layers that a loss hangs on through ints, bools and what else ends its ways, alone, so that they are not trained."""
    if program.training is None:
        return []
    every = [paths.through(loss.term) for loss in program.loss if not _is_zero(loss.weight)]
    trained = {place[:2] for found in every for place in found.weights}

    def meant(target: str) -> bool:
        """Whether a mode says that the weights get no gradient."""
        return not mode_of(program.gradient, target).trains_weights

    told: dict[str, Problem] = {}
    for end in [end for found in every for end in found.ends]:
        for name, plan in paths.plans.items():
            held = [layer for layer in plan.leaves() if set(layer.weights) - set(layer.untrained)]
            missing = [
                layer.key for layer in held if (name, layer.key) not in trained and not meant(f"{name}.{layer.key}")
            ]
            own = any(layer.body is end for layer in plan.applied())
            if not missing or meant(name) or not (own or paths.reaches(end, name)):
                continue
            label = f"'{name}'" if len(missing) == len(held) else f"'{name}.{missing[0]}'"
            origin = paths.origin(end)
            text = bare(origin)
            shown = f"`{text}`" if len(text) <= 60 else "this"
            message = (
                f"{label} is not trained: the loss depends on it only through {shown}, and no gradient passes there"
            )
            hint = f"Put it into a function with a gradient mode ({BRIDGES}), or write `stop(x)` if this is intended."
            told.setdefault(label, Problem(message, origin.span, hint, "warning"))
    return list(told.values())


def _is_zero(weight: t.Term) -> bool:
    """Whether the weight of a term of the loss is 0 for certain, so that it trains nothing."""
    return isinstance(weight, t.Literal) and isinstance(weight.value, np.ndarray) and not weight.value.any()

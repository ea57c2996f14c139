"""The ways of gradients that are not 0 throughout: `round` and `sign` are flat, and what lies behind them alone is not trained."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir import terms as t
from ..tables.flops import FLAT
from .gradient_paths import Paths, Reached


class SteepPaths(Paths):
    """The same ways, but that a flat operation ends one, as an int does."""

    def onwards(self, term: t.Term, reached: Reached) -> Iterable[t.Term]:
        """The terms that a gradient goes on to where it is not 0 for certain."""
        if isinstance(term, t.Operate) and term.operation in FLAT and term.type.kind == "real":
            reached.ends.append(term)
            return ()
        return super().onwards(term, reached)

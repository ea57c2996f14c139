"""How many rows or combinations a set has: a number, or a share of all."""

from __future__ import annotations

from fractions import Fraction

from ..diagnostics.problems import problem_at
from ..ir import terms as t
from ..model.task import Data
from . import constant_folding as folding
from .context import Context
from .scope import ExperimentScope

MAX_ROWS = 2**31 - 1


def counted(
    experiment: ExperimentScope, model: Data, field: str, usable: int, unit: int = 1, what: str = "rows"
) -> int | None:
    """A number of rows, or a share of them, rounded down; of `unit` rows each where they come in groups. None where the field is left out."""
    node = model.node(field)
    if node is None:
        return None
    term = experiment.checker.value(node, Context("constants", ()))
    if not isinstance(term, t.Literal) or term.type.shape or term.type.kind == "bool":
        raise problem_at(node.span, f"'{field}' is a number of {what}, or a share", "Write `0.8` or `1000`.")
    if term.type.kind == "int":
        rows = folding.size(term, f"'{field}'", MAX_ROWS)
        if rows % unit:
            hint = f"Each group has {unit:,} rows: give a multiple of that."
            raise problem_at(node.span, f"{rows:,} rows are not a whole number of groups", hint)
        return rows
    share = float(term.value)
    if not 0 < share < 1:
        hint = f"A whole number counts {what}; a share is above 0 and below 1. Leave it out to take all {what}."
        raise problem_at(node.span, f"'{field}' is {share:g}, which is neither a number of {what} nor a share", hint)
    rows = int(Fraction(repr(share)) * (usable // unit)) * unit
    if not rows:
        raise problem_at(node.span, f"{share:g} of {usable // unit:,} is less than one", "Give a larger share.")
    return rows

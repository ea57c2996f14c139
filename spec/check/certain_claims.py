"""Claims that are decided before anything runs: a rate against a number that no rate comes to, a value against itself.

`final(accuracy) < 90` is so of every accuracy, as an accuracy is a share from 0 to 1 and no percentage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import numpy as np

from ..diagnostics.problems import Problem, Span
from ..ir import claims as c
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.few_values import rate_in
from ..passes.print_claim import claim_text
from ..tables.operations import OPERATIONS

Between = tuple[float, float]
"""Between which numbers a part of a claim lies."""
SELF = {
    "less": "never",
    "less_equal": "always",
    "greater": "never",
    "greater_equal": "always",
    "equal": "always",
    "not_equal": "never",
}
"""How often a value compares so with itself."""


def rates(programs: Iterable[Program]) -> Mapping[str, Between]:
    """The measures that are made of the rate of a condition over examples, and between which values they lie in all programs that have them."""
    terms: dict[str, dict[int, t.Term]] = {}
    for measures in {id(program.measures): program.measures for program in programs}.values():
        for one in measures:
            terms.setdefault(one.name, {})[id(one.term)] = one.term
    ends = {name: [_ends(term) for term in own.values()] for name, own in terms.items()}
    known = {name: [one for one in own if one is not None] for name, own in ends.items()}
    return {
        name: (min(low for low, _ in own), max(high for _, high in own))
        for name, own in known.items()
        if len(own) == len(ends[name])
    }


def _ends(term: t.Term) -> Between | None:
    """Between which values a measure lies that is made of a rate."""
    if (rate := rate_in(term)) is not None:
        low, high = sorted((rate[0], rate[0] + rate[1]))
        return low, high
    while isinstance(term, t.Invoke):
        term = term.body
    total = term.arguments[0] if isinstance(term, t.Operate) and term.operation == "divide" else None
    chosen = isinstance(total, t.Expectation) and total.where is not None and total.body.type.kind == "bool"
    return (0.0, 1.0) if chosen else None  # `E(c, where=g)`


def certain(tree: c.Claim, rates: Mapping[str, Between], span: Span) -> Iterator[Problem]:
    """A warning of each comparison whose outcome no run can change."""
    for part in c.parts(tree):
        if isinstance(part, c.Apply) and (so := _apart(part.operation, part.arguments, rates)):
            yield _warned(claim_text(part), *so, span)
        elif isinstance(part, c.Measured) and part.threshold is not None:
            operation = next(name for name, row in OPERATIONS.items() if row.operator == part.operator)
            inside = c.Measured("final", part.measure, part.index)
            if so := _apart(operation, (inside, part.threshold), rates):
                yield _warned(f"{part.measure} {part.operator} {claim_text(part.threshold)}", *so, span)


def _warned(text: str, how: str, why: str, span: Span) -> Problem:
    rate = "A rate is a share from 0 to 1, and 90 % is 0.9."
    hint = rate if why else "Compare with another cell, measure or step."
    return Problem(f"`{text}` is {how} so, whatever a run gives{why}", span, hint, "warning")


def _apart(operation: str, arguments: tuple[c.Claim, ...], rates: Mapping[str, Between]) -> tuple[str, str] | None:
    """How often a comparison holds, and why, where that is certain; None where it hangs on a run."""
    if operation in SELF and arguments[0] == arguments[1]:
        return SELF[operation], ""
    if operation not in (*SELF, "within"):
        return None
    named = [part.measure for one in arguments for part in c.parts(one) if isinstance(part, c.Measured)]
    ranges = [one for one in (_between(one, rates) for one in arguments) if one is not None]
    if not named or len(ranges) < len(arguments):
        return None
    low, high = rates[named[0]]
    why = f": '{named[0]}' lies between {low:g} and {high:g}"
    (low, high), *others = ranges
    if operation in ("equal", "not_equal"):
        ((least, most),) = others
        return ("never" if operation == "equal" else "always", why) if high < least or most < low else None
    held = {bool(OPERATIONS[operation].numpy(*corner)) for corner in product((low, high), *others)}
    if operation == "within" and held == {False} and low < others[0][0] and high > others[1][1]:
        return None  # the bounds lie inside
    return ("always" if True in held else "never", why) if len(held) == 1 else None


def _between(tree: c.Claim, rates: Mapping[str, Between]) -> Between | None:
    """Between which numbers a part of a claim lies, as far as rates say it."""
    match tree:
        case c.Number(value):
            return value, value
        case c.Measured(reduction, measure) if reduction != "first_step":
            return rates.get(measure)
        case c.Over(form, y) if form in ("mean", "max", "min"):
            return _between(y, rates)
        case c.Apply(operation, arguments) if (
            OPERATIONS[operation].monotone and OPERATIONS[operation].result.kind != "bool"
        ):
            inner = [_between(one, rates) for one in arguments]
            known = [one for one in inner if one is not None]
            if len(known) < len(inner):
                return None
            with np.errstate(all="ignore"):
                ends = [float(OPERATIONS[operation].numpy(*corner)) for corner in product(*known)]
            return (min(ends), max(ends)) if np.isfinite(ends).all() else None
    return None

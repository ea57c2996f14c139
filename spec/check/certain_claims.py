"""Claims and stopping conditions that are decided before anything runs: a rate against a number that no rate comes to, a value against itself.

`final(accuracy) < 90` is so of every accuracy, as an accuracy is a share from 0 to 1 and no percentage, and `until: accuracy > 95` never stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from ..diagnostics.problems import Problem, Span
from ..expressions.parser import COMPARISONS
from ..ir import claims as c
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..passes.few_values import at_corners, joined, rate_in
from ..passes.print_claim import claim_text
from ..tables.operations import OPERATIONS

Between = tuple[float, float]
"""Between which numbers a part of a claim lies."""
SELF = {
    name: "always" if row.numpy(0, 0) else "never" for name, row in OPERATIONS.items() if row.operator in COMPARISONS
}
"""How often a value compares so with itself."""
NEWEST = re.compile(r"final\((\w+(?:\[[\d, ]*\])?)\)")
"""A measure as a claim speaks of it, where a stopping condition names it alone."""
OF_SHARES = "A rate is a share from 0 to 1, and 90 % is 0.9."
OF_OTHERS = "Compare with another cell, measure or step."
Certain = tuple[str, str, str]
"""How often a comparison holds, always or never, why, and what may be meant instead."""


def rates(cells: Iterable[Sequence[MeasurePlan]]) -> Mapping[str, Between]:
    """The measures that are made of the rate of a condition over examples, and between which values they lie in all cells that have them."""
    terms: dict[str, dict[int, t.Term]] = {}
    for measures in {id(measures): measures for measures in cells}.values():
        for one in measures:
            terms.setdefault(one.name, {})[id(one.term)] = one.term
    each = {key: term for own in terms.values() for key, term in own.items()}
    of_each = {key: _ends(term) for key, term in each.items()}
    ends = {name: joined(map(of_each.__getitem__, own)) for name, own in terms.items()}
    return {name: between for name, between in ends.items() if between is not None}


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


def _warned(text: str, how: str, why: str, hint: str, span: Span) -> Problem:
    return Problem(f"`{text}` is {how} true, whatever a run gives{why}", span, hint, "warning")


def _apart(operation: str, arguments: tuple[c.Claim, ...], rates: Mapping[str, Between]) -> Certain | None:
    """What is certain of a comparison; None where it hangs on a run."""
    if operation in SELF and _in_order(arguments[0]) == _in_order(arguments[1]):
        return SELF[operation], "", OF_OTHERS
    if SELF.get(operation) == "never" and (pin := _pinned_alone(*arguments)):
        why = f": where {pin.axis} == {pin.value}, a value is compared with itself"
        return "never", why, f"Exclude it on the other side: `{pin.axis} != {pin.value}`."
    if operation not in (*SELF, "within"):
        return None
    named = [part.measure for one in arguments for part in c.parts(one) if isinstance(part, c.Measured)]
    ranges = [one for one in (_between(one, rates) for one in arguments) if one is not None]
    if not named or len(ranges) < len(arguments):
        return None
    low, high = rates[named[0]]
    why = f": '{named[0]}' is between {low:g} and {high:g}"
    (low, high), *others = ranges
    if operation in ("equal", "not_equal"):
        ((least, most),) = others
        return ("never" if operation == "equal" else "always", why, OF_SHARES) if high < least or most < low else None
    held = {bool(OPERATIONS[operation].numpy(*corner)) for corner in product((low, high), *others)}
    if operation == "within" and held == {False} and low < others[0][0] and high > others[1][1]:
        return None  # the bounds lie inside
    return ("always" if True in held else "never", why, OF_SHARES) if len(held) == 1 else None


def _in_order(tree: c.Claim) -> c.Claim:
    """A measure with its conditions in one order, as it does not matter in which they stand; anything else as it is."""
    return replace(tree, selections=tuple(sorted(tree.selections, key=str))) if isinstance(tree, c.Measured) else tree


def _pinned_alone(one: c.Claim, other: c.Claim) -> c.Selection | None:
    """What says of one of two measures at which cell it is, where the other is the same one at each cell; None where they differ otherwise."""
    if not isinstance(one, c.Measured) or not isinstance(other, c.Measured):
        return None
    few, many = sorted((one, other), key=lambda item: len(item.selections))
    pins = [selection for selection in many.selections if selection not in few.selections]
    same = replace(few, selections=many.selections) == many and len(pins) == len(many.selections) - len(few.selections)
    return pins[0] if pins and same and all(pin.operator == "==" for pin in pins) else None


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
            return at_corners(OPERATIONS[operation], known)
    return None

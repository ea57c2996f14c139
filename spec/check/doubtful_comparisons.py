"""Comparisons with labels that are right by the rules and seldom meant: `f == y` of real scores, signs against classes, margins of labels 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.print_term import bare
from ..passes.reached_examples import reached
from ..source.several import all_equal
from ..tables.operations import OPERATIONS

EQUAL = ("==", "!=")
MadeBy = Callable[[t.Term], tuple[str, str]]
"""The operation or activation that made a value last, and the network whose output that is, if it is one."""
Values = Callable[[t.Term], "frozenset[int] | None"]
"""All values that an int can have, where they are known."""


def doubtful_comparison(
    item: t.Operate, made_by: MadeBy, names: Mapping[str, t.Term], program: Program, values: Values
) -> Iterator[Problem]:
    """Warnings of a comparison; `names` are what outputs and parameters stand for."""
    first, second = item.arguments
    if OPERATIONS[item.operation].operator in EQUAL:
        for score, label in ((first, second), (second, first)):
            if (
                not isinstance(label, t.Literal)
                and _predicted(score, names, program)
                and not _predicted(label, names, program)
            ):
                yield from _equal(item, score, label, made_by, values)
    elif isinstance(second, t.Literal) and not second.type.shape and all_equal(second.value, 0):
        yield from _margin(item, first, made_by, values)


def _predicted(term: t.Term, names: Mapping[str, t.Term], program: Program) -> bool:
    """Whether a network's output stands in a term, or in what its parameters stand for."""
    roots, seen = [term], set()
    while roots:
        for one in reached(program, [roots.pop()]):
            if isinstance(one, t.NetworkOutput):
                return True
            if isinstance(one, t.Parameter) and one.key in names and one.key not in seen:
                seen.add(one.key)
                roots.append(names[one.key])
    return False


def _equal(item: t.Operate, score: t.Term, label: t.Term, made_by: MadeBy, values: Values) -> Iterator[Problem]:
    if score.type.kind == "real" and label.type.kind != "real" and made_by(score)[1]:
        message = f"`{bare(item)}` compares the real numbers of a network: they are hardly ever equal to a label"
        hint = (
            "`argmax(f) == y` asks for the class, `(f > 0) == (y > 0)` for the side, `abs(f - y) < 0.1` for a distance."
        )
        yield Problem(message, item.span, hint, "warning")
        return
    given, wanted = _few(score, made_by, values), _few(label, made_by, values)
    if given and wanted and given - wanted and wanted - given:
        message = f"`{bare(score)}` is {_listed(given)} and `{bare(label)}` {_listed(wanted)}: some are never equal"
        hint = "Give both the same values: `2 * k - 1` makes signs of 0 and 1, `(f > 0) == (y > 0)` compares sides, `c - 1` counts classes from 0."
        yield Problem(message, item.span, hint, "warning")


def _few(term: t.Term, made_by: MadeBy, values: Values) -> frozenset[int] | None:
    """The values that a prediction or a label can have, where these are few; a sign is taken for 1 or -1."""
    if term.type.kind == "bool":
        return frozenset((0, 1))
    if made_by(term)[0] == "sign":
        return frozenset((-1, 1))
    return values(term) if term.type.kind == "int" else None


def _listed(values: frozenset[int]) -> str:
    low, high = min(values), max(values)
    return f"{low} … {high}" if len(values) > 2 else " or ".join(str(value) for value in sorted(values))


def _margin(item: t.Operate, margin: t.Term, made_by: MadeBy, values: Values) -> Iterator[Problem]:
    """A product of a score with a label that may be 0 and is never below: there it hangs on no score."""
    if not isinstance(margin, t.Operate) or margin.operation != "multiply":
        return
    for label, score in (margin.arguments, margin.arguments[::-1]):
        if label.type.kind != "int" or isinstance(label, t.Literal) or not made_by(score)[1]:
            continue
        found = values(label)
        if found and min(found) == 0:
            holds = bool(np.asarray(OPERATIONS[item.operation].numpy(0, 0)))
            message = f"`{bare(item)}` is {'always' if holds else 'never'} true where `{bare(label)}` is 0, whatever the score"
            hint = "`(2 * y - 1) * f > 0` makes signs of labels 0 and 1, and so does `(f > 0) == (y > 0)`."
            yield Problem(message, item.span, hint, "warning")

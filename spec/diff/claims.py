"""Whether a changed claim asks less than before: it was loosened, it asks more, or one cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ..diagnostics.problems import listing
from ..ir import claims as c
from ..ir.plan import ClaimPlan
from ..passes.print_claim import value_text
from ..tables.operations import OPERATIONS
from .changes import Warned
from .equivalence import measured_otherwise
from .matching import Matching

LOOSER, STRICTER, UNKNOWN = "looser", "stricter", "unknown"
_BELOW = ("less", "less_equal")
_ABOVE = ("greater", "greater_equal")
_MIRROR = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}
_REDUCTIONS = ("lowest", "final", "highest")
"""Each is at most the next."""


@dataclass(frozen=True)
class Verdict:
    """How a claim's check moved: `direction`, and in words what of it."""

    direction: str
    what: str


def compare_claims(experiment: str, matching: Matching) -> tuple[list[Warned], dict[tuple[str, ...], str]]:
    """Warnings of claims that ask less than before, or are gone; and how each claim moved, by the paths of its check."""
    measures, names = matching.renames.of({"measure"}), matching.renames.of({"claim"})
    now = {claim.name: claim for claim in matching.after.plan.claims}
    warnings: list[Warned] = []
    notes: dict[tuple[str, ...], str] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        if name not in now:
            warnings.append(Warned(experiment, claim.name, f"removed: {claim.says}"))
            continue
        old = carried(claim.tree, measures, matching.names.values, matching.axes)
        verdicts = moved(old, now[name].tree)
        verdicts += _judges(claim, now[name])
        verdicts += _judged_on(old, matching)
        if verdicts:
            note = described(verdicts)
            notes["claims", name, "check"] = notes["claims", name, "judge"] = note
            if {verdict.direction for verdict in verdicts} != {STRICTER}:
                warnings.append(Warned(experiment, name, note))
    return warnings, notes


def _judges(before: ClaimPlan, after: ClaimPlan) -> list[Verdict]:
    """How a claim's judge moved, and whether it is still judged together with others."""
    moves = []
    if before.judge != after.judge:
        old, new = before.judge.value, after.judge.value
        same = before.judge.name == after.judge.name and old is not None and new is not None
        direction = UNKNOWN if not same else LOOSER if (new or 0) < (old or 0) else STRICTER
        moves.append(Verdict(direction, f"it is judged by {after.judge} instead of {before.judge}"))
    if before.family != after.family:
        direction = LOOSER if not after.family else STRICTER if not before.family else UNKNOWN
        now = f"in the family '{after.family}'" if after.family else "by itself"
        was = f"in the family '{before.family}'" if before.family else "by itself"
        moves.append(Verdict(direction, f"it is judged {now} instead of {was}"))
    return moves


def _judged_on(check: Any, matching: Matching) -> list[Verdict]:
    """How what a check is judged on moved, though it says the same: the cells, their replicates, its measures."""
    pairs = matching.pairs()
    names = {new: old for old, new in matching.renames.of({"measure"}).items()}
    found: list[Verdict] = []
    for part in measured(check):
        own = [pair for pair in pairs if c.looked_at(part.selections, matching.place(pair))]
        gone = [before for before, after in own if after is None]
        both = [(before, after) for before, after in own if before is not None and after is not None]
        if gone and both:
            direction = UNKNOWN if along(check, "slope") else LOOSER
            whole = listing(dict.fromkeys(program.name for program in gone if program is not None), 4)
            found.append(Verdict(direction, f"it looks at fewer cells, without {whole}"))
        counts = {(before.replicates, after.replicates) for before, after in both}
        found += [
            Verdict(LOOSER, f"it is judged over {new} replicates instead of {old}")
            for old, new in sorted(counts)
            if new < old
        ]
        before_name = names.get(part.measure, part.measure)
        if both and all(
            before.digest == after.digest and measured_otherwise(before, before_name, after, part.measure)
            for before, after in both
        ):
            found.append(Verdict(UNKNOWN, f"`{part.measure}` is measured otherwise"))
    return list(dict.fromkeys(found))


def carried(
    tree: Any, measures: Mapping[str, str], values: Mapping[str, Mapping[str, str]], axes: Mapping[str, str]
) -> Any:
    """A check with its measures, axes and their named values under their new names; `values` are by the axis' old name."""
    if isinstance(tree, tuple):
        return tuple(carried(item, measures, values, axes) for item in tree)
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    changes = {f.name: carried(getattr(tree, f.name), measures, values, axes) for f in fields(tree)}
    if "measure" in changes:
        changes["measure"] = measures.get(changes["measure"], changes["measure"])
    if "axis" in changes:
        changes["axis"] = axes.get(changes["axis"], changes["axis"])
    if isinstance(tree, c.Selection) and tree.axis in values:
        changes["value"] = values[tree.axis].get(tree.value, tree.value)
    return replace(tree, **changes)


def moved(before: Any, after: Any) -> list[Verdict]:
    """How a check moved, part by part; empty where it is the same."""
    old, new = _conjuncts(before), _conjuncts(after)
    gone, fresh = [part for part in old if part not in new], [part for part in new if part not in old]
    verdicts: list[Verdict] = []
    while gone and fresh:
        first = gone.pop(0)
        other = max(fresh, key=lambda part: len(read_measures(part) & read_measures(first)))
        fresh.remove(other)
        verdicts.extend(_part(first, other))
    verdicts += [Verdict(LOOSER, "a condition was dropped") for _ in gone]
    verdicts += [Verdict(STRICTER, "a condition was added") for _ in fresh]
    return verdicts


def _conjuncts(tree: Any) -> list[Any]:
    if isinstance(tree, c.Apply) and tree.operation == "logical_and":
        return [part for argument in tree.arguments for part in _conjuncts(argument)]
    return [tree]


def _part(before: Any, after: Any) -> list[Verdict]:
    """One condition: its comparison, its threshold, and what it looks at."""
    if isinstance(before, c.Apply) and isinstance(after, c.Apply):
        b, a = before, after
        if b.operation == a.operation == "logical_not":
            return [_flipped(verdict) for verdict in moved(b.arguments[0], a.arguments[0])]
        if b.operation == a.operation == "within":
            # low ≤ x ≤ high: a smaller low and a larger high ask less
            pairs = zip((0, -1, 1), b.arguments, a.arguments, strict=True)
            return [verdict for sign, x, y in pairs for verdict in _value(x, y, sign)]
        if b.operation == a.operation == "logical_or":
            if all(part in a.arguments for part in b.arguments):
                return [Verdict(LOOSER, "another condition is enough")]
            ways = [(x, y) for x, y in zip(b.arguments, a.arguments, strict=True) if x != y]
            return [verdict for x, y in ways for verdict in moved(x, y)]
        if b.operation in _MIRROR and a.operation in _MIRROR:
            return _comparison(b, a)
        if b.operation == "equal" and a.operation in ("less_equal", "greater_equal") and b.arguments == a.arguments:
            return [Verdict(LOOSER, "the comparison admits more")]
        if a.operation == "equal" and b.operation in ("less_equal", "greater_equal") and b.arguments == a.arguments:
            return [Verdict(STRICTER, "the comparison admits less")]
        if a.operation == "logical_or" and before in a.arguments:
            return [Verdict(LOOSER, "another condition is enough")]
        if b.operation == "logical_or" and after in b.arguments:
            return [Verdict(STRICTER, "a way out was removed")]
    if isinstance(after, c.Number) and after.value:
        return [Verdict(LOOSER, "it holds always")]
    if isinstance(after, c.Apply) and after.operation == "logical_or" and before in after.arguments:
        return [Verdict(LOOSER, "another condition is enough")]
    return [Verdict(UNKNOWN, "the check is another one")]


def _comparison(before: c.Apply, after: c.Apply) -> list[Verdict]:
    """Two comparisons by size, both read as `left < right`."""
    sides = []
    for tree in (before, after):
        left, right = tree.arguments
        operation = tree.operation
        if operation in _ABOVE:
            left, right, operation = right, left, _MIRROR[operation]
        sides.append((left, right, operation))
    (l0, r0, o0), (l1, r1, o1) = sides
    if l0 == r1 and r0 == l1:
        return [Verdict(UNKNOWN, "the comparison was turned round")]
    verdicts = _value(l0, l1, -1) + _value(r0, r1, 1)  # left < right: a smaller left and a larger right ask less
    if o0 != o1:
        verdicts.append(
            Verdict(LOOSER, "equality is enough") if o1 == "less_equal" else Verdict(STRICTER, "equality is not enough")
        )
    return verdicts


def _value(before: Any, after: Any, sign: int) -> list[Verdict]:
    """How a quantity moved, where `sign` says whether a larger one asks less (1), more (-1), or one cannot tell (0)."""
    if before == after:
        return []
    if isinstance(before, c.Number) and isinstance(after, c.Number):
        text = f"the threshold moved from {value_text(before.value)} to {value_text(after.value)}"
        return [Verdict(_direction(after.value > before.value, sign), text)]
    if isinstance(before, c.Measured) and isinstance(after, c.Measured):
        return _measured(before, after, sign)
    if isinstance(before, c.Apply) and isinstance(after, c.Apply) and before.operation == after.operation:
        return _applied(before, after, sign)
    return [Verdict(UNKNOWN, "the check is another one")]


def _measured(before: c.Measured, after: c.Measured, sign: int) -> list[Verdict]:
    if before.measure != after.measure or before.index != after.index:
        return [Verdict(UNKNOWN, f"it looks at `{after.measure}` instead of `{before.measure}`")]
    found: list[Verdict] = []
    if before.reduction != after.reduction:
        text = f"`{before.reduction}` became `{after.reduction}`"
        if before.reduction in _REDUCTIONS and after.reduction in _REDUCTIONS:
            rises = _REDUCTIONS.index(after.reduction) > _REDUCTIONS.index(before.reduction)
            found.append(Verdict(_direction(rises, sign), text))
        else:
            found.append(Verdict(UNKNOWN, text))
    if before.step != after.step and before.reduction == after.reduction:
        found.append(Verdict(UNKNOWN, f"it looks at step {after.step} instead of {before.step}"))
    if before.threshold != after.threshold and before.reduction == after.reduction == "first_step":
        later = 1 if before.operator in (">", ">=") else -1  # a higher bar is reached later
        found += _value(before.threshold, after.threshold, sign * later)
    if before.selections != after.selections:
        old, new = set(before.selections), set(after.selections)
        if old < new:
            found.append(Verdict(LOOSER, "it looks at fewer cells"))
        elif new < old:
            found.append(Verdict(STRICTER, "it looks at more cells"))
        else:
            found.append(Verdict(UNKNOWN, "it looks at other cells"))
    return found or [Verdict(UNKNOWN, "the check is another one")]


def _applied(before: c.Apply, after: c.Apply, sign: int) -> list[Verdict]:
    """A quantity made from others: sums, differences, products with a number; a measured factor may have either sign."""
    name, old, new = before.operation, before.arguments, after.arguments
    if len(old) != len(new):
        return [Verdict(UNKNOWN, "the check is another one")]
    if name == "negative":
        return _value(old[0], new[0], -sign)
    if name == "add":
        return _value(old[0], new[0], sign) + _value(old[1], new[1], sign)
    if name == "subtract":
        return _value(old[0], new[0], sign) + _value(old[1], new[1], -sign)
    if name in ("multiply", "divide"):
        verdicts: list[Verdict] = []
        for place in (0, 1):
            other = old[1 - place] if old[1 - place] == new[1 - place] else None
            factor = other.value if isinstance(other, c.Number) else None
            turn = -1 if name == "divide" and place == 1 else 1
            fixed = 0 if factor is None else (1 if factor > 0 else -1)
            for verdict in _value(old[place], new[place], sign * turn * (fixed or 1)):
                hedged = verdict.what if fixed else verdict.what + ", as long as what it multiplies is positive"
                verdicts.append(replace(verdict, what=hedged))
        return verdicts
    row = OPERATIONS.get(name)
    rising = row is not None and name in ("sqrt", "exp", "log", "maximum", "minimum")
    return [v for x, y in zip(old, new, strict=True) for v in _value(x, y, sign if rising else 0)]


def _direction(rises: bool, sign: int) -> str:
    if sign == 0:
        return UNKNOWN
    return LOOSER if rises == (sign > 0) else STRICTER


def _flipped(verdict: Verdict) -> Verdict:
    return replace(verdict, direction={LOOSER: STRICTER, STRICTER: LOOSER}.get(verdict.direction, UNKNOWN))


def read_measures(tree: Any) -> set[str]:
    """The measures that a check looks at."""
    return {part.measure for part in measured(tree)}


def measured(tree: Any) -> list[c.Measured]:
    """All that a check measures."""
    return [part for part in c.parts(tree) if isinstance(part, c.Measured)]


def along(tree: Any, form: str) -> bool:
    """Whether a check speaks of a form along an axis: `slope`, `increasing`, `decreasing`."""
    return any(isinstance(part, c.Along) and part.form == form for part in c.parts(tree))


def described(verdicts: list[Verdict]) -> str:
    """How a claim moved, in a phrase: `loosened: the threshold moved from 0.001 to 0.01`."""
    words = {LOOSER: "loosened", UNKNOWN: "perhaps loosened", STRICTER: "stricter"}
    parts = []
    for direction, word in words.items():
        own = dict.fromkeys(verdict.what for verdict in verdicts if verdict.direction == direction)
        if own:
            parts.append(f"{word}: {', '.join(own)}")
    return "; ".join(parts)

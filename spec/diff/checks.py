"""Whether a changed check asks less than before: it was loosened, it asks more, or one cannot tell.

A check asks less if whatever meets the older one meets the newer one: in each replicate, at all places. Parts are compared one by
one, each with the `sign` that says whether more of it (a larger number, a condition that is met more often) asks less (1), asks
more (-1), or may do either (0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from ..ir import claims as c
from ..passes.print_claim import claim_text
from ..tables.operations import OPERATIONS
from .check_constants import folded, moved_text

LOOSER, STRICTER, UNKNOWN = "looser", "stricter", "unknown"
_MIRROR = {"greater": "less", "greater_equal": "less_equal"}
_ADMITS = {"less": {-1}, "less_equal": {-1, 0}, "equal": {0}, "not_equal": {-1, 1}}
"""What a comparison admits of left - right; the others are these from the other side."""
_EVENTS = {">": (1, False), ">=": (1, True), "<": (-1, False), "<=": (-1, True)}
"""Of an event's comparison: whether a higher bar is reached later (1) or earlier (-1), and whether equality is enough."""
_REDUCTIONS = ("lowest", "final", "highest")
"""Each is at most the next."""
_OTHER = "the check is another one"


@dataclass(frozen=True)
class Verdict:
    """How what a claim asks moved: `direction`, and in words what of it."""

    direction: str
    what: str


@dataclass(frozen=True)
class Ground:
    """What both checks look at: the places of the cells, whether all have as many replicates, and measures never below 0."""

    places: tuple[Mapping[str, object], ...] = ()
    even: bool = True
    never_negative: frozenset[str] = frozenset()


def moved(before: Any, after: Any, ground: Ground) -> list[Verdict]:
    """How a check moved, part by part; empty where it is the same, or asks the same of the same cells."""
    return _Moved(ground).joined(_conjuncts(folded(before)), _conjuncts(folded(after)))


def signs(tree: Any, ground: Ground) -> Iterator[tuple[c.Measured, int]]:
    """All that a check measures, each with its sign."""
    yield from _Moved(ground).signs(tree, 1)


def measured(tree: Any) -> list[c.Measured]:
    """All that a check measures."""
    return [part for part in c.parts(tree) if isinstance(part, c.Measured)]


def read_measures(tree: Any) -> set[str]:
    """The measures that a check looks at."""
    return {part.measure for part in measured(tree)}


def restricts(tree: Any) -> bool:
    """Whether a check of fewer cells asks for certain no more: what it says along axes is that something rises or falls there."""
    conditions = _conjuncts(tree)
    along = [part for part in c.parts(tree) if isinstance(part, c.Along)]
    if any(isinstance(part, c.Over) for part in c.parts(tree)):
        return False
    return not any(map(_nested, conditions)) and all(part.form != "slope" and part in conditions for part in along)


class _Moved:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    # -- conditions --------------------------------------------------------------------------------------------------

    def joined(self, old: list[Any], new: list[Any]) -> list[Verdict]:
        """Conditions that all have to be met."""
        pairs, gone, fresh = _paired(old, new)
        verdicts = [verdict for pair in pairs for verdict in self.condition(*pair, 1, _alone(pair))]
        verdicts += [Verdict(LOOSER, "a condition was dropped") for _ in gone]
        return verdicts + [Verdict(STRICTER, "a condition was added") for _ in fresh]

    def condition(self, before: Any, after: Any, sign: int, alone: bool) -> list[Verdict]:
        """One condition. `alone`: nothing else in it is looked at, so its cells are those of the part that changed."""
        if before == after:
            return []
        if _plain(before) != before or _plain(after) != after:
            return self.condition(_plain(before), _plain(after), sign, alone)
        if isinstance(after, c.Number):
            met = bool(after.value)
            return [Verdict(_direction(met, sign), "it holds always" if met == (sign > 0) else "it never holds")]
        if isinstance(before, c.Diverged) and isinstance(after, c.Diverged):
            return self.cells(before.selections, after.selections, alone)
        if isinstance(before, c.Apply) and isinstance(after, c.Apply):
            b, a = before.operation, after.operation
            if b == a == "logical_not":
                return self.condition(before.arguments[0], after.arguments[0], -sign, alone)
            if b == a == "within":
                turns = zip((0, -sign, sign), before.arguments, after.arguments, strict=True)
                return [verdict for turn, x, y in turns for verdict in self.value(x, y, turn, alone)]
            sides = _sided(before), _sided(after)
            if sides[0] is not None and sides[1] is not None:
                return self.comparison(*sides[0], *sides[1], sign, alone)
        for operation, more in (("logical_or", 1), ("logical_and", -1)):
            parts = _split(before, operation), _split(after, operation)
            if max(map(len, parts)) > 1:
                return self.nested(*parts, sign, more)
        return [Verdict(UNKNOWN, _OTHER)]

    def nested(self, old: list[Any], new: list[Any], sign: int, more: int) -> list[Verdict]:
        """Conditions of which one is enough (`more` is 1: another one asks less) or, inside such, all are needed (-1)."""
        pairs, gone, fresh = _paired(old, new)
        certain = self.uniform([*old, *new])
        verdicts = [verdict for pair in pairs for verdict in self.condition(*pair, sign, False)]
        texts = ("another condition is enough", "a way out was removed")
        if sign * more < 0:
            texts = ("a condition was added", "a condition was dropped")
        for parts, rises, text in ((fresh, True, texts[0]), (gone, False, texts[1])):
            direction = _direction(rises == (more > 0), sign) if certain or (more > 0 and sign > 0) else UNKNOWN
            verdicts += [Verdict(direction, text) for _ in parts]
        return verdicts if certain else [_hedged(verdict, "cells", _CELLS) for verdict in verdicts]

    def comparison(self, l0: Any, o0: str, r0: Any, l1: Any, o1: str, r1: Any, sign: int, alone: bool) -> list[Verdict]:
        """Two comparisons, both read as `left < right`, or as an equality."""
        if (l0, r0) == (r1, l1):
            if o0 == o1 and o0 in ("equal", "not_equal"):
                return []
            return [Verdict(UNKNOWN, "the comparison was turned round")]
        by_size = {o0, o1} <= {"less", "less_equal"}
        turn = sign if by_size else 0
        # left < right: a smaller left and a larger right ask less
        verdicts = self.value(l0, l1, -turn, alone) + self.value(r0, r1, turn, alone)
        if o0 != o1:
            more, less = _ADMITS[o1] > _ADMITS[o0], _ADMITS[o1] < _ADMITS[o0]
            direction = _direction(more, sign) if more or less else UNKNOWN
            words = ("equality is enough", "equality is not enough")
            if not by_size:
                words = ("the comparison admits more", "the comparison admits less")
            text = "the comparison is another one" if direction == UNKNOWN else words[0 if direction == LOOSER else 1]
            verdicts.append(Verdict(direction, text))
        return verdicts

    # -- numbers -----------------------------------------------------------------------------------------------------

    def value(self, before: Any, after: Any, sign: int, alone: bool) -> list[Verdict]:
        """How a quantity moved."""
        if before == after:
            return []
        if isinstance(before, c.Number) and isinstance(after, c.Number):
            return [Verdict(_direction(after.value > before.value, sign), moved_text(before.value, after.value))]
        if isinstance(before, c.Measured) and isinstance(after, c.Measured):
            return self.measured(before, after, sign, alone)
        if isinstance(before, c.Apply) and isinstance(after, c.Apply) and before.operation == after.operation:
            return self.applied(before, after, sign, alone)
        return [Verdict(UNKNOWN, _OTHER)]

    def measured(self, before: c.Measured, after: c.Measured, sign: int, alone: bool) -> list[Verdict]:
        if before.measure != after.measure or before.index != after.index:
            what = [claim_text(c.Measured("final", part.measure, part.index))[6:-1] for part in (after, before)]
            return [Verdict(UNKNOWN, f"it looks at `{what[0]}` instead of `{what[1]}`")]
        verdicts: list[Verdict] = []
        if before.reduction != after.reduction:
            text = f"`{before.reduction}` became `{after.reduction}`"
            known = {before.reduction, after.reduction} <= set(_REDUCTIONS)
            rises = known and _REDUCTIONS.index(after.reduction) > _REDUCTIONS.index(before.reduction)
            direction = _direction(rises, sign) if known else UNKNOWN
            if direction == STRICTER and before.reduction in c.BEST:  # what was only seen for it may hold
                direction, text = (
                    UNKNOWN,
                    f"{text}, from which {'less' if after.reduction in c.BEST else 'nothing'} is taken off for chance",
                )
            verdicts.append(Verdict(direction, text))
        elif before.step != after.step:
            verdicts.append(Verdict(UNKNOWN, f"it looks at step {after.step} instead of {before.step}"))
        elif before.window != after.window:
            verdicts.append(Verdict(UNKNOWN, f"it looks at other steps: `{claim_text(after)}`"))
        elif before.reduction == "first_step":
            verdicts += self.event(before, after, sign)
        return verdicts + self.cells(before.selections, after.selections, alone)

    def event(self, before: c.Measured, after: c.Measured, sign: int) -> list[Verdict]:
        """Two events: the easier one comes first."""
        sides = [_EVENTS.get(part.operator, (0, False)) for part in (before, after)]
        (later, weak), (same, weaker) = sides
        if later != same or (before.operator != after.operator and not later):
            text = f"the event is `{after.operator}` instead of `{before.operator}`"
            return [Verdict(UNKNOWN, text)]
        verdicts = self.value(before.threshold, after.threshold, sign * later, False)
        if weak != weaker:  # what admits more comes earlier
            verdicts.append(
                Verdict(_direction(weak, sign), f"the event is `{after.operator}` instead of `{before.operator}`")
            )
        return verdicts

    def applied(self, before: c.Apply, after: c.Apply, sign: int, alone: bool) -> list[Verdict]:
        """A quantity made from others; a factor that may have either sign leaves open what its product does."""
        name, old, new = before.operation, before.arguments, after.arguments
        if len(old) != len(new):
            return [Verdict(UNKNOWN, _OTHER)]
        verdicts: list[Verdict] = []
        for place, (x, y) in enumerate(zip(old, new, strict=True)):
            turn = self.turn(name, [*old], place, y)
            same = all(old[other] == new[other] for other in range(len(old)) if other != place)
            known = turn if turn and (same or name not in ("multiply", "divide")) else 0
            for verdict in self.value(x, y, sign * known, alone):
                unsure = not known and sign and verdict.direction == UNKNOWN and name in ("multiply", "divide")
                reason = ", and the other operand may have either sign" if unsure and same else ""
                verdicts.append(replace(verdict, what=verdict.what + reason))
        return verdicts

    def turn(self, name: str, arguments: Sequence[Any], place: int, now: Any = None) -> int:
        """Whether an operation rises (1) or falls (-1) with one of its arguments, the others held; 0 where that is not known."""
        both = [arguments[place], arguments[place] if now is None else now]
        if name in ("multiply", "divide"):
            other = arguments[1 - place]
            down = name == "divide" and place == 1
            if down and not all(self.never_negative(one) for one in both):
                return 0  # 1 / x falls on either side of 0, not across it
            factor = -1 if isinstance(other, c.Number) and other.value < 0 else int(self.never_negative(other))
            return -factor if down else factor
        row = OPERATIONS[name]
        if row.monotone:
            return _rises(name, len(arguments), place)
        beside = row.monotone_beside_0 == place and len(arguments) == 1
        return int(beside and all(self.never_negative(one) for one in both))

    def never_negative(self, tree: Any) -> bool:
        """Whether a quantity is known not to be below 0."""
        match tree:
            case c.Number(value):
                return value >= 0
            case c.Measured(reduction="first_step") | c.Diverged():
                return True
            case c.Measured(measure=measure):
                return measure in self.ground.never_negative
            case c.Apply("abs" | "square" | "exp" | "sqrt" | "relu" | "sigmoid" | "softplus", _):
                return True
            case c.Apply("add" | "multiply" | "divide" | "minimum", arguments):
                return all(map(self.never_negative, arguments))
            case c.Apply("maximum", arguments):
                return any(map(self.never_negative, arguments))
        return False

    # -- cells -------------------------------------------------------------------------------------------------------

    def cells(self, old: Sequence[c.Selection], new: Sequence[c.Selection], alone: bool) -> list[Verdict]:
        """The cells that a part looks at. One that is picked by `==` stands beside all cells of another part."""
        sides = self.looked_at(old), self.looked_at(new)
        if old == new or sides[0] == sides[1]:
            return []
        (before, pinned), (after, held) = sides
        certain = self.ground.even and (alone or pinned == held)
        if after < before:
            return [Verdict(LOOSER if certain else UNKNOWN, "it looks at fewer cells")]
        if before < after:
            return [Verdict(STRICTER if certain else UNKNOWN, "it looks at more cells")]
        return [Verdict(UNKNOWN, _CELLS)]

    def looked_at(self, selections: Sequence[c.Selection]) -> tuple[frozenset[int], frozenset[str]]:
        """The cells that conditions leave, and the axes along which `==` picks one value."""
        places = self.ground.places
        kept = frozenset(number for number, place in enumerate(places) if c.looked_at(selections, place))
        axes = {one.axis for one in selections if one.operator == "=="}
        return kept, frozenset(axis for axis in axes if len({places[number].get(axis) for number in kept}) == 1)

    def uniform(self, trees: Sequence[Any]) -> bool:
        """Whether all parts of some conditions look at the same cells."""
        parts = [part for tree in trees for part in c.parts(tree) if isinstance(part, c.Measured | c.Diverged)]
        return len({self.looked_at(part.selections) for part in parts}) <= 1

    # -- signs -------------------------------------------------------------------------------------------------------

    def signs(self, tree: Any, sign: int) -> Iterator[tuple[c.Measured, int]]:
        match tree:
            case c.Measured():
                yield tree, sign
                if tree.threshold is not None:
                    yield from self.signs(tree.threshold, sign * _EVENTS.get(tree.operator, (0, False))[0])
            case c.Over(form, y):
                yield from self.signs(y, 0 if form.startswith("arg") else sign)
            case c.OverEntries(form, _, entries):
                for entry in entries:
                    yield from self.signs(entry, 0 if form.startswith("arg") else sign)
            case c.Along(_, y, x):
                yield from self.signs(y, 0)
                yield from self.signs(x, 0)
            case c.Apply(operation, arguments):
                for place, argument in enumerate(arguments):
                    yield from self.signs(argument, sign * self.sign(operation, arguments, place))

    def sign(self, operation: str, arguments: Sequence[Any], place: int) -> int:
        if operation in ("logical_and", "logical_or"):
            return 1
        if operation == "logical_not":
            return -1
        if operation == "within":
            return (0, -1, 1)[place]
        if operation in ("less", "less_equal", "greater", "greater_equal"):
            return 1 if (place == 1) == operation.startswith("less") else -1
        return self.turn(operation, arguments, place) if operation not in _ADMITS else 0


_CELLS = "it looks at other cells"


def _hedged(verdict: Verdict, word: str, text: str) -> Verdict:
    """A verdict on cells, where parts look at several kinds of them and one cannot tell."""
    return replace(verdict, direction=UNKNOWN) if word in verdict.what else verdict


def _plain(tree: Any) -> Any:
    """A condition without a double negation around it."""
    while isinstance(tree, c.Apply) and tree.operation == "logical_not":
        inner = tree.arguments[0]
        if not (isinstance(inner, c.Apply) and inner.operation == "logical_not"):
            break
        tree = inner.arguments[0]
    return tree


def _conjuncts(tree: Any) -> list[Any]:
    return _split(tree, "logical_and")


def _split(tree: Any, operation: str) -> list[Any]:
    """What is joined by an operation, however it is bracketed."""
    if isinstance(tree, c.Apply) and tree.operation == operation:
        return [part for argument in tree.arguments for part in _split(argument, operation)]
    return [tree]


def _paired(old: list[Any], new: list[Any]) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
    """Conditions that changed, side by side by what they measure; those that went; those that came."""
    gone, fresh = [part for part in old if part not in new], [part for part in new if part not in old]
    pairs = []
    while gone and fresh:
        first = gone.pop(0)
        other = max(fresh, key=lambda part: len(read_measures(part) & read_measures(first)))
        fresh.remove(other)
        pairs.append((first, other))
    return pairs, gone, fresh


def _sided(tree: c.Apply) -> tuple[Any, str, Any] | None:
    """A comparison as its left side, its operation and its right one, read from the side where it is `less`."""
    if tree.operation in _ADMITS:
        return tree.arguments[0], tree.operation, tree.arguments[1]
    if tree.operation in _MIRROR:
        return tree.arguments[1], _MIRROR[tree.operation], tree.arguments[0]
    return None


def _alone(pair: tuple[Any, Any]) -> bool:
    """Whether each of two conditions looks at one thing alone."""
    kinds = (c.Measured, c.Diverged, c.Coordinate)
    return all(sum(isinstance(part, kinds) for part in c.parts(tree)) == 1 for tree in pair)


def _nested(tree: Any) -> bool:
    """Whether conditions are joined by `and` inside of another condition."""
    return any(isinstance(part, c.Apply) and part.operation == "logical_and" for part in c.parts(tree))


@cache
def _rises(name: str, count: int, place: int) -> int:
    """Whether a monotone operation rises or falls with an argument, tried on some numbers; 0 where that hangs on the others."""
    numbers = (-4.0, -0.5, 0.25, 0.75, 3.0)
    found = set()
    with np.errstate(all="ignore"):
        for others in product(numbers, repeat=count - 1):
            values = [OPERATIONS[name].numpy(*others[:place], one, *others[place:]) for one in numbers]
            steps = np.diff(np.asarray([float(value) for value in values]))
            found |= {int(np.sign(step)) for step in steps if np.isfinite(step)}
    return 0 if {1, -1} <= found else 1 if 1 in found else -1 if -1 in found else 0


def _direction(rises: bool, sign: int) -> str:
    if sign == 0:
        return UNKNOWN
    return LOOSER if rises == (sign > 0) else STRICTER

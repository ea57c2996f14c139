"""Which values of each axis the parts of a claim speak of, and that these parts can be compared value by value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Span, listing, problem_at
from ..ir import claims as c
from ..passes.print_claim import claim_text, selection_text

Kept = dict[tuple[str, ...], frozenset[int]]
"""The places that are kept along each dimension: an axis, or axes that go in step."""
MIN_AXIS_VALUES = 2
"""Of how many values along an axis a slope or an order can be told."""


def _selections(tree: Any) -> Iterator[c.Selection]:
    """All conditions on axes in a part of a claim."""
    for part in c.parts(tree):
        if isinstance(part, c.Measured | c.Diverged):
            yield from part.selections


def _named(tree: Any) -> set[str]:
    """The axes that a claim names."""
    along = {part.axis for part in c.parts(tree) if isinstance(part, c.Coordinate | c.Along | c.Over)}
    return along | {one.axis for one in _selections(tree)}


class Reach:
    """The axes of an experiment by dimension; what each part of a claim keeps of them is looked up once."""

    def __init__(self, axes: Mapping[str, Sequence[Any]], zipped: Iterable[tuple[str, ...]]) -> None:
        self.axes = axes
        groups = {axis: group for group in zipped for axis in group}
        self.dimension = {axis: groups.get(axis, (axis,)) for axis in axes}
        self.all = {group: frozenset(range(len(axes[group[0]]))) for group in self.dimension.values()}
        self.known: dict[tuple[c.Selection, ...], Kept] = {}

    def knows(self, tree: Any) -> bool:
        """Whether all axes that a claim names are among these."""
        return all(axis in self.axes for axis in _named(tree))

    def check(self, tree: Any, span: Span) -> None:
        """Raises StudyError where parts of a claim can't be compared, or speak of nothing."""
        self._kept(tree, span, True)

    def _kept(self, tree: Any, span: Span, positive: bool) -> Kept:
        match tree:
            case c.Coordinate(axis):
                group = self.dimension[axis]
                return {group: self.all[group]}
            case c.Measured():
                values = self._chosen(tree.selections, tree, span)
                if tree.reduction == "first_step":
                    return self._met([values, self._kept(tree.threshold, span, True)], tree, span)
                return values
            case c.Diverged(selections):
                return self._chosen(selections, tree, span)
            case c.Along():
                return self._along(tree, span)
            case c.Over():
                return self._over(tree, span)
            case c.OverEntries(_, _, entries):
                return self._met([self._kept(entry, span, True) for entry in entries], tree, span)
            case c.Apply("logical_not", (inner,)):
                return self._kept(inner, span, not positive)
            case c.Apply("logical_and" | "logical_or", arguments):
                both = [self._kept(argument, span, positive) for argument in arguments]
                return self._joined(both, tree, span, (tree.operation == "logical_and") == positive)
            case c.Apply(_, arguments):
                return self._met([self._kept(argument, span, positive) for argument in arguments], tree, span)
        return {}

    def _chosen(self, selections: tuple[c.Selection, ...], tree: Any, span: Span) -> Kept:
        """What conditions leave; a single value that `==` picks makes no axis."""
        if selections in self.known:
            return self.known[selections]
        found = dict(self.all)
        for one in selections:
            group, values = self.dimension[one.axis], self.axes[one.axis]
            found[group] = frozenset(place for place in found[group] if c.holds(one, values[place]))
            if not found[group]:
                known = listing(self._values(group, self.all[group]))
                raise problem_at(
                    span,
                    f"`{claim_text(tree)}` selects no cell: its conditions exclude each other",
                    f"The values of {' and '.join(group)} are {known}.",
                )
        pinned = {self.dimension[one.axis] for one in selections if one.operator == "=="}
        self.known[selections] = {
            group: kept for group, kept in found.items() if not (group in pinned and len(kept) == 1)
        }
        return self.known[selections]

    def _met(self, parts: Sequence[Kept], tree: Any, span: Span) -> Kept:
        """Where operands meet: along each axis at the values of the one that has the fewest, which the others must have."""
        meeting: Kept = {}
        for part in parts:
            for group, kept in part.items():
                held = meeting.get(group, kept)
                if not (held <= kept or kept <= held):
                    raise self._apart(group, held, kept, tree, span)
                meeting[group] = held & kept
        return meeting

    def _joined(self, parts: Sequence[Kept], tree: Any, span: Span, both: bool) -> Kept:
        """Of two conditions that must both hold each holds at its own values; where one is enough they must have the same."""
        joined = {group: kept for part in parts for group, kept in part.items()}
        for group in joined:
            own = [part[group] for part in parts if group in part]
            if len(set(own)) > 1 and not both:
                raise self._apart(group, own[0], own[1], tree, span)
            joined[group] = frozenset().union(*own)
        return joined

    def _over(self, tree: c.Over, span: Span) -> Kept:
        """What is left of what has a value for each value of an axis."""
        group = self.dimension[tree.axis]
        y = dict(self._kept(tree.y, span, True))
        if group not in y:
            message = f"`{claim_text(tree.y)}` has one value along '{tree.axis}', and `{tree.form}` needs several"
            raise problem_at(span, message, self._loosened(tree, group))
        del y[group]
        return y

    def _along(self, tree: c.Along, span: Span) -> Kept:
        group = self.dimension[tree.axis]
        y = self._kept(tree.y, span, True)
        if group not in y:
            message = f"`{claim_text(tree.y)}` has one value along '{tree.axis}', and `{tree.form}` needs several"
            raise problem_at(span, message, self._loosened(tree, group))
        kept_values = self._met([y, self._kept(tree.x, span, True)], tree, span)
        values = {self.axes[tree.axis][place] for place in kept_values.pop(group)}
        if len(values) < MIN_AXIS_VALUES:
            others = [axis for axis in group if axis != tree.axis]
            hint = f"It needs two or more: choose other values, or another axis: {listing(others)}." if others else ""
            message = f"`{claim_text(tree)}` runs along '{tree.axis}', which has a single value here"
            raise problem_at(span, message, hint or "It needs two or more.")
        return kept_values

    def _loosened(self, tree: c.Along | c.Over, group: tuple[str, ...]) -> str:
        """How to make what is one number along an axis a number for each of its values."""
        pins = [one for one in _selections(tree.y) if one.axis in group and one.operator == "=="]
        if not pins:
            return f"Give it something with a value for each '{tree.axis}', such as `final(…)`."
        told = " and ".join(f"`{selection_text(one)}`" for one in dict.fromkeys(pins))
        conditions = "conditions" if len(set(pins)) > 1 else "condition"
        return f"Leave out the {conditions} {told}, or choose several values: `{pins[0].axis} >= …`."

    def _apart(self, group: tuple[str, ...], one: frozenset[int], other: frozenset[int], tree: Any, span: Span) -> Any:
        name = " and ".join(f"'{axis}'" for axis in group)
        sets = [", ".join(self._values(group, kept)) for kept in (one, other)]
        message = f"the parts of `{claim_text(tree)}` have different values of {name}: {sets[0]} against {sets[1]}"
        pin = ", ".join(f"{axis} == {self.axes[axis][min(one)]}" for axis in group)
        alone = f"one value of each in one of them: `{pin}`" if len(group) > 1 else "one value in one of them by `==`"
        hint = f"They are compared value by value: choose the same values in both, or {alone}."
        return problem_at(span, message, hint)

    def _values(self, group: tuple[str, ...], kept: Iterable[int]) -> list[str]:
        every = [self.axes[axis] for axis in group]
        found = ["/".join(str(values[place]) for values in every) for place in sorted(kept)]
        return found if len(found) <= 6 else [*found[:5], f"{len(found) - 5} more"]

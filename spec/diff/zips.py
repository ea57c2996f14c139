"""Axes that go in step, on both sides: which are together, and which of their values meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..ir.plan import ExperimentPlan
from .changes import CLASSES, Change
from .classes import Reach
from .matching import Matching

Group = frozenset[str]
Met = tuple[tuple[str, object], ...]


def zip_changes(name: str, matching: Matching, reach: Reach) -> list[Change]:
    """What changed of `zip`, where that changes which cells there are; in which order it is written is no matter."""
    before = _groups(matching.before.plan, matching.axes)
    after = _groups(matching.after.plan, {})
    values = _values(matching.before.plan, matching), _values(matching.after.plan, None)
    changes: list[Change] = []
    if before != after:
        action = "added" if not before else "removed" if not after else "changed"
        texts = _spelled(before), _spelled(after)
        axes = {axis for group in before ^ after for axis in group}
        return [Change(name, ("zip",), action, *texts, _classes(axes, reach), note="other cells", scope="zip")]
    for group in sorted(before, key=sorted):
        sides = [_met(group, own) for own in values]
        if set(sides[0]) == set(sides[1]) or any(_apart(values, axis) for axis in group):
            continue
        note = f"other values of {_names(group)} meet"
        texts = _meetings(sides[0], sides[1]), _meetings(sides[1], sides[0])
        changes.append(Change(name, ("zip",), "changed", *texts, _classes(group, reach), note=note, scope="zip"))
    return changes


def _groups(plan: ExperimentPlan, names: Mapping[str, str]) -> frozenset[Group]:
    """The axes that go in step under their new names; one by itself is in step with none."""
    return frozenset(frozenset(names.get(axis, axis) for axis in group) for group in plan.zipped if len(group) > 1)


def _values(plan: ExperimentPlan, matching: Matching | None) -> dict[str, tuple[object, ...]]:
    """The values on each axis, all under their new names."""
    if matching is None:
        return dict(plan.axes)
    return {
        matching.axes.get(axis, axis): tuple(matching.names.value(axis, value) for value in values)
        for axis, values in plan.axes.items()
    }


def _met(group: Group, values: Mapping[str, tuple[object, ...]]) -> list[Met]:
    axes = sorted(group)
    return [tuple(zip(axes, met, strict=True)) for met in zip(*(values[axis] for axis in axes), strict=True)]


def _apart(values: tuple[Mapping[str, tuple[object, ...]], ...], axis: str) -> bool:
    """Whether the axis itself has other values: then that is what is said."""
    return set(values[0][axis]) != set(values[1][axis])


def _meetings(here: list[Met], there: list[Met]) -> str:
    """The values that meet on one side alone: `a=1 b=4, a=2 b=3`."""
    return ", ".join(" ".join(f"{axis}={value}" for axis, value in met) for met in here if met not in there)


def _spelled(groups: Iterable[Group]) -> str | None:
    return ", ".join(f"[{', '.join(sorted(group))}]" for group in sorted(groups, key=sorted)) or None


def _names(group: Group) -> str:
    return " and ".join(f"`{axis}`" for axis in sorted(group))


def _classes(axes: Iterable[str], reach: Reach) -> tuple[str, ...]:
    """The classes of the axes that are concerned; of variants and named patches, whatever is trained."""
    found = {part for axis in axes for part in reach.classes(("constants", axis))} - {"text"}
    return tuple(part for part in CLASSES if part in found) or ("training",)

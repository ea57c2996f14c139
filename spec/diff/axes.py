"""The axes of an experiment on both sides: variants, named patches and swept values that were added or removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..expressions.printer import number_text
from .changes import CLASSES, Change, Texts
from .classes import BESIDE_CELLS, Reach
from .matching import Matching
from .paths import Pair, differences
from .settings import Side

BASE_ALONE = "the base by itself"


class AxisComparison:
    """The axes of one experiment on both sides. `describe` gives the change of a path that differs."""

    def __init__(self, name: str, matching: Matching, reach: Reach, describe: Callable[[Pair], Change]) -> None:
        self.name = name
        self.matching = matching
        self.before = matching.before
        self.after = matching.after
        self.reach = reach
        self.describe = describe

    def settings(self) -> list[Change]:
        """Variants and named patches that came or went, with where they differ from the base."""
        changes: list[Change] = []
        kept = {self.matching.now(setting) for setting in self.before.trees}
        axes = self.before.plan.axes, self.after.plan.axes
        if {self.matching.axes.get(axis, axis) for axis in axes[0]} - {"variant"} != set(axes[1]) - {"variant"} and (
            self._patched(0) or self._patched(1)
        ):
            return self._variants(axes[0].get("variant", ()), axes[1].get("variant", ()))
        for side, action in ((self.after, "added"), (self.before, "removed")):
            base = side.base if action == "added" else self.matching.carried(side.base)
            for setting, tree in side.trees.items():
                lone = setting not in kept if action == "added" else self.matching.now(setting) not in self.after.trees
                if not lone:
                    continue
                own = tree if action == "added" else self.matching.carried(tree)
                parts = tuple(
                    self.describe(pair) for pair in differences(base, own) if pair.path[0] not in BESIDE_CELLS
                )
                classes = _classes(parts)
                name = setting.name or BASE_ALONE
                texts: Texts = (None, name) if action == "added" else (name, None)
                scope = "sweep" if setting.patches and not setting.variant else "variant"
                path = ("sweep" if scope == "sweep" else "variants", name)
                changes.append(Change(self.name, path, action, *texts, classes, scope=scope, parts=parts))
        return changes

    def axes(self) -> list[Change]:
        """Sweeps whose values came or went."""
        names = [self.matching.axes.get(axis, axis) for axis in self.before.plan.axes if axis != "variant"]
        every = dict.fromkeys([*names, *(axis for axis in self.after.plan.axes if axis != "variant")])
        changes = []
        for axis in every:
            old = next((name for name, new in self.matching.axes.items() if new == axis), axis)
            pair = axis_values(self.before, old), axis_values(self.after, axis)
            if pair[0] is None or pair[1] is None or (_marked(pair[0]) != _marked(pair[1]) and not _named_values(pair)):
                changes.append(self.axis(axis, *pair))
        return changes

    def axis(self, axis: str, before: Sequence[object] | None, after: Sequence[object] | None) -> Change:
        """The change of one axis, whose values are None where there is no such axis."""
        action = "added" if before is None else "removed" if after is None else "changed"
        texts: Texts = (_list(before), _list(after))
        note = ""
        if before is not None and after is not None:
            fresh = [_shown(value) for value in after if value not in before]
            gone = [_shown(value) for value in before if value not in after]
            parts = [f"{', '.join(fresh)} added"] * bool(fresh) + [f"{', '.join(gone)} removed"] * bool(gone)
            note = "; ".join([*parts, *_kinds(before, after)])
        classes = self.reach.classes(("constants", axis)) if not _named_values((before, after)) else ("training",)
        return Change(self.name, ("sweep", axis), action, *texts, classes, note=note, scope="sweep")

    def _variants(self, before: Sequence[str], after: Sequence[str]) -> list[Change]:
        """Variants that came or went where the other axes did too: by name alone."""
        old = [self.matching.names.value("variant", name) for name in before]
        gone, fresh = [name for name in old if name not in after], [name for name in after if name not in old]
        return [
            Change(self.name, ("variants", name), action, before, after, ("training",), scope="variant")
            for action, name, before, after in (
                *(("removed", name, name, None) for name in gone),
                *(("added", name, None, name) for name in fresh),
            )
        ]

    def _patched(self, which: int) -> bool:
        side = (self.before, self.after)[which]
        return any(setting.patches for setting in side.trees)


def axis_values(side: Side, axis: str) -> tuple[object, ...] | None:
    """The values on an axis; None where there is no such axis."""
    values = side.plan.axes.get(axis)
    return None if values is None else tuple(values)


def _classes(parts: Sequence[Change]) -> tuple[str, ...]:
    found = {name for part in parts for name in part.classes}
    return tuple(name for name in CLASSES if name in found) or ("text",)


def _marked(values: Sequence[object]) -> set[object]:
    """Values with their kinds: 1 and 1.0 are two."""
    return {(repr(value), value) for value in values}


def _kinds(before: Sequence[object], after: Sequence[object]) -> list[str]:
    """The values that are the same number of another kind."""
    there = {value: value for value in before}
    kinds = [(there[value], value) for value in after if value in there and repr(there[value]) != repr(value)]
    return [f"{_shown(old)} → {_shown(new)}: another kind of number" for old, new in kinds]


def _named_values(pair: Sequence[Sequence[object] | None]) -> bool:
    """Whether an axis is one of named patches: these are reported each by itself."""
    return any(isinstance(value, str) for values in pair for value in values or ())


def _list(values: Sequence[object] | None) -> str | None:
    return None if values is None else f"[{', '.join(map(_shown, values))}]"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

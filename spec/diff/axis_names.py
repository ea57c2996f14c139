"""Finds renamed variants, renamed axes of named patches, and renamed values on these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from .classes import BESIDE_CELLS
from .equivalence import means_the_same
from .likeness import Parts, assigned, written_parts
from .paths import differences
from .renames import JUDGED, Renames, uses
from .settings import AxisNames, Setting, Side
from .swaps import exchanged
from .trees import Branch

Patches = Mapping[str, Mapping[str, Any]]


def axis_names(before: Side, after: Side, renames: Renames) -> AxisNames:
    """The new names of variants, and of axes and values of named patches: of what means the same, else of what is most alike.

    Args:
        before: The older side.
        after: The newer side.
        renames: The names that were found inside the experiment.
    """
    old, new = _axes(before), _axes(after)
    gone = {axis: _axis_parts(patches) for axis, patches in old.items() if axis not in new}
    fresh = {axis: _axis_parts(patches) for axis, patches in new.items() if axis not in old}
    names = AxisNames(assigned(gone, fresh))
    for axis, patches in old.items():
        now = names.axes.get(axis, axis)
        if now in new and patches != new[now]:
            values = _Values(before, after, renames, axis, names).renamed(patches, new[now])
            if values:
                names.values[axis] = values
    return names


class _Values:
    """The values of one axis on both sides."""

    def __init__(self, before: Side, after: Side, renames: Renames, axis: str, names: AxisNames) -> None:
        self.before = before
        self.after = after
        self.renames = renames
        self.axis = axis
        self.names = names

    def renamed(self, old: Patches, new: Patches) -> dict[str, str]:
        """Old name to new."""
        new_names = exchanged(old, new, lambda a, b: a == b, _key)
        gone = [name for name in old if name not in new and name not in new_names]
        fresh = [name for name in new if name not in old and name not in new_names.values()]
        if not gone or not fresh:
            return new_names
        for name in list(gone):
            twin = next((other for other in fresh if self._means(name, other)), None)
            if twin is not None:
                gone.remove(name)
                fresh.remove(twin)
                new_names[name] = twin
        judged = (self.renames.carried(self.before.whole), self.after.whole)
        used = [uses(Branch({key: side.entries[key] for key in JUDGED if key in side.entries})) for side in judged]
        parts = [
            {name: written_parts(patches[name]) + Counter(used[which].get(name, [])) for name in names}
            for which, (patches, names) in enumerate(((old, gone), (new, fresh)))
        ]
        return new_names | assigned(*parts)

    def _means(self, old: str, new: str) -> bool:
        """Whether a value means what another one means on the newer side, in the first setting that both are in."""
        names = AxisNames(self.names.axes, {**self.names.values, self.axis: {old: new}})
        for setting, tree in self.before.trees.items():
            now = names.now(setting)
            if now in self.after.trees and _value(setting, self.axis) == old:
                points = self.after.programs[now]
                programs = [(p, points[at]) for at, p in self.before.programs[setting].items() if at in points]
                pairs = differences(_cell_part(self.renames.carried(tree)), _cell_part(self.after.trees[now]))
                return all(means_the_same(pair, programs) for pair in pairs)
        return False


def _key(value: Any) -> Hashable:
    """The same for equal patches, and for no others.

    >>> _key({"a": [1, {}], "b": 2}) == _key({"b": 2.0, "a": [1, {}]}) != _key({"a": [1, {}], "b": 3})
    True
    """
    if isinstance(value, Mapping):
        return frozenset((name, _key(below)) for name, below in value.items())
    return tuple(map(_key, value)) if isinstance(value, list | tuple) else value


def _axes(side: Side) -> dict[str, Patches]:
    """The axes of named patches, each with its patches as they are written."""
    axes: dict[str, Patches] = {"variant": side.plan.model.variants} if side.plan.model.variants else {}
    return axes | {axis: values for axis, values in side.plan.model.sweep.items() if isinstance(values, dict)}


def _value(setting: Setting, axis: str) -> str:
    return setting.variant if axis == "variant" else dict(setting.patches).get(axis, "")


def _axis_parts(patches: Patches) -> Parts:
    return sum((written_parts(patch) + Counter([name]) for name, patch in patches.items()), Counter())


def _cell_part(tree: Branch) -> Branch:
    """What of a tree differs from value to value."""
    return Branch({key: inner for key, inner in tree.entries.items() if key not in BESIDE_CELLS})

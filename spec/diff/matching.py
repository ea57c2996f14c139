"""Matches the older version of an experiment with the newer one: names, variants, settings and cells."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.plan import Program
from .cells import Pairs, paired
from .classes import BESIDE_CELLS
from .equivalence import means_the_same
from .paths import differences
from .renames import Renames, find
from .settings import Setting, Side, renamed
from .trees import Branch


class Matching:
    """An experiment on both sides, with the new name of whatever was renamed."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self.variants: dict[str, str] = {}
        self.renames = self._renames()
        self.constants = self.renames.of({"constant"})

    def carried(self, tree: Branch) -> Branch:
        """A tree of the older side with the new names."""
        return self.renames.carried(tree)

    def now(self, setting: Setting) -> Setting:
        """A setting of the older side under its new name."""
        return Setting(self.variants.get(setting.variant, setting.variant), setting.patches)

    def common(self, before: Side, after: Side) -> list[tuple[Setting, Setting]]:
        """Settings that are on both sides, the older name first."""
        return [(setting, self.now(setting)) for setting in before.trees if self.now(setting) in after.trees]

    def programs(self, before: Side, after: Side, old: Setting, new: Setting) -> list[tuple[Program, Program]]:
        """The programs of a setting that are on both sides, the older one first."""
        theirs = {renamed(point, self.constants): program for point, program in before.programs[old].items()}
        return [(theirs[point], program) for point, program in after.programs[new].items() if point in theirs]

    def pairs(self) -> Pairs:
        """The programs of both sides, side by side."""
        return paired(self.before, self.after, self.variants, self.constants)

    def place(self, pair: tuple[Program | None, Program | None]) -> Mapping[str, object]:
        """Where a cell stands on the axes, by their new names."""
        before, after = pair
        if after is not None:
            return after.place
        assert before is not None
        point = {self.constants.get(axis, axis): value for axis, value in before.point.items()}
        return {"variant": self.variants.get(before.variant, before.variant), **point}

    def _renames(self) -> Renames:
        whole = self.before.whole, self.after.whole
        renames = find(*whole, {})
        gone = [setting for setting in self.before.trees if setting not in self.after.trees and setting.variant]
        fresh = [setting for setting in self.after.trees if setting not in self.before.trees and setting.variant]
        for setting in gone:
            mine = _cell_part(renames.carried(self.before.trees[setting]))
            twin = next((new for new in fresh if self._twins(setting, new, mine)), None)
            if twin is not None:
                fresh.remove(twin)
                self.variants[setting.variant] = twin.variant
        return find(*whole, self.variants) if self.variants else renames

    def _twins(self, old: Setting, new: Setting, mine: Branch) -> bool:
        free = old.variant not in self.after.plan.axes.get("variant", ()) and new.variant not in self.variants.values()
        free = free and new.variant not in self.before.plan.axes.get("variant", ())
        if not free or old.patches != new.patches:
            return False
        points = self.after.programs[new]
        programs = [(program, points[point]) for point, program in self.before.programs[old].items() if point in points]
        return all(means_the_same(pair, programs) for pair in differences(mine, _cell_part(self.after.trees[new])))


def _cell_part(tree: Branch) -> Branch:
    """What of a tree differs from variant to variant."""
    return Branch({key: inner for key, inner in tree.entries.items() if key not in BESIDE_CELLS})

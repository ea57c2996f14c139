"""Matches the older version of an experiment with the newer one: names, variants, settings and cells."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ..ir.plan import Program
from ..passes.digests import Digests
from .axis_names import axis_names
from .cells import Pairs, paired
from .classes import Reach
from .renames import Renames, find
from .settings import AxisNames, Setting, Side, renamed
from .trees import Branch


class Matching:
    """An experiment on both sides, with the new name of whatever was renamed."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self.digests = Digests()
        self.settings: dict[tuple[int, int], Setting] = {}
        self.renames = self._renames()
        self.names = self.renames.axes
        self.constants = self.renames.of({"constant"})
        self.axes = {**self.constants, **self.names.axes}

    def carried(self, tree: Branch) -> Branch:
        """A tree of the older side with the new names."""
        return self.renames.carried(tree)

    def now(self, setting: Setting) -> Setting:
        """A setting of the older side under its new name."""
        return self.names.now(setting)

    def common(self, before: Side, after: Side) -> list[tuple[Setting, Setting]]:
        """Settings that are on both sides, the older name first."""
        return [(setting, self.now(setting)) for setting in before.trees if self.now(setting) in after.trees]

    def programs(self, before: Side, after: Side, old: Setting, new: Setting) -> list[tuple[Program, Program]]:
        """The programs of a setting that are on both sides, the older one first."""
        theirs = {renamed(point, self.constants): program for point, program in before.programs[old].items()}
        return [(theirs[point], program) for point, program in after.programs[new].items() if point in theirs]

    @cached_property
    def pairs(self) -> Pairs:
        """The programs of both sides, side by side."""
        return paired(self.before, self.after, self.names, self.constants, self.digests)

    def place(self, pair: tuple[Program | None, Program | None]) -> Mapping[str, object]:
        """Where a cell stands on the axes, by their new names."""
        before, after = pair
        if after is not None:
            return after.place
        assert before is not None
        point = {self.axes.get(axis, axis): self.names.value(axis, value) for axis, value in before.point.items()}
        return {"variant": self.names.value("variant", before.variant), **point}

    @cached_property
    def reach(self) -> Reach:
        """What is made from each name, on both sides."""
        after = self.after
        return Reach([*after.trees.values(), after.base, *map(self.carried, self.before.trees.values())])

    def setting(self, program: Program, side: int) -> Setting:
        """The setting of a program of the older (0) or the newer (1) side."""
        if not self.settings:
            for number, own in enumerate((self.before, self.after)):
                for setting, points in own.programs.items():
                    self.settings.update({(number, id(found)): setting for found in points.values()})
        return self.settings[side, id(program)]

    def _renames(self) -> Renames:
        whole = self.before.whole, self.after.whole
        renames = find(*whole, AxisNames())
        axes = axis_names(self.before, self.after, renames)
        return find(*whole, axes) if axes.axes or axes.values else renames

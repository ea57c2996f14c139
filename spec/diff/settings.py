"""An experiment on one side: a tree for each way its base is patched, and the programs that run with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ir.plan import ExperimentPlan, Program
from ..model.layers import LayerDefaults
from .trees import Branch, Kept, Tree, defaults_tree, experiment_tree

Point = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Setting:
    """A variant, and the named patches of a sweep, that are laid over the base."""

    variant: str = ""
    patches: Point = ()

    @property
    def name(self) -> str:
        """What people call it."""
        words = [*([self.variant] if self.variant else []), *(f"{axis}={value}" for axis, value in self.patches)]
        return " ".join(words)


@dataclass
class AxisNames:
    """New names of axes whose values are named, `variant` among them, and of these values."""

    axes: dict[str, str] = field(default_factory=dict)
    """Old name of an axis to new; not of swept constants."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """By an axis' old name: old name of a value to new."""

    def listed(self) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
        """Each new name: the path of what it is of, what that is called, and the old and the new name."""
        for old, new in self.axes.items():
            yield ("sweep", old), "sweep", old, new
        for axis, values in self.values.items():
            path = ("variants",) if axis == "variant" else ("sweep", axis)
            kind = "variant" if axis == "variant" else f"value of `{axis}`"
            yield from (((*path, old), kind, old, new) for old, new in values.items())

    def now(self, setting: Setting) -> Setting:
        """A setting of the older side under its new name."""
        if not self.axes and not self.values:
            return setting
        patches = ((self.axes.get(axis, axis), self.value(axis, value)) for axis, value in setting.patches)
        return Setting(self.value("variant", setting.variant), tuple(patches))

    def value(self, axis: str, value: Any) -> Any:
        """A value on an axis of the older side, under its new name if it has one."""
        names = self.values.get(axis)
        return names.get(value, value) if names and isinstance(value, str) else value


@dataclass
class Side:
    """An experiment in one profile, with its trees and programs by setting."""

    plan: ExperimentPlan
    base: Branch
    defaults: Branch
    """What `layer_defaults` say, the study's and the experiment's together."""
    trees: dict[Setting, Branch] = field(default_factory=dict)
    programs: dict[Setting, dict[Point, Program]] = field(default_factory=dict)

    @property
    def whole(self) -> Branch:
        """All that is written in any setting, under one roof: what the first setting says comes first."""
        union = self.base
        for tree in self.trees.values():
            union = _united(union, tree)
        return union


def side(plan: ExperimentPlan, defaults: LayerDefaults) -> Side:
    """An experiment's trees; models that sweep points share are made into one."""
    made: dict[int, Branch] = {}
    kept: Kept = {}

    def tree(model: Any) -> Branch:
        if id(model) not in made:
            made[id(model)] = experiment_tree(model, defaults, kept)
        return made[id(model)]

    trees = Side(plan, tree(plan.model), defaults_tree(plan.model, defaults))
    for program, model in zip(plan.programs, plan.models, strict=True):
        patches = tuple((axis, value) for axis, value in program.point.items() if isinstance(value, str))
        numbers = tuple((axis, value) for axis, value in program.point.items() if not isinstance(value, str))
        setting = Setting(program.variant, patches)
        trees.trees.setdefault(setting, tree(model))
        trees.programs.setdefault(setting, {})[numbers] = program
    return trees


def renamed(point: Point, names: Mapping[str, str]) -> Point:
    """A point with its swept constants under their new names."""
    return tuple((names.get(axis, axis), value) for axis, value in point)


def _united(a: Tree, b: Tree) -> Any:
    if isinstance(a, Branch) and isinstance(b, Branch) and a.head == b.head:
        entries = dict(a.entries)
        for key, inner in b.entries.items():
            entries[key] = _united(entries[key], inner) if key in entries else inner
        return Branch(entries, a.head, a.usual)
    return a

"""Two versions of one experiment: which paths differ, in which cells, and what becomes of the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..model.layers import LayerDefaults
from ..tables.gradient_modes import DEFAULT_MODE
from .axes import AxisComparison
from .cells import cells
from .changes import CLASSES, Cell, Change, Edit, Texts, Warned, Where
from .claims import compare_claims, described, direction_of, unmoved
from .classes import BESIDE_CELLS, BORROWED
from .effects import SAME_VALUES, borne_out
from .equivalence import keeps_meaning, means_the_same
from .expressions import commuted, edits, kinds_that_differ
from .judged_on import JudgedOn
from .matching import Matching
from .paths import Pair, differences
from .renames import SEEDING
from .seeding import SAME_DISTRIBUTION
from .settings import Setting, Side
from .trees import Branch, Expression, same, spell
from .zips import zip_changes


@dataclass
class Result:
    """What was found of one experiment."""

    changes: list[Change] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    profiles: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    """Its cells in each profile that patches it on either side."""


@dataclass
class _Group:
    """One change, with the settings that have it."""

    pair: Pair
    settings: list[Setting] = field(default_factory=list)


class Comparison:
    """One experiment on both sides, without a profile or in one."""

    def __init__(self, name: str, before: Side, after: Side) -> None:
        self.name = name
        self.before = before
        self.after = after
        self.matching = Matching(before, after)
        self.judged = JudgedOn(self.matching)
        self.warnings, self.reasons = compare_claims(name, self.judged)
        self.reach = self.matching.reach
        self.axes = AxisComparison(name, self.matching, self.reach, self._of_pair)

    def result(self) -> Result:
        """All that differs."""
        result = Result()
        result.changes += self._renamed()
        groups = self._groups(self.before, self.after)
        total = len(self.matching.common(self.before, self.after))
        result.changes += [self._change(group, total) for group in self._with_defaults(groups)]
        result.changes += self.axes.settings() + self.axes.axes() + zip_changes(self.name, self.matching, self.reach)
        result.cells = cells(self.matching.pairs, self.matching.renames.of({"measure"}), self.matching.digests)
        result.warnings = self.warnings
        result.changes = borne_out(self.name, result.changes, result.cells, renamed=self.before.plan.name != self.name)
        result.changes.sort(key=lambda change: (CLASSES.index(change.classes[0]), bool(change.scope)))
        return result

    def _renamed(self) -> list[Change]:
        changes = []
        for item in self.matching.renames.found:
            seeds = item.kind in SEEDING
            path = (*item.place, item.old)
            classes = self.reach.classes((*item.place, item.new)) if seeds else ("text",)
            note = SAME_DISTRIBUTION if seeds else "no result depends on this name"
            changes.append(
                Change(self.name, path, "renamed", item.old, item.new, classes, note=note, scope=item.kind, seeds=seeds)
            )
        note = "no result depends on this name"
        for old, new in self.judged.families.renamed.items():
            path = ("claims", "family", old)
            changes.append(Change(self.name, path, "renamed", old, new, ("text",), note=note, scope="family"))
        for path, kind, old, new in self.matching.names.listed():
            changes.append(Change(self.name, path, "renamed", old, new, ("text",), note=note, scope=kind))
        return changes

    # -- paths -------------------------------------------------------------------------------------------------------

    def _groups(self, before: Side, after: Side) -> dict[object, _Group]:
        """The paths that differ, each with the settings in which they do."""
        groups: dict[object, _Group] = {}
        seen: dict[tuple[int, int], list[Pair]] = {}
        for old, new in self.matching.common(before, after):
            trees = before.trees[old], after.trees[new]
            place = (id(trees[0]), id(trees[1]))
            if place not in seen:
                seen[place] = differences(self.matching.carried(trees[0]), trees[1])
            programs = self.matching.programs(before, after, old, new)
            for pair in seen[place]:
                said = pair.path[0] != "claims" or not self._same_claim(pair)
                if said and not means_the_same(pair, programs) and not _unread(pair, trees):
                    groups.setdefault(pair.key, _Group(pair)).settings.append(new)
        if not seen:  # no cell is on both sides: what is left to compare is the base
            for pair in differences(self.matching.carried(before.base), after.base):
                groups[pair.key] = _Group(pair, [Setting()])
        return groups

    def _same_claim(self, pair: Pair) -> bool:
        """Whether what a claim says at a path is the same in other words: its check, or a family under another name."""
        if pair.path[2:] == ("family",) and pair.before is not None:
            return self.judged.families.renamed.get(spell(pair.before)) == spell(pair.after)
        return pair.path[2:] == ("check",) and unmoved(self.judged, pair.path[1])

    def _with_defaults(self, groups: Mapping[object, _Group]) -> list[_Group]:
        return _by_defaults(groups, self.before.defaults, self.after.defaults)

    def _change(self, group: _Group, total: int) -> Change:
        pair = group.pair
        variants = tuple(setting.name for setting in group.settings) if len(group.settings) < total else ()
        change = replace(self._of_pair(pair), where=Where(variants if pair.path[0] not in BESIDE_CELLS else ()))
        if not self._put_otherwise(pair):
            return change
        return replace(change, classes=("text",), note=SAME_VALUES, opened=True)

    def _put_otherwise(self, pair: Pair) -> bool:
        """Whether a constant, function or output came or went and all that is made from it means what it did."""
        if pair.path[0] not in BORROWED or len(pair.path) != 2 or (pair.before is None) == (pair.after is None):
            return False
        roots = self.reach.roots(pair.path[1])
        common = self.matching.common(self.before, self.after)
        programs = [both for old, new in common for both in self.matching.programs(self.before, self.after, old, new)]
        return bool(roots) and all(keeps_meaning(path, programs) for path in roots)

    def _of_pair(self, pair: Pair) -> Change:
        before, after = pair.before, pair.after
        action = "added" if before is None else "removed" if after is None else "changed"
        texts: Texts = (None if before is None else spell(before), None if after is None else spell(after))
        if pair.path[0] == "gradient":  # a mode that is not said is the default
            action, texts = "changed", (texts[0] or DEFAULT_MODE.name, texts[1] or DEFAULT_MODE.name)
        if pair.moved is not None:
            return Change(self.name, pair.path, "moved", *pair.moved, self.reach.classes(pair.path))
        parts: tuple[Edit, ...] = ()
        order = False
        if isinstance(before, Expression) and isinstance(after, Expression):
            parts = edits(before.tree, after.tree)
            order = bool(commuted(before.form) == commuted(after.form))
        reasons = self.reasons.get(pair.path[:3], ())
        note = described(reasons)
        if order:
            note = "the same value, its operands in another order: digests differ, numbers by rounding"
        elif isinstance(before, Expression) and isinstance(after, Expression) and not note:
            note = kinds_that_differ(before.form, after.form)
        direction = direction_of(reasons) if reasons else ""
        classes = self.reach.classes(pair.path)
        if self.reach.stops(pair.path):
            note = "`until` is checked when measures are taken, so training may stop at another step"
        elif pair.path[0] == "measures" and "training" in classes:
            note = "`until` depends on it, so training may stop at another step"
        return Change(
            self.name, pair.path, action, *texts, classes, parts, note=note, respelled=order, direction=direction
        )


def _unread(pair: Pair, trees: tuple[Branch, Branch]) -> bool:
    """Whether a number of test examples is one that is not read, since `task.data` says it on that side."""
    if pair.path != ("training", "evaluate", "examples"):
        return False
    tasks = [tree.entries.get("task") for tree in trees]
    return any(isinstance(task, Branch) and isinstance(task.entries.get("data"), Branch) for task in tasks)


def _by_defaults(groups: Mapping[object, _Group], before: Branch, after: Branch) -> list[_Group]:
    """Groups, with what `layer_defaults` changed in layers as one change of theirs."""
    found: dict[object, _Group] = {}
    for key, group in groups.items():
        pair = group.pair
        if not _general(pair, before, after):
            found[key] = group
            continue
        path = ("layer_defaults", pair.path[-1])
        held = found.setdefault((path, *pair.key[1:]), _Group(replace(pair, path=path)))
        held.settings = list(dict.fromkeys([*held.settings, *group.settings]))
    return list(found.values())


def _general(pair: Pair, before: Branch, after: Branch) -> bool:
    """Whether a layer's argument changed because the general one did."""
    name = pair.path[-1]
    if "layers" not in pair.path or name not in LayerDefaults.model_fields:
        return False
    general = before.entries.get(name), after.entries.get(name)
    own = (pair.before, pair.after)
    return not same(*general) and all(g is None or same(g, o) for g, o in zip(general, own, strict=True))

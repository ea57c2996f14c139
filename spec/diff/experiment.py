"""Two versions of one experiment: which paths differ, in which cells, and what becomes of the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..diagnostics.problems import listing
from ..expressions.printer import number_text
from ..ir.plan import Program
from ..model.layers import LayerDefaults
from . import claims as judged
from .cells import cells, paired
from .changes import CLASSES, Cell, Change, Edit, Texts, Warned, Where
from .classes import BORROWED, NAMED, Reach, own_class
from .equivalence import keeps_meaning, means_the_same, measured_otherwise
from .expressions import commuted, edits, kinds_that_differ
from .paths import Pair, differences
from .renames import SEEDING, Renames, find
from .settings import Setting, Side, renamed
from .trees import Branch, Expression, same, spell

BASE = "the base by itself"
OPENED = "the same by meaning: what is made from it is what it was"
KEPT = ("same", "steps")
"""What becomes of cells whose digests stay."""
BESIDE_CELLS = ("claims", "figures", "about")
"""Parts that are the same in every cell, and in no cell's meaning."""


@dataclass
class Result:
    """What was found of one experiment."""

    changes: list[Change] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)


@dataclass
class _Group:
    """One change, with the settings that have it."""

    pair: Pair
    settings: list[Setting] = field(default_factory=list)


class Comparison:
    """One experiment on both sides, in its default form and in profiles."""

    def __init__(self, name: str, before: Side, after: Side, profiles: Mapping[str, tuple[Side, Side]]) -> None:
        self.name = name
        self.before = before
        self.after = after
        self.profiles = profiles
        self.variants: dict[str, str] = {}
        self.renames = self._renames()
        self.constants = self.renames.of({"constant"})
        self.notes: dict[tuple[str, ...], str] = {}
        self.warnings = self._judged()
        self.reach = Reach([*after.trees.values(), after.base, *map(self.carried, before.trees.values())])

    def result(self) -> Result:
        """All that differs."""
        result = Result()
        result.changes += self._renamed()
        groups = self._groups(self.before, self.after)
        kept = [
            self._change(group, len(self._common(self.before, self.after))) for group in self._with_defaults(groups)
        ]
        result.changes += [change for change in kept if change is not None]
        result.changes += self._settings() + self._axes()
        for profile, (old, new) in self.profiles.items():
            result.changes += self._in_profile(profile, old, new, groups)
        pairs = paired(self.before, self.after, self.variants, self.constants)
        result.cells = cells(pairs, self.renames.of({"measure"}))
        result.warnings = self.warnings
        result.changes = self._effective(result.changes, result.cells)
        result.changes.sort(key=lambda change: (CLASSES.index(change.classes[0]), bool(change.scope)))
        return result

    def carried(self, tree: Branch) -> Branch:
        """A tree of the older side with the new names."""
        return self.renames.carried(tree)

    # -- names -------------------------------------------------------------------------------------------------------

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

    def _renamed(self) -> list[Change]:
        changes = []
        for item in self.renames.found:
            seeds = item.kind in SEEDING
            path = (*item.place, item.old)
            classes = self.reach.classes((*item.place, item.new)) if seeds else ("text",)
            note = "the same distribution, and new random numbers" if seeds else "no result depends on this name"
            changes.append(
                Change(self.name, path, "renamed", item.old, item.new, classes, note=note, scope=item.kind, seeds=seeds)
            )
        for old, new in self.variants.items():
            note = "no result depends on this name"
            changes.append(
                Change(self.name, ("variants", old), "renamed", old, new, ("text",), note=note, scope="variant")
            )
        return changes

    # -- paths -------------------------------------------------------------------------------------------------------

    def _now(self, setting: Setting) -> Setting:
        return Setting(self.variants.get(setting.variant, setting.variant), setting.patches)

    def _common(self, before: Side, after: Side) -> list[tuple[Setting, Setting]]:
        """Settings that are on both sides, the older name first."""
        return [(setting, self._now(setting)) for setting in before.trees if self._now(setting) in after.trees]

    def _groups(self, before: Side, after: Side) -> dict[object, _Group]:
        """The paths that differ, each with the settings in which they do."""
        groups: dict[object, _Group] = {}
        seen: dict[tuple[int, int], list[Pair]] = {}
        for old, new in self._common(before, after):
            trees = before.trees[old], after.trees[new]
            place = (id(trees[0]), id(trees[1]))
            if place not in seen:
                seen[place] = differences(self.carried(trees[0]), trees[1])
            programs = self._programs(before, after, old, new)
            for pair in seen[place]:
                if not means_the_same(pair, programs):
                    groups.setdefault(pair.key, _Group(pair)).settings.append(new)
        if not seen:  # no cell is on both sides: what is left to compare is the base
            for pair in differences(self.carried(before.base), after.base):
                groups[pair.key] = _Group(pair, [Setting()])
        return groups

    def _with_defaults(self, groups: Mapping[object, _Group]) -> list[_Group]:
        return _by_defaults(groups, self.before.defaults, self.after.defaults)

    def _programs(self, before: Side, after: Side, old: Setting, new: Setting) -> list[tuple[Program, Program]]:
        theirs = {renamed(point, self.constants): program for point, program in before.programs[old].items()}
        return [(theirs[point], program) for point, program in after.programs[new].items() if point in theirs]

    def _change(self, group: _Group, total: int, profile: str = "") -> Change | None:
        pair = group.pair
        variants = tuple(setting.name for setting in group.settings) if len(group.settings) < total else ()
        where = Where(variants if pair.path[0] not in BESIDE_CELLS else (), (profile,) if profile else ())
        found = replace(self._of_pair(pair), where=where)
        return (
            found
            if profile or not self._put_otherwise(pair)
            else replace(found, classes=("text",), note=OPENED, opened=True)
        )

    def _put_otherwise(self, pair: Pair) -> bool:
        """Whether a constant, function or output came or went and all that is made from it means what it did."""
        if pair.path[0] not in BORROWED or len(pair.path) != 2 or (pair.before is None) == (pair.after is None):
            return False
        roots = self.reach.roots(pair.path[1])
        common = self._common(self.before, self.after)
        programs = [both for old, new in common for both in self._programs(self.before, self.after, old, new)]
        return bool(roots) and all(keeps_meaning(path, programs) for path in roots)

    def _of_pair(self, pair: Pair) -> Change:
        before, after = pair.before, pair.after
        action = "added" if before is None else "removed" if after is None else "changed"
        texts: Texts = (None if before is None else spell(before), None if after is None else spell(after))
        if pair.path[0] == "gradient":  # a mode that is not said is the exact one
            action, texts = "changed", (texts[0] or "exact", texts[1] or "exact")
        parts: tuple[Edit, ...] = ()
        order = False
        if isinstance(before, Expression) and isinstance(after, Expression):
            parts = edits(before.tree, after.tree)
            order = bool(commuted(before.form) == commuted(after.form))
        note = self.notes.get(pair.path, "")
        if order:
            note = "the same value, its operands in another order: digests differ, numbers by rounding"
        elif isinstance(before, Expression) and isinstance(after, Expression) and not note:
            note = kinds_that_differ(before.form, after.form)
        classes = self.reach.classes(pair.path)
        return Change(self.name, pair.path, action, *texts, classes, parts, note=note, respelled=order)

    def _in_profile(self, profile: str, before: Side, after: Side, usual: Mapping[object, _Group]) -> list[Change]:
        """What differs in a profile, and not as it does outside it."""
        groups = {key: group for key, group in self._groups(before, after).items() if key not in usual}
        groups = {key: group for key, group in groups.items() if group.pair.path[0] not in BESIDE_CELLS}
        total = len(self._common(before, after))
        found = [self._change(group, total, profile) for group in self._with_defaults(groups)]
        own = [axis for axis in after.plan.axes if _values(before, axis) != _values(after, axis)]
        for axis in own:
            pair = _values(before, axis), _values(after, axis)
            if axis != "variant" and pair != (_values(self.before, axis), _values(self.after, axis)):
                found.append(replace(self._axis(axis, *pair), where=Where((), (profile,))))
        return [change for change in found if change is not None]

    # -- variants and sweeps -----------------------------------------------------------------------------------------

    def _settings(self) -> list[Change]:
        """Variants and named patches that came or went, with where they differ from the base."""
        changes: list[Change] = []
        kept = {self._now(setting) for setting in self.before.trees}
        axes = self.before.plan.axes, self.after.plan.axes
        if set(axes[0]) - {"variant"} != set(axes[1]) - {"variant"} and (self._patched(0) or self._patched(1)):
            return self._variants(axes[0].get("variant", ()), axes[1].get("variant", ()))
        for side, action in ((self.after, "added"), (self.before, "removed")):
            base = side.base if action == "added" else self.carried(side.base)
            for setting, tree in side.trees.items():
                lone = setting not in kept if action == "added" else self._now(setting) not in self.after.trees
                if not lone:
                    continue
                own = tree if action == "added" else self.carried(tree)
                parts = tuple(
                    self._of_pair(pair) for pair in differences(base, own) if pair.path[0] not in BESIDE_CELLS
                )
                classes = _classes(parts)
                name = setting.name or BASE
                texts: Texts = (None, name) if action == "added" else (name, None)
                scope = "sweep" if setting.patches and not setting.variant else "variant"
                path = ("sweep" if scope == "sweep" else "variants", name)
                changes.append(Change(self.name, path, action, *texts, classes, scope=scope, parts=parts))
        return changes

    def _variants(self, before: Sequence[str], after: Sequence[str]) -> list[Change]:
        """Variants that came or went where the other axes did too: by name alone."""
        old = [self.variants.get(name, name) for name in before]
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

    def _axes(self) -> list[Change]:
        """Sweeps whose values came or went."""
        names = [self.constants.get(axis, axis) for axis in self.before.plan.axes if axis != "variant"]
        every = dict.fromkeys([*names, *(axis for axis in self.after.plan.axes if axis != "variant")])
        changes = []
        for axis in every:
            old = next((name for name, new in self.constants.items() if new == axis), axis)
            pair = _values(self.before, old), _values(self.after, axis)
            if pair[0] is None or pair[1] is None or (_marked(pair[0]) != _marked(pair[1]) and not _named_values(pair)):
                changes.append(self._axis(axis, *pair))
        return changes

    def _axis(self, axis: str, before: Sequence[object] | None, after: Sequence[object] | None) -> Change:
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

    # -- effects -----------------------------------------------------------------------------------------------------

    def _effective(self, changes: list[Change], candidates: list[Cell]) -> list[Change]:
        """Changes with the classes that the digests bear out, and one for a digest that differs for no path."""
        by_setting: dict[str, list[Cell]] = {}
        for cell in candidates:
            if cell.before is not None and cell.after is not None:
                patches = tuple((axis, value) for axis, value in cell.point.items() if isinstance(value, str))
                by_setting.setdefault(Setting(cell.variant, patches).name, []).append(cell)
        effective = [self._borne_out(change, by_setting) for change in changes]
        if self.before.plan.name != self.name or any(change.seeds for change in effective):
            return effective
        unexplained = []
        for name, own in by_setting.items():
            reasons = [c for c in effective if _in_setting(c, name) and not c.where.profiles and c.classes != ("text",)]
            reasons = [c for c in reasons if c.scope in ("", "sweep") and c.classes[0] not in ("claim", "figure")]
            if any(cell.status not in KEPT for cell in own) and not reasons:
                unexplained.append(name)
        dead = [c for c in effective if c.classes == ("text",) and not c.scope and c.path[0] in (*NAMED, "gradient")]
        if unexplained and dead:  # what seemed to be used by nothing is used after all
            trained = any(cell.status == "again" for name in unexplained for cell in by_setting[name])
            classes = {id(change): (own_class(change.path) if trained else "measure",) for change in dead}
            return [replace(change, classes=classes.get(id(change), change.classes)) for change in effective]
        if unexplained:
            note = "the same by meaning, computed in another way: the digest differs, and numbers may in their rounding"
            where = Where(tuple(unexplained) if len(unexplained) < len(by_setting) else ())
            effective.append(
                Change(self.name, ("spelling",), "changed", None, None, ("training",), where=where, note=note)
            )
        return effective

    def _borne_out(self, change: Change, by_setting: Mapping[str, Sequence[Cell]]) -> Change:
        free = change.scope or change.where.profiles or change.action == "renamed" or not change.path
        if free or change.path[0] in ("replicates", *BESIDE_CELLS) or change.path[:2] == ("training", "evaluate"):
            return change
        own = [cell for name, found in by_setting.items() if _in_setting(change, name) for cell in found]
        states = {cell.status for cell in own}
        if "measures" in states <= {*KEPT, "measures"}:  # nothing is trained otherwise
            change = replace(
                change, classes=("measure", *(name for name in change.classes if name in ("claim", "figure")))
            )
        if not own or any(cell.status not in KEPT for cell in own):
            return change
        kept = tuple(name for name in change.classes if name in ("claim", "figure")) or ("text",)
        opened = change.opened or (kept == ("text",) and change.classes != ("text",) and change.path[0] in BORROWED)
        note = "no result depends on it" if kept == ("text",) else "no cell depends on it"
        note = OPENED if opened else note
        return replace(change, classes=kept, note=change.note or note, opened=opened)

    # -- claims ------------------------------------------------------------------------------------------------------

    def _judged(self) -> list[Warned]:
        """Claims that ask less than before, or are gone; how each other one moved is noted at its path."""
        measures, names = self.renames.of({"measure"}), self.renames.of({"claim"})
        now = {claim.name: claim for claim in self.after.plan.claims}
        warnings = []
        for claim in self.before.plan.claims:
            name = names.get(claim.name, claim.name)
            if name not in now:
                warnings.append(Warned(self.name, claim.name, f"removed: {claim.says}"))
                continue
            old = judged.carried(claim.tree, measures, self.variants, self.constants)
            verdicts = judged.moved(old, now[name].tree)
            if claim.judge != now[name].judge:
                what = f"it is judged by {now[name].judge} instead of {claim.judge}"
                verdicts.append(judged.Verdict(judged.UNKNOWN, what))
            verdicts += self._judged_on(old)
            if verdicts:
                note = judged.described(verdicts)
                self.notes["claims", name, "check"] = self.notes["claims", name, "judge"] = note
                if {verdict.direction for verdict in verdicts} != {judged.STRICTER}:
                    warnings.append(Warned(self.name, name, note))
        return warnings

    def _judged_on(self, check: Any) -> list[judged.Verdict]:
        """How what a check is judged on moved, though it says the same: the cells, their replicates, its measures."""
        pairs = paired(self.before, self.after, self.variants, self.constants)
        names = {new: old for old, new in self.renames.of({"measure"}).items()}
        found: list[judged.Verdict] = []
        for part in judged.measured(check):
            own = [pair for pair in pairs if judged.looked_at(part, self._place(pair))]
            gone = [before for before, after in own if after is None]
            both = [(before, after) for before, after in own if before is not None and after is not None]
            if gone and both:
                direction = judged.UNKNOWN if judged.along(check, "slope") else judged.LOOSER
                whole = listing(dict.fromkeys(program.name for program in gone if program is not None), 4)
                found.append(judged.Verdict(direction, f"it looks at fewer cells, without {whole}"))
            counts = {(before.replicates, after.replicates) for before, after in both}
            found += [
                judged.Verdict(judged.LOOSER, f"it is judged over {new} replicates instead of {old}")
                for old, new in sorted(counts)
                if new < old
            ]
            before_name = names.get(part.measure, part.measure)
            if both and all(
                before.digest == after.digest and measured_otherwise(before, before_name, after, part.measure)
                for before, after in both
            ):
                found.append(judged.Verdict(judged.UNKNOWN, f"`{part.measure}` is measured otherwise"))
        return list(dict.fromkeys(found))

    def _place(self, pair: tuple[Program | None, Program | None]) -> dict[str, object]:
        """Where a cell stands on the axes, by their new names."""
        before, after = pair
        if after is not None:
            return {"variant": after.variant, **after.point}
        assert before is not None
        point = {self.constants.get(axis, axis): value for axis, value in before.point.items()}
        return {"variant": self.variants.get(before.variant, before.variant), **point}


def _cell_part(tree: Branch) -> Branch:
    """What of a tree differs from variant to variant."""
    return Branch({key: inner for key, inner in tree.entries.items() if key not in BESIDE_CELLS})


def _in_setting(change: Change, name: str) -> bool:
    return not change.where.variants or name in change.where.variants


def _classes(parts: Sequence[Change]) -> tuple[str, ...]:
    found = {name for part in parts for name in part.classes}
    return tuple(name for name in CLASSES if name in found) or ("text",)


def _values(side: Side, axis: str) -> tuple[object, ...] | None:
    found = side.plan.axes.get(axis)
    return None if found is None else tuple(found)


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

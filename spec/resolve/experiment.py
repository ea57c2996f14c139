"""One experiment: its axes, and a checked program for every point of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from ..check.all_points import OnePointNeeded
from ..check.claim_subject import Axes
from ..check.experiment import ExperimentChecker, Point
from ..check.memo import ById, Common, Shared
from ..diagnostics.problems import Problem, Span, StudyError, in_file_order, problem_at
from ..ir.plan import ClaimPlan, ExperimentPlan, FigurePlan, Program
from ..source import nodes as yaml
from . import points_together
from .across_cells import Findings
from .cells_at_once import EquallyPatched, check_at_once
from .conclusions import Conclusions, shown_in
from .document import Document, experiment
from .equal_cells import compared, each_alone
from .existing_names import must_exist
from .overrides import Override, as_patch
from .patches import alike, merge, must_change, nest, still_to_delete, without
from .points_together import Checked
from .sweep import Sweep
from .variant_overrides import deleting_variants, must_hold, must_not_be_swept

ABOUT_ALL_CELLS = ("variants", "sweep", "zip")
"""What speaks of all cells, and is no part of one: cells are as many as these, and none goes through them again."""


class ExperimentResolver:
    """One experiment with its axes, and the programs at every point of them."""

    def __init__(
        self, document: Document, name: str, node: yaml.Mapping, profile: yaml.Mapping | None,
        overrides: Sequence[Override], only: tuple[str, ...], common: Common,
        together: bool = False,
    ) -> None:  # fmt: skip
        self.document = document
        self.name = name
        self.common = common
        self.called: set[str] = set()
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        self.models: list[Any] = []
        self.known: dict[int, Checked] | None = None
        """What came of cells that were checked at once, by their number among the points; None where that was not tried yet."""
        self.shared: dict[tuple[tuple[str, Any], ...], Shared] = {}
        self.late: list[tuple[str, yaml.Mapping, Span]] = []
        if profile is not None:
            self.late.append(("a profile", profile, profile.span))
        several: dict[tuple[str, ...], str] = {}
        for override in overrides:
            from .swept_overrides import REMEDY, must_have_one_value, swept, touches  # where there are overrides alone

            path = override.path
            must_have_one_value(several, path, override)
            axes = node.get("sweep")
            is_axis = (
                isinstance(axes, yaml.Mapping) and path[:1] == ("constants",) and len(path) == 2 and axes.get(path[1])
            )
            if is_axis or (override.values and path[:1] == ("sweep",)):
                values = override.values or (override.value,)
                listed = (
                    override.value
                    if not override.values and isinstance(override.value, yaml.Sequence)
                    else yaml.Sequence(values, override.span)
                )
                path, override = ("sweep", *path[1:]), replace(override, value=listed, values=())
            elif override.values and path:
                if profile is not None and touches(profile, path):
                    raise problem_at(override.span, f"the profile changes '{'.'.join(path)}', too", REMEDY)
                several[path] = override.span.source.text
                node, rest = swept(node, path, override)
                if rest is None:
                    continue
                override = rest
            self.late.append(("an override", as_patch(name, path, override), override.span))
        for what, patch, span in self.late:
            must_hold(patch)
            self._must_exist(node, patch, what, span)
        self.declared = node
        self.node = self._late(node)
        if profile is not None:
            self._must_matter(node, profile)
        written = document.study.experiments[name]
        self.model = experiment(without(self.node, "base"), written)
        for _, patch, _ in self.late:
            must_not_be_swept(patch, self.model.sweep)
        self.alone = without(self.declared, *ABOUT_ALL_CELLS)  # a profile goes over variants once: null deletes once
        self.sweep = Sweep(document.study.study, name, self.model, only)
        self.may_be_together = together

    @cached_property
    def together(self) -> bool:
        """Whether cells are checked together: not where each is checked alone, to be compared with the others. Raises StudyError."""
        if not self.may_be_together:
            return False
        return not (compared(self.document.source.text, self.axes, self.model) and each_alone(self.axes, self.model))

    def _must_exist(self, node: yaml.Mapping, patch: yaml.Mapping, what: str, span: Span) -> None:
        reached: yaml.Node = node
        if (variants := patch.get("variants")) is not None:
            must_exist(node, nest(("variants",), _empty_maps(variants), span), what)
            patch = without(patch, "variants")
        variants_node = node.get("variants")
        if isinstance(variants_node, yaml.Mapping):
            for _, variant in variants_node.entries:
                merged = merge(reached, _added_only(reached, variant))
                reached = merged if isinstance(merged, yaml.Mapping) else reached
            reached = _with_all_terms(reached, (node, *(variant for _, variant in variants_node.entries)))
        must_exist(reached, patch, what)

    def _late(self, node: yaml.Mapping) -> yaml.Mapping:
        """The whole base with profile and overrides over it; its variants as they were, or left out."""
        for _, patch, _ in self.late:
            node = _merged(node, deleting_variants(patch))
        return node

    def _late_in(self, node: yaml.Mapping, variant: str) -> yaml.Mapping:
        """One cell with the profile and then each override over it: what it says of all, and then what it says of the cell's variant."""
        for _, patch, _ in self.late:
            node = _merged(node, still_to_delete(node, without(patch, *ABOUT_ALL_CELLS)))
            own = _of_variant(patch, variant)
            if own is not None:
                node = _merged(node, own)
        return node

    def _must_matter(self, node: yaml.Mapping, profile: yaml.Mapping) -> None:
        """Refuses a profile that changes neither the experiment nor any of its variants."""
        if not profile.entries or not alike(merge(node, profile) or node, node):
            return
        variants = node.get("variants")
        for _, variant in variants.entries if isinstance(variants, yaml.Mapping) else ():
            varied = merge(node, variant) or node
            if not alike(merge(varied, without(profile, "variants")) or varied, varied):
                return
        key = next(key for key, _ in profile.entries)
        raise problem_at(key.span, "the profile changes nothing: it says only what holds already", "Remove it.")

    def plan(self) -> ExperimentPlan:
        """The experiment's plan. Raises StudyError with every problem."""
        axes = self.axes
        self.sweep.must_be_apart(axes)
        programs: list[Program] = []
        found = Findings()
        points = self.points
        if self.together:
            self._take_together(axes, points)
            if self.known is None:
                check_at_once(self.equally_patched(), self.document)
        known = self.known or {}
        for number, places in enumerate(points):
            values = {axis: axes[axis][place] for axis, place in places.items()}
            if number in known:
                checked = known[number]
                self.models.append(self._shared(axes, places).model)
            else:
                checked = self._alone(axes, places)
            if checked.program is not None:
                programs.append(checked.program)
            found.add(values, checked.problems, checked.warnings)
            if found.many:
                break
        self.problems.extend(found.problems(self.model))
        self.warnings.extend(found.warnings(self.model, late=bool(self.late)))
        claims: tuple[ClaimPlan, ...] = ()
        figures: tuple[FigurePlan, ...] = ()
        conclusions = Conclusions(self.name, self.model, axes, self._declared_axes(), bool(self.late), self.common)
        if programs:
            claims = conclusions.claims(programs) if self.common.judged else ()
            figures = conclusions.figures(programs)
            self.problems.extend(conclusions.problems)
            self.warnings.extend(conclusions.warnings)
        else:
            self.problems.extend(conclusions.unsound())
        if self.problems:
            raise StudyError(in_file_order(self.problems))
        return ExperimentPlan(
            self.name,
            self.model.about or "",
            {name: tuple(values) for name, values in axes.items()},
            tuple(shown_in(program, figures) for program in programs),
            claims,
            figures,
            self.model,
            tuple(self.models),
            tuple(tuple(names) for names in self.model.zip),
            tuple(name for name in self.model.variants if name not in axes["variant"]) if "variant" in axes else (),
        )

    @cached_property
    def axes(self) -> dict[str, list[Any]]:
        """Each axis with its values. Raises StudyError."""
        return self.sweep.axes()

    @cached_property
    def points(self) -> list[dict[str, int]]:
        """Every cell, as places along the axes. Raises StudyError."""
        return self.sweep.points(self.axes)

    def along_axes(self, most: int, figures: Sequence[FigurePlan]) -> ExperimentPlan:
        """The cells along each axis, so many at most, at the first places of all others; nothing is concluded of them. Raises StudyError."""
        axes = self.axes
        zipped = [tuple(names) for names in self.model.zip]
        together = {name: names for names in zipped for name in names}
        cells, counts = [], Counter[tuple[str, ...]]()
        for places in self.points:
            moved = {together.get(axis, (axis,)) for axis, place in places.items() if place}
            if len(moved) > 1 or any(counts[names] >= most - 1 for names in moved):
                continue
            counts.update(moved)
            checked = self._alone(axes, places)
            if checked.program is None:
                raise StudyError(checked.problems)
            cells.append(shown_in(checked.program, figures))
        named = {name: tuple(values) for name, values in axes.items()}
        return ExperimentPlan(self.name, "", named, tuple(cells), (), (), self.model, tuple(self.models), tuple(zipped))

    def _point(self, axes: Mapping[str, list[Any]], places: Mapping[str, int]) -> Point:
        values = {axis: axes[axis][place] for axis, place in places.items()}
        variant = values.pop("variant", "")
        constants = {
            axis: swept.items[places[axis]]
            for axis in values
            if isinstance(swept := self.model.axis(axis), yaml.Sequence)
        }
        return Point(self.document.study.study, self.name, variant, values, constants)

    def equally_patched(self) -> list[EquallyPatched]:
        """The cells, those with the same patches together: what comes of them may be made known (see `cells_at_once.py`). Raises StudyError."""
        axes, points = self.axes, self.points
        self.known = {}
        unpatched = without(self.node, *ABOUT_ALL_CELLS)
        found: dict[int, EquallyPatched] = {}
        for number, places in enumerate(points):
            try:
                shared = self._shared(axes, places)
            except StudyError:
                continue  # told where the cell is checked
            if id(shared) not in found:
                node = unpatched if shared.model is self.model else shared.model.node()
                found[id(shared)] = EquallyPatched(shared, node, self.alone, tuple(axes), self.known, [])
            found[id(shared)].cells.append((number, self._point(axes, places)))
        return list(found.values())

    def _alone(self, axes: Mapping[str, list[Any]], places: Mapping[str, int]) -> Checked:
        """What comes of one cell."""
        try:
            shared = self._shared(axes, places)
        except StudyError as error:
            return Checked(None, error.problems, ())
        self.models.append(shared.model)
        anew = partial(ExperimentChecker, self._point(axes, places), shared, self.document.study.layer_defaults)
        checker = anew()
        try:
            try:
                program = checker.program()
            except OnePointNeeded:
                shared.points.clear()
                checker = anew()
                program = checker.program()
        except StudyError as error:
            return Checked(None, error.problems, checker.scope.warnings)
        return Checked(program, (), checker.scope.warnings)

    def _shared(self, axes: Mapping[str, list[Any]], places: Mapping[str, int]) -> Shared:
        """What a point shares with all that have the same patches: those of its variant, and of its places on axes of patches."""
        patched = [axis for axis in places if axis != "variant" and not self._is_constant(axis)]
        named = ["variant", *patched] if "variant" in places else patched
        key = tuple((axis, axes[axis][places[axis]]) for axis in named)
        if key not in self.shared:
            self.shared[key] = self._patched(key[0][1] if "variant" in places else "", key)
        return self.shared[key]

    def _is_constant(self, axis: str) -> bool:
        """Whether an axis is a swept constant, and no map of patches."""
        return isinstance(self.model.axis(axis), yaml.Sequence)

    def _take_together(self, axes: Mapping[str, list[Any]], points: Sequence[Mapping[str, int]]) -> None:
        """Has the cells checked together, as far as these look at no single value of a constant."""
        swept = [axis for axis in axes if axis != "variant" and self._is_constant(axis)]
        cells = []
        for places in points:
            try:
                shared = self._shared(axes, places)
            except StudyError:
                continue  # told where the cell is checked
            cells.append((shared, {axis: axes[axis][places[axis]] for axis in swept}))
        named = [node for axis in axes if isinstance(node := self.model.axis(axis), yaml.Mapping)]
        late = [node for _, patch, _ in self.late if isinstance(node := patch.get("variants"), yaml.Mapping)]
        points_together.take_together(cells, [patch for node in (*named, *late) for _, patch in node.entries])

    def _patched(self, variant: str, patches: Sequence[tuple[str, str]]) -> Shared:
        """The experiment with the patches of a variant and of places on axes over it, for all points that have these."""
        node, model, patched = self.alone, self.model, False
        for axis, value in patches:
            patch = yaml.find(self.model.axis(axis), [value])
            if isinstance(patch, yaml.Mapping) and patch.entries:
                merged = _merged(node, patch)
                must_change(node, merged, patch.span, f"the variant '{value}'")
                node, patched = merged, True
        if patched or any(_of_variant(patch, variant) is not None for _, patch, _ in self.late):
            node, patched = self._late_in(node, variant), True
        return Shared(
            experiment(without(node, "base"), model) if patched else model,
            self.node,
            self.common,
            self.called,
        )

    def _declared_axes(self) -> tuple[Axes, ...]:
        """The axes as they are without the profile and the overrides, and which go in step; nothing where these are not sound."""
        if not self.late:
            return ()
        key = ("axes as declared", ById(self.declared))  # the same in all profiles
        if key not in self.common.cache:
            self.common.cache[key] = self._axes_as_declared()
        axes: tuple[Axes, ...] = self.common.cache[key]
        return axes

    def _axes_as_declared(self) -> tuple[Axes, ...]:
        try:
            model = experiment(without(self.declared, "base"), self.document.study.experiments[self.name])
            axes = Sweep(self.document.study.study, self.name, model, ()).axes()
        except StudyError:
            return ()
        return (({axis: tuple(values) for axis, values in axes.items()}, tuple(map(tuple, model.zip))),)


def _of_variant(patch: yaml.Mapping, variant: str) -> yaml.Mapping | None:
    """What a profile or an override says of one variant alone, if it does."""
    own = yaml.find(patch, ["variants", variant]) if variant else None
    return own if isinstance(own, yaml.Mapping) else None  # `null` leaves the variant out


def _merged(node: yaml.Mapping, patch: yaml.Mapping) -> yaml.Mapping:
    merged = merge(node, patch)
    assert isinstance(merged, yaml.Mapping)
    return merged


def _empty_maps(node: yaml.Node) -> yaml.Node:
    """A map's names alone, to check that they exist."""
    if isinstance(node, yaml.Mapping):
        return yaml.Mapping(tuple((key, yaml.Mapping((), key.span)) for key, _ in node.entries), node.span)
    return node


def _with_all_terms(node: yaml.Node, cells: Collection[yaml.Node]) -> yaml.Node:
    """An experiment with the terms of the losses of all its cells: a variant's loss may take the place of its own."""
    losses = [cell.get("loss") for cell in cells if isinstance(cell, yaml.Mapping)]
    terms = {key.text: (key, term) for loss in losses if isinstance(loss, yaml.Mapping) for key, term in loss.entries}
    if not isinstance(node, yaml.Mapping) or not isinstance(loss := node.get("loss"), yaml.Mapping):
        return node
    united = replace(loss, entries=tuple(terms.values()))
    return replace(node, entries=tuple((key, united if below is loss else below) for key, below in node.entries))


def _added_only(base: yaml.Node, patch: yaml.Node) -> yaml.Node:
    """The part of a variant that adds to the base, without what it deletes."""
    if isinstance(patch, yaml.Mapping):
        entries = tuple(
            (key, node) for key, node in patch.entries if not (isinstance(node, yaml.Scalar) and node.value is None)
        )
        return yaml.Mapping(entries, patch.span)
    return patch

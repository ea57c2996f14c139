"""A document to a study's plan: profile, overrides, variants and sweeps laid over the base, each cell checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..check.claims import Axes, Subject, check_claim
from ..check.constant_limits import Budget
from ..check.experiment import ExperimentChecker, Point
from ..check.expression_text import read
from ..check.figures import check_figures, conditions
from ..check.memo import Common, Shared
from ..diagnostics.problems import (
    Problem,
    Source,
    Span,
    SpecError,
    did_you_mean,
    in_file_order,
    listing,
    problem_at,
    sentence,
)
from ..expressions.nodes import Name, walk
from ..ir.plan import ClaimPlan, ExperimentPlan, FigurePlan, Program, StudyPlan
from ..passes.digests import identified
from ..source import nodes as yaml
from ..tables.gradient_statistics import FLOOR
from .across_cells import Findings, noted
from .document import Document, experiment
from .patches import alike, merge, must_change, must_exist, nest, without
from .sweep import Sweep
from .variant_overrides import deleting_variants, must_hold, must_not_be_swept

T = TypeVar("T")

BESIDE = ("variants", "sweep", "zip")
"""What speaks of all cells, and is no part of one: cells are as many as these, and none goes through them again."""


@dataclass(frozen=True)
class Override:
    """`-o path=value`: a value for one path, of all experiments or of one."""

    path: tuple[str, ...]
    value: yaml.Node
    span: Span

    @staticmethod
    def read(text: str) -> Override:
        """Reads `training.steps=100`, `staircase.variants.non_flat.training.steps=100`. Raises SpecError."""
        path, equals, _ = text.partition("=")
        source = Source("-o", text)
        span = Span(source, 1, 1, 1, len(text) + 1)
        if not equals or not path.strip():
            raise problem_at(span, "an override is written path=value", "`-o training.steps=100`")
        node = yaml.parse_value(source, len(path) + 1)
        return Override(tuple(path.strip().split(".")), node, span)


def resolve(
    document: Document, profile: str | None = None, overrides: Sequence[Override] = (), only: Sequence[str] = ()
) -> StudyPlan:
    """The plan of a study in a profile. Raises SpecError with every problem of every experiment."""
    return identified(_checked(document, profile, overrides, only))


def _checked(
    document: Document, profile: str | None = None, overrides: Sequence[Override] = (), only: Sequence[str] = (),
    common: Common | None = None,
) -> StudyPlan:  # fmt: skip
    """The plan but for its digests, which a check has no need of. `common` is what was checked in other profiles."""
    patches = _profile(document, profile)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    plans = []
    wanted = _only(document, only)
    targets = _targets(document, overrides)
    common = common or Common()
    common.budget = Budget()
    for name, node in document.experiments.items():
        if wanted and name not in wanted:
            continue
        try:
            made = _Experiment(
                document, name, node, patches.get(name), targets.get(name, []), wanted.get(name, ()), common
            )
            plans.append(made.plan())
            warnings.extend(made.warnings)
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(in_file_order(problems))
    study = document.study
    return StudyPlan(
        study.study, study.title or study.study, study.about or "", profile or "", tuple(plans),
        tuple(dict.fromkeys(warnings)), document.source.text,
    )  # fmt: skip


def validate(document: Document) -> tuple[Problem, ...]:
    """Checks a study in every profile. Raises SpecError with all problems; returns the warnings."""
    warnings = in_every_profile(document, lambda plan: plan.warnings)
    return in_file_order([warning for of_one in warnings for warning in of_one])


def in_every_profile(document: Document, look: Callable[[StudyPlan], T]) -> list[T]:
    """What is seen of a study's plan without a profile and in each; the plan has no digests. Raises SpecError with all problems."""
    problems: list[Problem] = []
    seen = []
    common = Common()
    for profile in (None, *document.study.profiles):
        try:
            seen.append(look(_checked(document, profile, common=common)))
        except SpecError as error:
            known = {(problem.span, problem.message) for problem in problems}
            node = yaml.find(document.top, ["profiles", profile]) if profile else None
            fresh = [problem for problem in error.problems if (problem.span, problem.message) not in known]
            problems.extend(
                noted(problem, f"In the profile '{profile}'.", node) if profile else problem for problem in fresh
            )
    if problems:
        raise SpecError(in_file_order(problems))
    return seen


def _profile(document: Document, profile: str | None) -> dict[str, yaml.Mapping]:
    if profile is None:
        return {}
    known = document.study.profiles
    if profile not in known:
        hint = did_you_mean(profile, known) or f"The profiles are {listing(known) or 'none'}."
        raise problem_at(None, f"{document.source.name}: there is no profile '{profile}'", hint)
    node = yaml.find(document.top, ["profiles", profile, "experiments"])
    assert isinstance(node, yaml.Mapping)
    patches = {}
    for key, patch in node.entries:
        if key.text not in document.experiments:
            hint = (
                did_you_mean(key.text, document.experiments) or f"The experiments are {listing(document.experiments)}."
            )
            raise problem_at(key.span, f"there is no experiment '{key.text}'", hint)
        if isinstance(patch, yaml.Mapping):
            patches[key.text] = patch
    return patches


def _only(document: Document, only: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`--only experiment/variant`, by experiment."""
    variants: dict[str, tuple[str, ...]] = {}
    for item in only:
        name, _, variant = item.partition("/")
        if name not in document.experiments:
            hint = did_you_mean(name, document.experiments) or f"The experiments are {listing(document.experiments)}."
            raise problem_at(None, f"--only {item}: there is no experiment '{name}'", hint)
        variants[name] = (*variants.get(name, ()), *((variant,) if variant else ()))
    return variants


def _targets(document: Document, overrides: Sequence[Override]) -> dict[str, list[Override]]:
    """Overrides by experiment: one that names none goes to all that have its path."""
    by_experiment: dict[str, list[Override]] = {name: [] for name in document.experiments}
    for override in overrides:
        path = override.path[1:] if override.path[0] == "experiments" else override.path
        if path and path[0] in document.experiments:
            by_experiment[path[0]].append(replace(override, path=path[1:]))
            continue
        fields = set(type(next(iter(document.study.experiments.values()))).model_fields)
        if not path or path[0] not in fields:
            known = [*document.experiments, *fields]
            hint = sentence(
                did_you_mean(path[0] if path else "", known),
                "A path begins with an experiment, or with one of its keys.",
            )
            raise problem_at(override.span, f"there is no path '{'.'.join(override.path)}'", hint)
        for name in document.experiments:
            by_experiment[name].append(replace(override, path=path))
    return by_experiment


class _Experiment:
    """One experiment with its axes, and the programs at every point of them."""

    def __init__(
        self, document: Document, name: str, node: yaml.Mapping, profile: yaml.Mapping | None,
        overrides: Sequence[Override], only: tuple[str, ...], common: Common,
    ) -> None:  # fmt: skip
        self.document = document
        self.name = name
        self.common = common
        self.called: set[str] = set()
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        self.noticed: list[Problem] = []
        self.models: list[Any] = []
        self.shared: dict[tuple[tuple[str, Any], ...], Shared] = {}
        self.late: list[tuple[str, yaml.Mapping, Span]] = []
        if profile is not None:
            self.late.append(("a profile", profile, profile.span))
        swept = node.get("sweep")
        for override in overrides:
            path = override.path
            if path[:1] == ("constants",) and len(path) == 2 and isinstance(swept, yaml.Mapping) and swept.get(path[1]):
                value = (
                    override.value
                    if isinstance(override.value, yaml.Sequence)
                    else yaml.Sequence((override.value,), override.span)
                )
                path, override = ("sweep", path[1]), replace(override, value=value)
            self.late.append(("an override", _overriding(name, path, override), override.span))
        for what, patch, span in self.late:
            must_hold(patch)
            self._must_exist(node, patch, what, span)
        self.declared = node
        self.node = self._late(node)
        if profile is not None:
            self._must_matter(node, profile)
        self.model = experiment(without(self.node, "base"))
        for _, patch, _ in self.late:
            must_not_be_swept(patch, self.model.sweep)
        self.alone = without(self.node, *BESIDE)
        self.sweep = Sweep(document.study.study, name, self.node, self.model, only)
        self.swept = {axis: yaml.find(self.node, ["sweep", axis]) for axis in self.model.sweep}

    def _must_exist(self, node: yaml.Mapping, patch: yaml.Mapping, what: str, span: Span) -> None:
        reached: yaml.Node = node
        if (variants := patch.get("variants")) is not None:
            must_exist(node, nest(("variants",), _empty_maps(variants), span), (), what)
            patch = without(patch, "variants")
        variants_node = node.get("variants")
        if isinstance(variants_node, yaml.Mapping):
            for _, variant in variants_node.entries:
                merged = merge(reached, _added_only(reached, variant))
                reached = merged if isinstance(merged, yaml.Mapping) else reached
        must_exist(reached, patch, (), what)

    def _late(self, node: yaml.Mapping, whole: bool = True) -> yaml.Mapping:
        """The base (whole, or of one cell) with profile and overrides over it; its variants as they were, or left out."""
        for _, patch, _ in self.late:
            merged = merge(node, deleting_variants(patch) if whole else without(patch, "variants", "sweep"))
            assert isinstance(merged, yaml.Mapping)
            node = merged
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
        raise problem_at(key.span, "the profile changes nothing: all it says holds already", "Remove it.")

    # -- programs --------------------------------------------------------------------------------------------------

    def plan(self) -> ExperimentPlan:
        """The experiment's plan. Raises SpecError with every problem."""
        axes = self.sweep.axes()
        self.sweep.must_be_apart(axes)
        programs: list[Program] = []
        claims: tuple[ClaimPlan, ...] = ()
        found = Findings()
        for places in self.sweep.points(axes):
            values = {axis: axes[axis][place] for axis, place in places.items()}
            checked: Sequence[Problem] = ()
            self.noticed = []
            try:
                programs.append(self._program(axes, places))
            except SpecError as error:
                checked = error.problems
            found.add(values, checked, self.noticed)
            if found.many:
                break
        self.problems.extend(found.problems(self.node))
        self.warnings.extend(found.warnings(late=bool(self.late)))
        figures: tuple[FigurePlan, ...] = ()
        if programs:
            claims = self._claims(axes, programs)
            figures = self._figures(self._subject(axes, programs))
        else:
            self.problems.extend(self._unsound(axes))
        if self.problems:
            raise SpecError(in_file_order(self.problems))
        return ExperimentPlan(
            self.name,
            self.model.about or "",
            {name: tuple(values) for name, values in axes.items()},
            tuple(programs),
            claims,
            figures,
            self.model,
            tuple(self.models),
            tuple(tuple(names) for names in self.model.zip),
        )

    def _program(self, axes: Mapping[str, list[Any]], places: Mapping[str, int]) -> Program:
        values = {axis: axes[axis][place] for axis, place in places.items()}
        variant = values.pop("variant", "")
        constants: dict[str, yaml.Node] = {}
        patches = [("variant", variant)] if variant else []
        for axis, value in values.items():
            if isinstance(swept := self.swept[axis], yaml.Sequence):
                constants[axis] = swept.items[places[axis]]
            else:
                patches.append((axis, value))
        key = tuple(patches)
        if key not in self.shared:
            self.shared[key] = self._patched(variant, patches)
        shared = self.shared[key]
        checker = ExperimentChecker(
            Point(self.document.study.study, self.name, variant, values, constants), shared, self.document.study.layer_defaults,
            self.document.top.get("layer_defaults"),
        )  # fmt: skip
        self.models.append(shared.model)
        try:
            return checker.program()
        finally:
            self.noticed.extend(checker.scope.warnings)

    def _patched(self, variant: str, patches: Sequence[tuple[str, str]]) -> Shared:
        """The experiment with the patches of a variant and of places on axes over it, for all points that have these."""
        node, model, patched = self.alone, self.model, False
        for axis, value in patches:
            patch = yaml.find(self.node, ["variants", value] if axis == "variant" else ["sweep", axis, value])
            if isinstance(patch, yaml.Mapping) and patch.entries:
                merged = merge(node, patch)
                must_change(node, merged, patch.span, f"the variant '{value}'")
                assert isinstance(merged, yaml.Mapping)
                node, patched = merged, True
        node = self._late(node, whole=False) if patched else node
        for _, patch, _ in self.late:
            own = yaml.find(patch, ["variants", variant]) if variant else None
            if isinstance(own, yaml.Mapping):
                merged = merge(node, own)
                assert isinstance(merged, yaml.Mapping)
                node, patched = merged, True
        return Shared(
            node if patched else self.node,
            experiment(without(node, "base")) if patched else model,
            self.node,
            self.common,
            self.called,
        )

    # -- claims and figures ----------------------------------------------------------------------------------------

    def _subject(self, axes: Mapping[str, list[Any]], programs: Sequence[Program]) -> Subject:
        """What claims speak of, as the cells have it."""
        measures = {measure.name: measure.term.type.shape for program in programs for measure in program.measures}
        constants = {
            name: float(value)
            for name, value in programs[0].constants.items()
            if not np.shape(value) and name not in axes
        }
        return self._spoken_of(axes, programs, measures, constants)

    def _spoken_of(
        self,
        axes: Mapping[str, list[Any]],
        programs: Sequence[Program],
        measures: Mapping[str, tuple[int, ...] | None],
        constants: Mapping[str, float],
    ) -> Subject:
        planned = dict(axes)
        if "variant" in planned:  # `--only` leaves claims about the others undecided
            planned["variant"] = list(self.model.variants)
        zipped = tuple(tuple(names) for names in self.model.zip)
        # A claim may speak of values that a profile or an override leaves out: then it is inconclusive, not wrong.
        before = self._before() if self.late else ()
        written = before[0][0] if before else {}
        own = {axis: tuple(values) for axis, values in planned.items()}
        known = {axis: tuple(dict.fromkeys([*v, *written[axis]])) if axis in written else v for axis, v in own.items()}
        if before and not zipped:
            before = (*before, (known, ()))
        evaluated = tuple(
            (
                {**({"variant": program.variant} if program.variant else {}), **program.point},
                program.training.evaluations if program.training else (0,),
            )
            for program in (() if self.late else programs)
        )
        return Subject(measures, known, constants, evaluated, zipped, own, before)

    def _before(self) -> tuple[Axes, ...]:
        """The axes as they are without the profile and the overrides, and which go in step; nothing where these are not sound."""
        try:
            model = experiment(without(self.declared, "base"))
            axes = Sweep(self.document.study.study, self.name, self.declared, model, ()).axes()
        except SpecError:
            return ()
        return (({axis: tuple(values) for axis, values in axes.items()}, tuple(map(tuple, model.zip))),)

    def _figures(self, subject: Subject) -> tuple[FigurePlan, ...]:
        self.problems.extend(check_figures(self.model.figures, self.node, subject))
        found = []
        for name, figure in self.model.figures.items():
            try:
                shown = conditions(name, self.node, subject)
                found.append(FigurePlan(self.name, name, figure.kind, figure, shown))
            except SpecError as error:
                self.problems.extend(error.problems)
        return tuple(found)

    def _unsound(self, axes: Mapping[str, list[Any]]) -> list[Problem]:
        """What is wrong with the claims themselves, where no cell is sound: their syntax, and the names of measures and axes.

        A claim that names a constant has its syntax checked alone: nothing is known of the constant's value.
        """
        names = [*self.model.measures, *(name + FLOOR for name in self.model.measures)]
        subject = self._spoken_of(axes, (), dict.fromkeys(names), {})
        problems: list[Problem] = []
        for name, claim in self.model.claims.items():
            node = yaml.find(self.node, ["claims", name, "check"])
            try:
                if not isinstance(node, yaml.Scalar):
                    continue
                text = read(node)
                named = {part.name for part in walk(text.tree) if isinstance(part, Name)}
                if not named & (self.model.constants.keys() - axes.keys()):
                    check_claim(text, subject, claim.judge)
            except SpecError as error:
                problems.extend(error.problems)
        return problems

    def _claims(self, axes: Mapping[str, list[Any]], programs: Sequence[Program]) -> tuple[ClaimPlan, ...]:
        subject = self._subject(axes, programs)
        found = []
        for name, claim in self.model.claims.items():
            node = yaml.find(self.node, ["claims", name, "check"])
            if not isinstance(node, yaml.Scalar):
                continue
            try:
                tree = check_claim(read(node), subject, claim.judge)
                found.append(ClaimPlan(self.name, name, claim.says, node.text, tree, claim.judge))
            except SpecError as error:
                self.problems.extend(error.problems)
        return tuple(found)


def _overriding(name: str, path: tuple[str, ...], override: Override) -> yaml.Mapping:
    """An override as a patch of its experiment."""
    patch = nest(path, override.value, override.span)
    if not isinstance(patch, yaml.Mapping):
        hint = f"Say what of it: `-o {name}.training.steps=100`. `--only` chooses experiments and variants."
        raise problem_at(override.span, f"the experiment '{name}' is no value that an override can set", hint)
    if not patch.entries:
        raise problem_at(override.span, "the override changes nothing", f"`-o {name}.training.steps=100`")
    return patch


def _empty_maps(node: yaml.Node) -> yaml.Node:
    """A map's names alone, to check that they exist."""
    if isinstance(node, yaml.Mapping):
        return yaml.Mapping(tuple((key, yaml.Mapping((), key.span)) for key, _ in node.entries), node.span)
    return node


def _added_only(base: yaml.Node, patch: yaml.Node) -> yaml.Node:
    """The part of a variant that adds to the base, without what it deletes."""
    if isinstance(patch, yaml.Mapping):
        entries = tuple(
            (key, node) for key, node in patch.entries if not (isinstance(node, yaml.Scalar) and node.value is None)
        )
        return yaml.Mapping(entries, patch.span)
    return patch

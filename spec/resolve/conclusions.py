"""Checks the claims and figures of an experiment against its axes, measures and constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..check.array_figures import check_arrays
from ..check.certain_claims import certain, rates
from ..check.claim_cells import borders_in, constants_in, evaluated_in
from ..check.claim_design import ClaimDesign, enough_for, judge_of
from ..check.claim_subject import Axes, Subject
from ..check.claims import check_claim, constant_number
from ..check.expression_text import read
from ..check.figures import check_figures, conditions
from ..check.measure_shapes import shapes_by_cell
from ..check.memo import ById, Common
from ..check.profiles import constant_places
from ..check.steps import ENDS
from ..diagnostics.problems import Problem, Span, StudyError
from ..expressions.nodes import Call, Name, walk
from ..ir.claims import Diverged, Measured, looked_at, parts
from ..ir.plan import ClaimPlan, FigurePlan, Program
from ..model.base import OneOf
from ..model.experiment import Experiment
from ..model.figures import Figure
from ..source import nodes as yaml
from ..tables.gradient_statistics import FLOOR, GRADIENT_STATISTICS

MOST_PHASES = 24
"""Up to how many passes of phases are marked in a figure."""


class Conclusions:
    """Checks the claims and figures of one experiment.

    Args:
        name: The experiment's name.
        model: The experiment, with a profile and overrides over it.
        axes: The values on each axis.
        declared: The axes as they are without the profile and the overrides; empty where these are not sound.
        late: Whether there is a profile or an override.
        common: What is checked in other profiles too: claims that speak of the same are read once.
    """

    def __init__(
        self,
        name: str,
        model: Experiment,
        axes: Mapping[str, list[Any]],
        declared: tuple[Axes, ...],
        late: bool,
        common: Common,
    ) -> None:
        self.name = name
        self.model = model
        self.axes = axes
        self.declared = declared
        self.late = late
        self.common = common
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def claims(self, programs: Sequence[Program]) -> tuple[ClaimPlan, ...]:
        """The claims, checked; what is wrong with them stands in `problems`."""
        if not self.model.claims:
            return ()
        subject, cache = self.subject(programs), self.common.cache
        key = ("claims", self.name, ById(self.model.claims), self._spoken(subject)) if self.late else None
        plans, spans, enough, problems = cache.get(key) or self._claims(subject)
        if key is not None:
            cache[key] = plans, spans, enough, problems
        for problem in problems:
            (self.problems if problem.severity == "error" else self.warnings).append(problem)
        if min(program.replicates for program in programs) < max(enough, 1 if self.late else 2):
            design = ClaimDesign(programs, self.late)
            for plan, span in zip(plans, spans, strict=True):
                for problem in design.problems(plan, span):
                    (self.problems if problem.severity == "error" else self.warnings).append(problem)
        return plans

    def _claims(self, subject: Subject) -> tuple[tuple[ClaimPlan, ...], list[Span], int, list[Problem]]:
        """The claims about a subject, where each stands, from how many replicates on all can be decided, and what is wrong with them."""
        plans, spans = [], []
        problems: list[Problem] = []
        for name, claim in self.model.claims.items():
            node = claim.node("check")
            if not isinstance(node, yaml.Scalar):
                continue
            try:
                tree = check_claim(read(node), subject, claim.judge.kind)
            except StudyError as error:
                problems.extend(error.problems)
                continue
            if not any(isinstance(part, Measured | Diverged) for part in parts(tree)):
                message = f"the claim '{name}' looks at no measure: no training can change it"
                problems.append(Problem(message, node.span, "Name one: `final(error) <= 0.1`.", "warning"))
            problems.extend(certain(tree, subject.rates, node.span))
            plans.append(ClaimPlan(self.name, name, claim.says, node.text, tree, judge_of(claim), claim.family or ""))
            spans.append(node.span)
        return tuple(plans), spans, max(map(enough_for, plans), default=1), problems

    def _spoken(self, subject: Subject) -> int:
        """A number for what claims speak of: profiles that change nothing of it have the same."""
        cache, claims = self.common.cache, ("borders in claims", ById(self.model.claims))
        if claims not in cache:
            cache[claims] = any(_speaks_of_borders(claim.node("check")) for claim in self.model.claims.values())
        said = (
            subject.axes,
            subject.zipped,
            subject.planned,
            subject.by_cell,
            subject.before,
            subject.evaluated,
            sorted(subject.rates.items()),
        )
        borders = subject.borders if cache[claims] else ()
        return self.common.number((ById(subject.measures), tuple(subject.constants.items()), repr((said, borders))))

    def figures(self, programs: Sequence[Program]) -> tuple[FigurePlan, ...]:
        """The figures, checked; what is wrong with them stands in `problems`."""
        subject = self.subject(programs)
        self.problems.extend(check_figures(self.model.figures.values(), subject))
        plans = []
        for name, figure in self.model.figures.items():
            try:
                shown = conditions(figure, subject)
                lines = self._references(figure, programs)
                steps = check_arrays(figure, shown, programs) if figure.of_arrays else {}
                plans.append(
                    FigurePlan(
                        self.name,
                        name,
                        figure.kind,
                        figure,
                        shown,
                        lines,
                        steps,
                        constant_places(figure, programs),
                        _phases(programs) if figure.kind == "curves" else {},
                    )
                )
            except StudyError as error:
                self.problems.extend(error.problems)
        return tuple(plans)

    def _references(self, figure: Figure, programs: Sequence[Program]) -> dict[str, dict[str, float]]:
        """The numbers of a figure's lines: by label, and by cell. Raises StudyError."""
        numbers: dict[str, dict[str, float]] = {}
        written = figure.node("reference") if "reference" in type(figure).model_fields else None
        for key, node in written.entries if isinstance(written, yaml.Mapping) else ():
            if not isinstance(node, yaml.Scalar):
                continue
            text = read(node)
            for program in programs:
                constants = {name: float(value) for name, value in program.constants.items() if not np.shape(value)}
                numbers.setdefault(key.text, {})[program.name] = constant_number(text, constants)
        return numbers

    def unsound(self) -> list[Problem]:
        """What is wrong with the claims themselves, where no cell is sound: their syntax, and the names of measures and axes.

        A claim that names a constant has its syntax checked alone: nothing is known of the constant's value.
        """
        measures = self.model.measures
        kinds = {name: entry.kind for name, entry in measures.items() if isinstance(entry, OneOf)}
        floors = [
            n + FLOOR for n, kind in kinds.items() if kind in GRADIENT_STATISTICS and GRADIENT_STATISTICS[kind].floor
        ]
        names = [*measures, *floors]
        subject = self._spoken_of((), dict.fromkeys(names), {})
        problems: list[Problem] = []
        for claim in self.model.claims.values():
            node = claim.node("check")
            try:
                if not isinstance(node, yaml.Scalar):
                    continue
                text = read(node)
                named = {part.name for part in walk(text.tree) if isinstance(part, Name)}
                if not _speaks_of_borders(node) and not named & (self.model.constants.keys() - self.axes.keys()):
                    check_claim(text, subject, claim.judge.kind)
            except StudyError as error:
                problems.extend(error.problems)
        return problems

    def subject(self, programs: Sequence[Program]) -> Subject:
        """What claims speak of, as the cells have it."""
        of_all = dict.fromkeys(ById(program.measures) for program in programs)
        measures = self.common.cache.setdefault(("shapes of measures", *of_all), {})
        if not measures:
            measures.update((one.name, one.term.type.shape) for some in of_all for one in some.value)
        return self._spoken_of(programs, measures, constants_in(programs, self.axes))

    def _spoken_of(
        self,
        programs: Sequence[Program],
        measures: Mapping[str, tuple[int, ...] | None],
        constants: Mapping[str, float],
    ) -> Subject:
        planned = dict(self.axes)
        if "variant" in planned:  # `--only` leaves claims about the others undecided
            planned["variant"] = list(self.model.variants)
        zipped = tuple(tuple(names) for names in self.model.zip)
        # A claim may speak of values that a profile or an override leaves out: then it is inconclusive, not wrong.
        before = self.declared
        written = before[0][0] if before else {}
        own = {axis: tuple(values) for axis, values in planned.items()}
        known = {axis: tuple(dict.fromkeys([*v, *written[axis]])) if axis in written else v for axis, v in own.items()}
        if before and not zipped:
            before = (*before, (known, ()))
        evaluated = evaluated_in(() if self.late else programs)
        borders = borders_in(programs)
        apart = len({id(program.measures) for program in programs}) > 1  # cells with the same measures share them
        by_cell = shapes_by_cell(
            (program.place, {measure.name: measure.term.type.shape for measure in program.measures})
            for program in (programs if apart else ())
        )
        return Subject(
            measures,
            known,
            constants,
            evaluated,
            borders,
            zipped,
            own,
            by_cell,
            before,
            rates(one.measures for one in programs),
        )


def _speaks_of_borders(node: yaml.Node | None) -> bool:
    """Whether a claim names where phases begin and end."""
    try:
        tree = read(node).tree if isinstance(node, yaml.Scalar) else None
    except StudyError:
        return False
    return tree is not None and any(isinstance(part, Call) and part.function in ENDS for part in walk(tree))


def shown_in(program: Program, figures: Sequence[FigurePlan]) -> Program:
    """The program without what figures show of other cells: samples are taken for the figures that show it."""
    where = {figure.name: figure.where for figure in figures}
    probes = tuple(probe for probe in program.probes if looked_at(where.get(probe.figure, ()), program.place))
    return program if len(probes) == len(program.probes) else replace(program, probes=probes)


def _phases(programs: Sequence[Program]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Where phases begin in cells that have several, and not too many to be marked."""
    plans = {program.name: program.training for program in programs}
    return {
        name: tuple(
            (f"{one['phase']} {one['pass'] + 1}" if one["pass"] else one["phase"], one["start"]) for one in plan.borders
        )
        for name, plan in plans.items()
        if plan is not None and 1 < len(plan.starts) <= MOST_PHASES
    }

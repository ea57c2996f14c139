"""Cells that differ in their names alone: a comparison of them would compare a thing with itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ..diagnostics.problems import Problem, listing
from ..ir.data import Rows
from ..ir.plan import ExperimentPlan, Program, StudyPlan
from ..model.experiment import Experiment
from ..passes.digests import Digests
from .points_together import worth_while
from .sweep import names

MOST = 100
"""So many cells along an axis are compared."""
MOST_TEXT = 20_000
"""Up to how many characters a study's cells are compared where it is only checked."""
MOST_NAMES = 2_500
"""Up to how many names of all cells that would be compared, of an experiment, they are."""
REMEDY = "Make them differ, or drop all but one. A profile or an override, which applies to all cells, may have set what the axis changes."


def equal_cells(plan: StudyPlan) -> list[Problem]:
    """A warning for each axis along which cells are equal in all that is trained, measured and shown.

    Args:
        plan: With the digests of its programs. Along an axis are looked at the cells that stand at the first cell's values on all others.
    """
    digests = Digests()
    return [problem for experiment in plan.experiments for problem in of_experiment(experiment, digests)]


def compared(text: str, axes: Mapping[str, Sequence[Any]], model: Experiment) -> bool:
    """Whether an experiment's cells are compared where a study is only checked: a long study has to wait for its plan.

    Args:
        text: The study.
        axes: Of the experiment, with their values.
        model: The experiment.
    """
    along = sum(min(MOST, len(values)) for values in axes.values())
    return len(text) <= MOST_TEXT and along * names(model) <= MOST_NAMES


def each_alone(axes: Mapping[str, Sequence[Any]], model: Experiment) -> bool:
    """Whether the cells that are compared are all cells, and too few to be checked at once: each is then checked alone, and no other way."""
    lines = _independent(axes, model.zip)
    return len(lines) == 1 and not worth_while(len(axes[lines[0][0]]), model)


def told_apart(experiment: ExperimentPlan) -> list[Problem]:
    """The same of an experiment whose programs have no digests yet. Of data files no more than heads were read: they are not looked at."""
    if any(isinstance(program.data, Rows) for program in experiment.programs):
        return []
    digests = Digests()
    programs = tuple(replace(program, digest=digests.training(program)) for program in experiment.programs)
    return list(of_experiment(replace(experiment, programs=programs), digests))


def of_experiment(experiment: ExperimentPlan, digests: Digests) -> Iterator[Problem]:
    """A warning for each axis of an experiment along which cells are equal."""
    for moved in _independent(experiment.axes, experiment.zipped):
        first = experiment.programs[0].place
        line = (p for p in experiment.programs if all(first[a] == v for a, v in p.place.items() if a not in moved))
        same = _first_equal(list(islice(line, MOST)), digests)
        if same:
            span = experiment.model.span(*(("variants",) if moved[0] == "variant" else ("sweep", moved[0])))
            shown = listing(f"'{program.name}'" for program in same[:3]) + (" …" if len(same) > 3 else "")
            message = f"the cells {shown} differ only in name: they train, measure and show the same"
            yield Problem(message, span, REMEDY, "warning")


def _independent(axes: Mapping[str, Sequence[Any]], zipped: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The axes, those that go in step together."""
    together = [tuple(moved) for moved in zipped]
    return [*together, *((axis,) for axis in axes if not any(axis in moved for moved in together))]


def _first_equal(programs: Sequence[Program], digests: Digests) -> list[Program]:
    """The first programs that are equal to one another, if any are."""
    trained: dict[Any, list[Program]] = {}
    for program in programs:
        trained.setdefault((program.digest, program.replicates), []).append(program)
    for group in trained.values():
        found: dict[Any, list[Program]] = {}
        for program in group if len(group) > 1 else ():
            found.setdefault(_looked_at(program, digests), []).append(program)
        for same in found.values():
            if len(same) > 1:
                return same
    return []


def _looked_at(program: Program, digests: Digests) -> Any:
    """What is measured and shown of a program, and when."""
    measures = tuple((measure.name, digests.measure(program, measure)) for measure in program.measures)
    shown = tuple(
        (
            probe.figure,
            probe.steps,
            tuple(digests.sample(program, term, probe.examples) for term in probe.terms.values()),
        )
        for probe in program.probes
    )
    return measures, shown, program.training.evaluations if program.training is not None else ()

"""Merges the problems of an experiment's cells: one that many sweep points have is reported once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..diagnostics.problems import Problem, sentence
from ..model.experiment import Experiment
from ..source import nodes as yaml

MAX_PROBLEMS = 100


@dataclass
class _Found:
    """A problem as the first cell has it, that cell's values, how many have it, and whether any in other words."""

    problem: Problem
    values: Mapping[str, Any]
    cells: int = 0
    varies: bool = False


@dataclass
class Findings:
    """The problems and warnings of all cells; each counts once, with the first cell that has it where not all do.

    Problems in one place that differ in numbers alone, or in what they advise, count as one.
    """

    cells: int = 0
    found: dict[tuple[object, ...], _Found] = field(default_factory=dict)
    noticed: dict[tuple[object, ...], _Found] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        """Adds those of one cell, at the values of its axes."""
        self.cells += 1
        for some, known in ((problems, self.found), (warnings, self.noticed)):
            for key, problem in _keyed(some):
                found = known.setdefault(key, _Found(problem, values))
                found.cells += 1
                found.varies |= problem != found.problem

    @property
    def many(self) -> bool:
        """Whether more would help nobody."""
        return len(self.found) > MAX_PROBLEMS

    def problems(self, experiment: Experiment) -> list[Problem]:
        """The problems, each with the cell where it arises unless it arises in all, or stands in that cell's patch."""
        return [self._told(found, experiment) for found in self.found.values()]

    def warnings(self, experiment: Experiment, late: bool) -> list[Problem]:
        """The warnings, told alike; under a profile or an override only what the experiment itself says."""
        some = (found for found in self.noticed.values() if found.cells == self.cells or not found.problem.of_all_cells)
        return [] if late else [self._told(found, experiment) for found in some]

    def _told(self, problem: _Found, experiment: Experiment) -> Problem:
        values = problem.values
        if not values or (problem.cells == self.cells > 1 and not problem.varies):
            return problem.problem
        patches = [
            yaml.find(experiment.axis(axis), [value]) if axis == "variant" else experiment.axis(axis)
            for axis, value in values.items()
        ]
        where = ", ".join(f"{axis} = {value}" for axis, value in values.items())
        more = f", and at {problem.cells - 1:,} more point{'s' if problem.cells > 2 else ''}" if problem.varies else ""
        return noted(problem.problem, f"This arises with {where}{more}.", *patches)


def _keyed(problems: Sequence[Problem]) -> Iterator[tuple[tuple[object, ...], Problem]]:
    """A cell's problems, each with its place and its message but for numbers, and which of several such it is."""
    seen: Counter[tuple[object, ...]] = Counter()
    for problem in dict.fromkeys(problems):
        key = (problem.span, problem.without_numbers)
        seen[key] += 1
        yield (*key, seen[key]), problem


def noted(problem: Problem, note: str, *parts: yaml.Node | None) -> Problem:
    """A problem with a note in its hint, unless it stands inside one of some parts of the file, where it is plain."""
    span = problem.span
    if span is None:
        return problem
    if span.begins_in(*(part.span for part in parts if part is not None)):
        return problem
    return replace(problem, hint=sentence(problem.hint, note))

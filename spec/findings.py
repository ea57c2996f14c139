"""What the cells of an experiment have in common to complain of, and what only some of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import source as yaml
from .diagnostics import Problem, sentence

MANY = 100


@dataclass
class Findings:
    """The problems and warnings of all cells; each counts once, with the first cell that has it where not all do."""

    cells: int = 0
    counts: dict[Problem, int] = field(default_factory=dict)
    first: dict[Problem, Mapping[str, Any]] = field(default_factory=dict)
    noticed: dict[Problem, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        """Adds those of one cell, at the values of its axes."""
        self.cells += 1
        for problem in dict.fromkeys(problems):
            self.counts[problem] = self.counts.get(problem, 0) + 1
            self.first.setdefault(problem, values)
        for warning in dict.fromkeys(warnings):
            self.noticed[warning] = self.noticed.get(warning, 0) + 1

    @property
    def many(self) -> bool:
        """Whether more would help nobody."""
        return len(self.counts) > MANY

    def problems(self, experiment: yaml.Mapping) -> list[Problem]:
        """The problems, each with the cell where it arises unless it arises in all, or stands in that cell's patch."""
        alone = self.cells == 1
        return [
            problem if count == self.cells and not alone else self._told(problem, experiment)
            for problem, count in self.counts.items()
        ]

    def warnings(self, late: bool) -> list[Problem]:
        """The warnings that hold in all cells; under a profile or an override only what the experiment itself says."""
        return [] if late else [warning for warning, count in self.noticed.items() if count == self.cells]

    def _told(self, problem: Problem, experiment: yaml.Mapping) -> Problem:
        values = self.first[problem]
        if not values:
            return problem
        patches = [
            yaml.find(experiment, ["variants", value] if axis == "variant" else ["sweep", axis])
            for axis, value in values.items()
        ]
        where = ", ".join(f"{axis} = {value}" for axis, value in values.items())
        return noted(problem, f"This arises with {where}.", *patches)


def noted(problem: Problem, note: str, *parts: yaml.Node | None) -> Problem:
    """A problem with a note in its hint, unless it stands inside one of some parts of the file, where it is plain."""
    span = problem.span
    if span is None:
        return problem
    for part in parts:
        if part is None or part.span.source is not span.source:
            continue
        begin, end = (part.span.line, part.span.column), (part.span.end_line, part.span.end_column)
        if begin <= (span.line, span.column) < end:
            return problem
    return replace(problem, hint=sentence(problem.hint, note))

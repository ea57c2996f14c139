"""What is wrong with a study, as a list of problems. Needs no more than the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source, in_file_order

COLUMNS = ("severity", "file", "line", "column", "message", "remedy")


class Problems(Sequence[Problem]):
    """The problems of one study, in the order of its lines: errors, and warnings, with which it is valid all the same.

    It is empty where nothing is wrong. Printed, it is what `dlspec validate` prints; a notebook shows it as a table.
    """

    def __init__(self, name: str, problems: Iterable[Problem] = ()) -> None:
        self.name = name
        self.problems = in_file_order(problems)

    @overload
    def __getitem__(self, place: int) -> Problem: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Problem]: ...

    def __getitem__(self, place: int | slice) -> Problem | Sequence[Problem]:
        return self.problems[place]

    def __len__(self) -> int:
        return len(self.problems)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problems) and (self.name, self.problems) == (other.name, other.problems)

    def __hash__(self) -> int:
        return hash((self.name, self.problems))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those with which the study is not valid."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Those with which it is valid all the same."""
        return tuple(problem for problem in self.problems if problem.severity != "error")

    @property
    def valid(self) -> bool:
        """Whether no problem is an error."""
        return not self.errors

    def __repr__(self) -> str:
        parts = [spec.render(self.problems)] if self.problems else []
        return "\n".join([*parts, *([f"{self.name}: valid"] if self.valid else [])])

    def _repr_html_(self) -> str:
        from . import html

        head = html.paragraph(html.bold(self.name), "valid" if self.valid else "not valid")
        rows = [
            (one.severity, "" if one.line is None else f"{one.line}:{one.column}", html.block(one))
            for one in self.problems
        ]
        return head + (html.table(("", "place", "problem"), rows) if rows else "")


def problems_of(source: Source) -> Problems:
    """Checks a study in all its profiles; what is wrong comes back, and nothing is raised."""
    try:
        return Problems(source.name, spec.validate(spec.parse(source)))
    except spec.StudyError as error:
        return Problems(source.name, error.problems)

"""A file to a validated document: YAML, then the models, then whatever else can be checked where these refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..diagnostics.problems import Source, StudyError
from ..model.study import Study
from ..source import nodes as yaml
from ..source.conflicts import Undecided
from ..source.text import read
from .document import Document, over_bases, validated, with_experiments


def load(path: str | Path) -> Document:
    """Reads and validates a file. Raises StudyError with every problem that was found."""
    return parse(read(path))


def parse(source: Source, events: list[Any] | None = None) -> Document:
    """Validates a text, whose YAML may have been read before.

    Raises StudyError with all that is wrong: in YAML, in the models, and in what can be checked in spite of it.

    Of a text in which a merge left something undecided that alone is told: the rest may be right with one side, and wrong with the other.
    """
    top, problems = yaml.parsed(source, events)
    if any(isinstance(problem, Undecided) for problem in problems):
        raise StudyError(problems)
    experiments, more = over_bases(top)
    problems += more
    try:
        study = validated(Study, with_experiments(top, experiments))
    except StudyError as error:
        told = {problem.span.line for problem in problems if problem.span is not None}
        problems += [problem for problem in error.problems if problem.span is None or problem.span.line not in told]
    if not problems:
        return Document(source, top, study, experiments)
    from .partial_check import remaining  # of studies with errors alone

    raise StudyError([*problems, *remaining(source, top, experiments, problems)])

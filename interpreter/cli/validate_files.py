"""Studies checked in all their profiles, and what is wrong with them printed in one of four forms."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum

from dlspec import spec

from ..api.validation import problems_of
from .problems_told import tell_problems

VALID, INVALID = 0, 1


class Format(StrEnum):
    """How problems are printed."""

    text = "text"
    github = "github"
    sarif = "sarif"
    json = "json"


def validate_files(files: Sequence[str], form: Format = Format.text, only_studies: bool = False) -> int:
    """Checks studies, prints their problems, and returns the exit code: 1 if one has an error.

    Args:
        files: Paths.
        form: How problems are printed.
        only_studies: Whether files without a key `dlspec` are passed over.
    """
    found: dict[str, Sequence[spec.Problem]] = {}
    for file in files:
        try:
            source = spec.read(file)
            if only_studies and not spec.is_study(source.text):
                continue
            found[file] = problems_of(source)
        except spec.StudyError as error:
            found[file] = error.problems
        if form is Format.text:
            _tell(file, found[file])
    if form is not Format.text and (text := _written(form, found)):
        print(text)
    bad = sum(problem.severity == "error" for problems in found.values() for problem in problems)
    if bad and form is Format.text:
        print(f"\n{bad} error{'s' if bad > 1 else ''}.", file=sys.stderr)
    return INVALID if bad else VALID


def _tell(file: str, problems: Sequence[spec.Problem]) -> None:
    if problems:
        tell_problems(problems)
    if all(problem.severity == "warning" for problem in problems):
        print(f"{file}: valid")


def _written(form: Format, problems: dict[str, Sequence[spec.Problem]]) -> str:
    from dlspec.spec.diagnostics import machine_formats as interchange

    if form is Format.sarif:
        from ..results.distribution import dlspec_version, home_page

        return interchange.sarif(problems, dlspec_version(), home_page())
    return interchange.github(problems) if form is Format.github else interchange.as_json(problems)

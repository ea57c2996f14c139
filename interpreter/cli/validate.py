"""`dlspec validate`: checks studies in all their profiles."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from dlspec import spec


class Format(StrEnum):
    """How problems are printed."""

    text = "text"
    github = "github"
    sarif = "sarif"
    json = "json"


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Studies.")],
    form: Annotated[
        Format, typer.Option("--format", help="Prose, GitHub's annotations, a SARIF 2.1.0 log, or JSON.")
    ] = Format.text,
    only_studies: Annotated[
        bool, typer.Option("--only-studies", help="Passes over files without a key `dlspec`.")
    ] = False,
) -> None:
    """Checks studies in all their profiles, without running anything."""
    found: dict[str, Sequence[spec.Problem]] = {}
    for file in files:
        try:
            source = spec.read(file)
            if only_studies and not spec.is_study(source.text):
                continue
            found[file] = spec.validate(spec.parse(source))
        except spec.SpecError as error:
            found[file] = error.problems
        if form is Format.text:
            _tell(file, found[file])
    if form is not Format.text and (text := _written(form, found)):
        print(text)
    bad = sum(problem.severity == "error" for problems in found.values() for problem in problems)
    if bad:
        if form is Format.text:
            print(f"\n{bad} error{'s' if bad > 1 else ''}.", file=sys.stderr)
        raise typer.Exit(1)


def _tell(file: str, problems: Sequence[spec.Problem]) -> None:
    if problems:
        print(spec.render(problems), file=sys.stderr)
    if all(problem.severity == "warning" for problem in problems):
        print(f"{file}: valid")


def _written(form: Format, problems: dict[str, Sequence[spec.Problem]]) -> str:
    from importlib.metadata import version

    from dlspec.spec.diagnostics import machine_formats as interchange

    if form is Format.sarif:
        return interchange.sarif(problems, version("dlspec"))
    return interchange.github(problems) if form is Format.github else interchange.as_json(problems)

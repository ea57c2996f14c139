"""`dlspec data`: what a data file holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from dlspec.spec.data_files.described import describe
from dlspec.spec.data_files.survey import survey
from dlspec.spec.diagnostics.problems import StudyError

from .options import AsJson, fail


def data(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data file.")],
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row of a CSV file is an example, not a header.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Describes a data file. Names, shapes, kinds, ranges, missing values, class counts, checksum."""
    try:
        found = survey(file, not no_header)
    except StudyError as error:
        fail(error)
    if as_json:
        columns = [asdict(column) for column in found.columns.values()]
        print(json.dumps({"file": found.name, "checksum": found.checksum, "columns": columns}, indent=1))
    else:
        print(describe(found))

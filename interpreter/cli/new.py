"""`dlspec new`: a first spec that runs, or a copy of a case."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .options import ERROR

if TYPE_CHECKING:
    from dlspec.spec.new_study import Case

USAGE = 2


def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The study's name, or a path ending in .yaml; otherwise the case's name.")
    ] = None,
    case: Annotated[
        str | None, typer.Option("--from", metavar="CASE", help="Copies a case that comes with dlspec; `--from list` lists them.", autocompletion=complete.cases)
    ] = None,
) -> None:  # fmt: skip
    """Writes a first spec that runs, or a copy of a case. The case's data files are copied, too."""
    from dlspec.spec.diagnostics.problems import did_you_mean, sentence
    from dlspec.spec.model.base import NAME
    from dlspec.spec.model.other_values import as_name
    from dlspec.spec.new_study import cases, first_spec, schema_place

    known = cases() if case is not None else {}
    if case == "list" and "list" not in known:
        _list(list(known.values()))
        return
    if case is not None and case not in known:
        hint = sentence(did_you_mean(case, known), "`dlspec new --from list` lists them all.")
        _refuse(f"there is no case '{case}'\n{hint}", ERROR)
    if name is None and case is None:
        _refuse("name the study: `dlspec new NAME`, or the case to copy: `dlspec new --from CASE`", USAGE)
    given = name or str(case)
    path = Path(given if given.endswith((".yaml", ".yml")) else f"{given}.yaml")
    word = path.stem.replace("-", "_")
    if not re.match(NAME, word):
        other = f"\n`dlspec new {as_name(word)}`" if as_name(word) else ""
        _refuse(f"'{word}' is not a name: a letter, then letters, digits and underscores{other}", USAGE)
    place = schema_place(path.parent)
    files = known[case].files() if case is not None else {}
    for there in (path, *(path.parent / beside for beside in files)):
        if there.exists():
            _refuse(f"{there} exists already; nothing was written", ERROR)
    text = known[case].text(word, place) if case is not None else first_spec(word, place)
    try:
        for beside, source in files.items():
            (path.parent / beside).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / beside).write_bytes(source.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        _refuse(f"{error.filename or path}: cannot be written: {error.strerror}", ERROR)
    quick = " -p quick" if "\n  quick:" in text else ""
    print("\n".join(map(str, (path, *(path.parent / beside for beside in files)))))
    print(f"\nNow: dlspec run {path}{quick}")


def _list(known: Sequence[Case]) -> None:
    from rich.text import Text

    from ..api.terminal import console_of, print_text

    console = console_of()
    width = max(len(case.name) for case in known) + 2
    for case in known:
        print_text(console, Text(f"{case.name:<{width}}", "bold").append(case.title, "not bold"), " " * width)


def _refuse(text: str, code: int) -> None:
    print(text, file=sys.stderr)
    raise typer.Exit(code)

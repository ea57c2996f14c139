"""`dlspec compare`: two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .study import Runs


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN", help="A run: its name, the beginning of it, or its folder.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="Another.")],
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the curves of both are drawn; else under FOLDER/comparisons/.")
    ] = None,
    root: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
) -> None:  # fmt: skip
    """Compares two runs: finals and verdicts side by side, curves in one figure."""
    from rich.console import Console

    from ..compare import as_data, compare, draw, show
    from ..folders import COMPARISONS
    from ..runs import named
    from ..store import explained

    made = compare(named(root, first), named(root, second))
    place = figure or root / COMPARISONS / f"{made.runs[0].name}--{made.runs[1].name}.png"
    with explained(place.parent):
        paths = draw(made, place)
    if as_json:
        print(json.dumps(as_data(made, paths), allow_nan=False))
        return
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = 160
    show(made, console)
    if paths:
        console.print(f"\nfigure {paths[0]}", highlight=False)

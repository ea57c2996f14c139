"""`dlspec compare`: two runs side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import ERROR, Runs


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

    from ..results.folder_names import COMPARISONS
    from ..results.optional_outputs import Aside
    from ..results.run_list import named
    from ..verdicts.run_comparison import as_data, compare
    from .text.comparison import show

    aside = Aside(lambda text: print(f"warning: {text}", file=sys.stderr))
    made = compare(named(root, first), named(root, second), aside)
    place = figure or root / COMPARISONS / f"{made.runs[0].name}--{made.runs[1].name}.png"
    paths: list[Path] = []
    with aside.part("the figure of both", "All else is here"):
        from ..figures.run_comparison import draw

        paths = draw(made, place)
    code = ERROR if aside.failed else 0
    if as_json:
        print(json.dumps(as_data(made, paths), allow_nan=False))
        raise typer.Exit(code)
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = 160
    show(made, console)
    if paths:
        console.print(f"\nfigure {paths[0]}", highlight=False, markup=False)
    raise typer.Exit(code)

"""`dlspec compare`: two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import complete
from .options import ERROR, Runs
from .warnings_told import tell_warning


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN", help="A run: its name, the beginning of it, or its folder.", autocompletion=complete.runs)],
    second: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare it with.", autocompletion=complete.runs)],
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the figure of both runs' curves; otherwise under FOLDER/comparisons/.")
    ] = None,
    root: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
) -> None:  # fmt: skip
    """Compares two runs side by side.

    What differs in what was run, finals and verdicts side by side, curves in one figure.
    """
    from ..api.run_comparison import Comparison
    from ..results.run_list import named

    both = Comparison(named(root, first), named(root, second), tell_warning)
    paths: list[Path] = []
    with both.aside.part("the figure of both", "The rest is here"):
        paths = both.figure(figure)
    if as_json:
        print(json.dumps(both.data(paths), allow_nan=False))
    else:
        from ..api.run_comparison_text import print_comparison

        print_comparison(both.numbers, both.study_diff)
        if paths:
            print(f"\nfigure {paths[0]}")
    raise typer.Exit(ERROR if both.aside.failed else 0)

"""`dlspec report`: a run as one HTML page."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ..results.folder_names import REPORT
from . import complete
from .options import ERROR, Runs
from .warnings_told import tell_warning

if TYPE_CHECKING:
    from ..results.run_list import RunRecord


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run: its name, its folder, or an archive; otherwise the newest.", autocompletion=complete.runs)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File for the page; otherwise in the run's folder, for two runs under FOLDER/comparisons/.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="RUN", help="Another run, or an archive: both on one page.", autocompletion=complete.runs),
    ] = None,
    root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Writes a run as one self-contained HTML page. Claims, figures, cells, provenance, the spec; with --against two runs side by
    side: what differs in what was run, verdicts, finals, curves."""
    from ..api.run_comparison import Comparison
    from ..api.run_page import write_page
    from ..results.run_list import newest

    with ExitStack() as until:
        found, lasts = _opened(root, run, until) if run is not None else (newest(root), True)
        if against is None:
            file = output or (found.folder / REPORT if lasts else Path(f"{found.name}.html"))
            whole = write_page(found, file, tell_warning)
        else:
            other, stays = _opened(root, against, until)
            both = Comparison(other, found, tell_warning)
            file = both.report(output or (None if lasts and stays else Path(f"{other.name}--{found.name}.html")))
            whole = not both.aside.failed
    print(file)
    raise typer.Exit(0 if whole else ERROR)


def _opened(root: Path, word: str, until: ExitStack) -> tuple[RunRecord, bool]:
    """A run by its name, its folder or its archive, and whether its folder lasts: that of an archive is there `until` then."""
    from ..api.packing import is_archive, unpacked
    from ..results.run_list import named

    if not is_archive(word):
        return named(root, word), True
    folder = until.enter_context(TemporaryDirectory())
    return unpacked(Path(word), Path(folder), tell_warning).run, False

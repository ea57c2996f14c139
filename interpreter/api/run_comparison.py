"""`dlspec.compare`: two runs side by side: what differs in what was run, finals, verdicts, curves."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dlspec import spec
from dlspec.spec.diff import AsRun, StudyDiff, compare_as_run
from dlspec.spec.diff.sections import PastResults

from ..results.errors import explained
from ..results.folder_names import COMPARISONS
from ..results.optional_outputs import Aside, reason
from ..results.run_list import RunRecord, named
from ..verdicts.run_comparison import CAPTION, as_data, difference_text, seen, spread_text
from ..verdicts.run_comparison import Comparison as Numbers
from ..verdicts.run_comparison import compare as compare_numbers
from . import html
from .comparison import Diff
from .diff_studies import Compared
from .run import RUNS, Run
from .study import warn

if TYPE_CHECKING:
    import pandas as pd

Given = Run | str | os.PathLike[str]


class Comparison:
    """Two runs side by side. Printed, it is what `dlspec compare` prints."""

    def __init__(self, first: RunRecord, second: RunRecord, warn: Callable[[str], None]) -> None:
        self.aside = Aside(warn)
        self.records = (first, second)
        self.numbers: Numbers = compare_numbers(first, second, self.aside)

    @property
    def runs(self) -> tuple[Run, Run]:
        """Both runs."""
        first, second = self.records
        return Run(first), Run(second)

    @cached_property
    def study_diff(self) -> StudyDiff | None:
        """The same as `diff` as an object of its own."""
        with self.aside.part("the difference of the studies", "The rest is here"):
            first, second = map(_as_run, self.runs)
            return compare_as_run(first, second)
        return None

    @property
    def diff(self) -> Diff | None:
        """What differs by meaning in what was run: the study, its profile, overrides. None, with a warning, where a study can't be read any more."""
        found = self.study_diff
        return Diff(Compared([(self.records[1].name, found)], PastResults())) if found is not None else None

    def finals(self) -> pd.DataFrame:
        """A row a measure of a cell, an entry of an array each: `experiment`, `cell`, `measure`, `first` and `second` (means over replicates),
        `difference` (second less first, the mean over pairs of replicates), `half` (of its 95 % t interval), `pairs`, `same_cells` (whether both
        were trained alike).

        Raises StudyError without pandas.
        """
        from .frames import comparison_frame

        return comparison_frame(self.numbers)

    def claims(self) -> pd.DataFrame:
        """A row a claim: `claim`, and of each run the verdict and the value (`first`, `first_value`, `second`, `second_value`). Raises StudyError
        without pandas."""
        from .frames import compared_claims_frame

        return compared_claims_frame(self.numbers)

    def figure(self, file: str | os.PathLike[str] | None = None) -> list[Path]:
        """Draws the curves of both in one figure, as PNG and SVG.

        Args:
            file: Where; otherwise under `comparisons` beside the first run.

        Returns: The files; none where there are no curves. Raises OSError.
        """
        from ..figures.run_comparison import draw

        return draw(self.numbers, Path(file) if file is not None else self._place(".png"))

    def report(self, file: str | os.PathLike[str] | None = None) -> Path:
        """Both as one HTML page that opens offline: what differs, verdicts and finals side by side, curves over each other.

        Args:
            file: Where the page goes; otherwise under `comparisons` beside the first run.

        Returns: The page. A part of it that cannot be made is a warning. Raises StudyError where it cannot be written.
        """
        from ..figures.run_comparison import draw_experiments
        from ..report.comparison_page import CURVES, write_comparison

        place = Path(file) if file is not None else self._place(".html")
        with TemporaryDirectory() as folder:
            with self.aside.part("the figures of both", "The rest is on the page"):
                draw_experiments(self.numbers, Path(folder), CURVES, self.aside.warn)
            with explained(place.parent):
                write_comparison(self.numbers, self.study_diff, Path(folder), place, self.aside)
        return place

    def _place(self, ending: str) -> Path:
        first, second = self.records
        return first.folder.parent / COMPARISONS / f"{first.name}--{second.name}{ending}"

    def data(self, figures: list[Path] | None = None) -> dict[str, Any]:
        """Plain data: what `dlspec compare --json` prints."""
        difference = self.diff
        return {
            **as_data(self.numbers, figures or []),
            "studies": difference.data()["studies"][0] if difference else None,
        }

    def __repr__(self) -> str:
        first, second = self.records
        return f"Comparison({first.name!r}, {second.name!r})"

    def __str__(self) -> str:
        from .run_comparison_text import print_comparison

        stream = io.StringIO()
        print_comparison(self.numbers, self.study_diff, stream)
        return stream.getvalue().rstrip("\n")

    def _repr_html_(self) -> str:
        names = [
            html.paragraph(html.bold(letter), html.code(run.name))
            for letter, run in zip("AB", self.records, strict=True)
        ]
        finals = [
            (
                f"{final.experiment} {final.program}".strip(), final.measure.replace("_", " "), spread_text(final.first, final.done[0]),
                spread_text(final.second, final.done[1]), difference_text(final),
            )
            for final in self.numbers.finals
        ]  # fmt: skip
        claims = [
            (
                html.code(name),
                *(part for one in pair for part in ((html.mark(one.verdict), seen(one)) if one else ("–", "–"))),
            )
            for name, *pair in self.numbers.claims
        ]
        return "".join(
            [
                *names,
                *(html.paragraph(words, muted=True) for words in self.numbers.warnings),
                self.diff._repr_html_() if self.diff else "",
                html.table(("cell", "measure", "A", "B", "B - A"), finals, numbers=2),
                html.paragraph(CAPTION, muted=True),
                html.table(("claim", "A", "", "B", ""), claims) if claims else "",
            ]
        )


def compare(first: Given, second: Given, *, runs: str | os.PathLike[str] = RUNS) -> Comparison:
    """Sets two runs side by side.

    Args:
        first: A run, its name, the beginning of one alone, or its folder.
        second: Another.
        runs: Where runs lie.

    Returns: What differs in their studies as they were run (`diff`), finals, verdicts and curves. Raises StudyError where a run cannot be read.
    """
    return Comparison(_record(first, runs), _record(second, runs), warn)


def _record(run: Given, runs: str | os.PathLike[str]) -> RunRecord:
    return run.record if isinstance(run, Run) else named(Path(runs), os.fspath(run))


def _as_run(run: Run) -> AsRun:
    try:
        return AsRun(run.study.document, run.profile, run.record.overrides, run.record.only)
    except spec.StudyError as error:
        raise spec.StudyError(spec.Problem(f"{run.path / 'spec.yaml'}: {reason(error)}")) from None

"""`dlspec diff` without options: text for a terminal, beside the results in `runs/`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .diff_files import diff_files

if TYPE_CHECKING:
    from ..api.diff_studies import Compared

RUNS = Path("runs")
"""Where runs are stored, unless it is said."""


def diff_as_text(sides: Sequence[str], runs: Path = RUNS) -> int:
    """`diff_files`, shown as text."""
    return diff_files(sides, runs, _show)


def _show(compared_studies: Compared) -> None:
    from ..api.diff_text import print_diffs

    print_diffs(compared_studies.diffs, compared_studies.past, sys.stdout)

"""What `dlspec diff` and `dlspec-check diff` do with two sides: they are compared, what differs is shown, the exit code says whether anything does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dlspec import spec

from ..api.diff_studies import Compared, compared
from .problems_told import tell_problems
from .warnings_told import tell_warning

SAME, DIFFERENT, TROUBLE = 0, 1, 2


def diff_files(sides: Sequence[str], runs: Path, show: Callable[[Compared], None]) -> int:
    """Compares two sides, and returns the exit code.

    Args:
        sides: Files, `REV:path` of git, `-` for standard input, or two directories.
        runs: Where runs are stored.
        show: Prints what was found.
    """
    if len(sides) != 2:
        print("dlspec diff takes two sides: `dlspec diff HEAD:study.yaml study.yaml`", file=sys.stderr)
        return TROUBLE
    try:
        found = compared(sides[0], sides[1], runs, tell_warning)
    except spec.StudyError as error:
        _trouble(error, sides)
        return TROUBLE
    show(found)
    return SAME if found.same else DIFFERENT


def show_json(compared_studies: Compared) -> None:
    """One JSON object."""
    from dlspec.spec.diff.json_form import data

    print(json.dumps(data(compared_studies.diffs, compared_studies.past), allow_nan=False))


def show_markdown(compared_studies: Compared) -> None:
    """GitHub-flavoured Markdown."""
    from dlspec.spec.diff.markdown import markdown

    print(markdown(compared_studies.diffs, compared_studies.past), end="")


def _trouble(error: spec.StudyError, sides: Sequence[str]) -> None:
    side = getattr(error, "side", "")
    if side:
        name = sides[0] if side == "before" else sides[1]
        print(f"the {'first' if side == 'before' else 'second'} side, {name}, is not a valid study:\n", file=sys.stderr)
    tell_problems(error.problems)

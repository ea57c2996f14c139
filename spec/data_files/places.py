"""Where a study's data files lie: in its folder, or anywhere where that is allowed."""

from __future__ import annotations

import os
from pathlib import Path

from ..diagnostics.problems import Problem, Source, StudyError, shortened

ALLOWED = "DLSPEC_ALLOW_DATA"
"""The environment variable that allows files outside a study's folder; `--allow-data` sets it."""


def allow_outside() -> None:
    """From now on files outside the folder of a study may be read, in this process and those that it starts."""
    os.environ[ALLOWED] = "1"


def located(study: Source, written: str) -> Path:
    """The file that a study names, from the study's own folder on. Raises StudyError for one outside."""
    try:
        folder = (Path(study.folder) if study.folder else Path(study.name).parent).resolve()
        path = (folder / written).resolve()
    except (OSError, ValueError, RuntimeError):
        raise StudyError(Problem(f"{shortened(written)}: is no path", None, "Name a file beside the study.")) from None
    if not path.is_relative_to(folder) and os.environ.get(ALLOWED) != "1":
        hint = "Put it beside the study, or use `--allow-data` (in Python set DLSPEC_ALLOW_DATA=1)."
        raise StudyError(Problem(f"{shortened(written)}: is outside the study's folder", None, hint))
    return path

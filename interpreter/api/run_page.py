"""A run's page, written with what can be made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..report import write_report
from ..results.errors import explained
from ..results.optional_outputs import Aside
from ..results.run_list import RunRecord


def write_page(record: RunRecord, file: Path, warn: Callable[[str], None]) -> bool:
    """Writes a run's page; whether it is whole. `warn` is told of each part that cannot be made. Raises StudyError.

    A page that is there already is not replaced by one with less in it: what cannot be made is raised then.
    """
    aside = None if file.exists() else Aside(warn)
    with explained(file.parent):
        write_report(record, file, aside=aside)
    return aside is None or not aside.failed

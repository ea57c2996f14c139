"""The study of a run as it was run, with the data files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dlspec import spec
from dlspec.spec.data_files.named_in_a_study import named_files
from dlspec.spec.diagnostics.problems import Source

from .run_list import RunRecord

SPEC = "spec.yaml"
"""The study's text in a run's folder."""


def run_study(run: RunRecord) -> Source:
    """The text that a run's folder holds. Its data files are those beside it where it was packed with them; otherwise those of the file that was run.

    Raises StudyError where the text cannot be read.
    """
    text = spec.read(run.folder / SPEC)
    if "data" not in text.text or _has_its_data(run, text):
        return text
    file = next((file for file in _places(run) if _is_study(file, run.study)), None)
    return text if file is None else replace(text, folder=str(file.parent))


def _has_its_data(run: RunRecord, text: Source) -> bool:
    try:
        names = named_files(text)
    except spec.StudyError:
        return True
    return bool(names) and all((run.folder / name).exists() for name in names)


def _places(run: RunRecord) -> Iterator[Path]:
    """Where the file that was run may lie: its command named it from the folder that runs/ lies in, or from here on."""
    command = run.about.get("command")
    words = map(str, command if isinstance(command, list) else ())
    for word in (word for word in words if word.endswith((".yaml", ".yml"))):
        yield from (folder / word for folder in (run.folder.resolve().parent.parent, Path()))


def _is_study(file: Path, name: str) -> bool:
    """Whether a file is a study of a name: nothing else says where a run's data may be read."""
    try:
        return file.is_file() and spec.parse(spec.read(file)).study.study == name
    except (spec.StudyError, OSError):
        return False

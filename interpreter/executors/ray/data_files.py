"""Data files on a node: found by the checksum of their values, where the driver has them or in the node's cache; else the driver's travel."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlspec.spec.cache_dir import user_cache
from dlspec.spec.data_files.survey import survey
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.ir.data import NamedFile, Rows
from dlspec.spec.ir.plan import Program

from ...results.atomic_files import replace_file

MAX_SENT = 2**31
"""The bytes of the largest file that travels."""


def files_of(program: Program) -> Sequence[NamedFile]:
    """The data files of a program."""
    return program.data.files if isinstance(program.data, Rows) else ()


def found(
    program: Program, sent: Mapping[str, Any], fetch: Callable[[Any], bytes]
) -> tuple[Program, tuple[NamedFile, ...]]:
    """The program with its data files where they lie on this node, and those that are not there.

    `sent` are those that travelled, by their checksums, which `fetch` gets; they are kept in the user's cache. Raises OSError.
    """
    files, lacking = [], []
    for file in files_of(program):
        copy = _copy_of(file)
        place = next((path for path in (Path(file.path), copy) if _is_there(file, path)), None)
        if place is None and file.checksum in sent:
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(copy, fetch(sent[file.checksum]))
            place = copy if _is_there(file, copy) else None
        if place is None:
            lacking.append(file)
        files.append(file if place is None else replace(file, path=str(place)))
    if not files or lacking:
        return program, tuple(lacking)
    return replace(program, data=replace(program.data, files=tuple(files))), ()  # type: ignore[call-arg]


def cannot_travel(file: NamedFile) -> str:
    """Why a file of the driver cannot be sent to a node; empty where it can."""
    path = Path(file.path)
    if path.is_dir():
        return "a folder is not sent there"
    size = path.stat().st_size
    return f"{size / 2**30:.1f} GiB are not sent there" if size > MAX_SENT else ""


def _is_there(file: NamedFile, path: Path) -> bool:
    try:
        return survey(path, file.header).checksum == file.checksum
    except StudyError:
        return False


def _copy_of(file: NamedFile) -> Path:
    folder = user_cache() or Path(tempfile.gettempdir()) / "dlspec"
    return folder / "data_sent" / file.checksum / Path(file.path).name

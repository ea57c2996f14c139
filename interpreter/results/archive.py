"""A folder as one file: written whole, and unpacked with care, for an archive may come from anybody.

Of an archive nothing is run and nothing is unpickled. Names that lead out of its folder, links, names with other signs than a run's files have,
a second file of one name, and more bytes than the disk has room for are refused before anything is written.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .atomic_files import replace_file
from .errors import StoreError, explained

SUFFIX = ".dlspec.zip"
MAX_FILES = 100_000
PART = re.compile(r"(?!\.)[\w.,=+@ ()\[\]-]{1,200}")
BLOCK = 1 << 20
HINT = "Nothing was written. Ask whoever packed it for another."


def pack(file: Path, files: Iterable[tuple[str, Path | bytes]]) -> int:
    """Writes files under their names in an archive, whole or not at all; returns its bytes. Raises StoreError."""

    def fill(stream: IO[bytes]) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                if isinstance(content, bytes):
                    archive.writestr(name, content)
                else:
                    archive.write(content, name)

    with explained(file.parent):
        replace_file(file, fill)
    return file.stat().st_size


def names_of(file: Path) -> list[str]:
    """The names in an archive that may be unpacked. Raises StoreError, also for a file that is no archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [info.filename for info in _checked(file, archive)]
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(file, error) from error


def unpack(file: Path, folder: Path) -> None:
    """Unpacks an archive into a folder that is empty. Raises StoreError; nothing is written where it is refused."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = _checked(file, archive)
            size = sum(info.file_size for info in infos)
            with explained(folder):
                if size > shutil.disk_usage(folder).free:
                    raise StoreError(f"{file}: it holds {size:,} bytes, but the disk has less room", HINT)
                for info in infos:
                    place = folder.joinpath(*info.filename.split("/"))
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as source, place.open("xb") as target:
                        shutil.copyfileobj(source, target, BLOCK)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise _unreadable(file, error) from error


def _checked(file: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive. Raises StoreError for one that holds what no run has."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        raise StoreError(f"{file}: it holds {len(infos):,} files; the limit is {MAX_FILES:,}", HINT)
    seen: set[str] = set()
    for info in infos:
        mode = info.external_attr >> 16
        if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise StoreError(f"{file}: {info.filename!r} is a link, or not a plain file", HINT)
        if not all(PART.fullmatch(part) for part in info.filename.split("/")):
            raise StoreError(f"{file}: {info.filename!r} is not the name of a file in a run", HINT)
        if info.filename.lower() in seen:
            raise StoreError(f"{file}: {info.filename!r} is in it twice", HINT)
        seen.add(info.filename.lower())
    return infos


def _unreadable(file: Path, error: Exception) -> StoreError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreError(f"{file}: cannot be unpacked: {why}", "`dlspec pack RUN` writes such an archive.")

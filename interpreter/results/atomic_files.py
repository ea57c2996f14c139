"""Files and folders that are whole or not there: written beside their place, flushed to the disk, and renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

BLOCK_BYTES = 1 << 20
PREFIX = ".draft-"


def write(folder: Path, fill: Callable[[IO[bytes]], object], name: str | Callable[[str], str], mark: str = "") -> Path:
    """Writes a file into a folder, which is made if it is not there; returns its path.

    `fill` gets the open draft. `name` is the file's name, or a function from the draft's checksum to it. A draft that a
    killed process leaves behind is called `.draft-MARK-…`. Raises OSError; the draft is then removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = _write(folder, fill, name, mark, 0o644)
    sync(folder)
    return place


def replace_file(path: Path, content: bytes | Callable[[IO[bytes]], object], mode: int = 0o644) -> None:
    """Writes a file into a folder that is there, or puts it in the place of one; what a link leads to in place of that.

    `content` is what it is to hold, or fills the open draft. Raises OSError, and what `content` raises; what was there then stays.
    """
    place = Path(os.path.realpath(path))
    fill = content if callable(content) else lambda stream: stream.write(content)
    _write(place.parent, fill, place.name, "", mode)


def _write(
    folder: Path, fill: Callable[[IO[bytes]], object], name: str | Callable[[str], str], mark: str, mode: int
) -> Path:
    handle, draft = tempfile.mkstemp(prefix=f"{PREFIX}{mark}-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(draft, mode)
        place = folder / (name if isinstance(name, str) else name(checksum(Path(draft))))
        os.replace(draft, place)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return place


def draft_folder(root: Path, title: str, owner: str) -> Path:
    """A new hidden folder for what an owner of leases makes, to be moved out of it or removed by it; raises OSError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     made = draft_folder(Path(name), "study-1", "1f")
    ...     drafts_of(Path(name), "1f") == [made], drafts_of(Path(name), "2e")
    (True, [])
    """
    return Path(tempfile.mkdtemp(prefix=f".{title}{_mark(owner)}", dir=root))


def drafts_of(root: Path, owner: str) -> list[Path]:
    """The folders of an owner's that are there still."""
    return list(root.glob(f".*{_mark(owner)}*"))


def _mark(owner: str) -> str:
    return f"-of-{owner}-"


@contextmanager
def replaced(folder: Path, over: bool = True) -> Iterator[Path]:
    """A draft of a folder to be filled, that takes the folder's place when the context ends without an exception.

    Not `over` one that is there and holds something: that raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{folder.name}-", dir=folder.parent))
    try:
        yield draft
        os.chmod(draft, 0o755)
        if over:
            shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def sync(folder: Path) -> None:
    """Flushes a folder's entries, where the system can: a renamed file is then there after a loss of power."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum(path: Path) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256."""
    found = sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()[:16]


def checksum_of(content: bytes) -> str:
    """The same of bytes that were read."""
    return sha256(content).hexdigest()[:16]

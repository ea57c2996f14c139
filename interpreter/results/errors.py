"""Errors of a store, each with its remedy: a full disk, no permission, another version, a damaged file."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlspec.spec.diagnostics.problems import Problem, StudyError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
ACCESS_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)

MIN_FREE_BYTES = 1 << 17


class StoreError(StudyError):
    """What the owner of a store can mend."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(Problem(message, hint=hint))


class Damaged(Exception):
    """A file of the store is not what was written; its cells are set aside and run again."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turns what the system and SQLite say of a store at `root` into a StoreError."""
    try:
        yield
    except OSError as error:
        raise of_system(root, error) from error
    except sqlite3.Error as error:
        raise _of_database(root, error) from error


def of_system(root: Path, error: OSError) -> StoreError:
    """The system's error with what to do about it."""
    place = error.filename or root
    if error.errno in DISK_FULL:
        return full(root)
    if error.errno in ACCESS_DENIED:
        return StoreError(
            f"{place}: cannot be written: {error.strerror}",
            "Nothing was changed. Give yourself permission to write there, or choose another folder with --runs.",
        )
    return StoreError(f"{place}: {error.strerror or error}", "What is stored already is kept.")


def full(root: Path) -> StoreError:
    """The disk is full."""
    return StoreError(
        f"{root}: no space is left on the disk",
        "What is stored already is kept. Make room (`dlspec runs prune` removes old runs) and run again: "
        "it goes on from there.",
    )


def _of_database(root: Path, error: sqlite3.Error) -> StoreError:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _little_space(root)):
        return full(root)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(
            f"{root}: cannot be written: {text}",
            "Nothing was changed. Give yourself permission to write there, or choose another folder with --runs.",
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged_index(root, text)
    if primary == sqlite3.SQLITE_BUSY:
        return StoreError(
            f"{root}: another process held the index for over a minute: {text}",
            "What is stored already is kept. Run again when that process is done.",
        )
    return StoreError(f"{root}: the index: {text}", "What is stored already is kept.")


def _little_space(root: Path) -> bool:
    """Whether a disk has no room for the few pages that SQLite keeps beside its file; it calls that an I/O error."""
    try:
        return shutil.disk_usage(root).free < MIN_FREE_BYTES
    except OSError:
        return False


def damaged_index(root: Path, reason: str) -> StoreError:
    """SQLite cannot read the index, or finds it inconsistent."""
    return StoreError(
        f"{root / 'index.sqlite'}: the index is damaged: {reason}",
        "No result is lost: each is in a file of its own. `dlspec runs repair` rebuilds the index from them.",
    )

"""The index of a store, in SQLite: which replicate lies in which file, who runs what at present."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from ..results.errors import StoreError, damaged_index, explained
from . import files

VERSION = 1
APPLICATION = 0x646C7370  # "dlsp"
BUSY_SECONDS = 60
KEYS_PER_QUERY = 500

SCHEMA = """
CREATE TABLE parts(          -- a file of curves, and of samples if there are any, written when a program ended
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, samples TEXT, created TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE cells(          -- one replicate of a program; `ends` counts how often it was run to its end
    key TEXT PRIMARY KEY, part TEXT NOT NULL REFERENCES parts(name), digest TEXT NOT NULL, replicate INTEGER NOT NULL,
    status TEXT NOT NULL, ends INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX cells_by_digest ON cells(digest, replicate);
CREATE INDEX cells_by_part ON cells(part);
CREATE TABLE offers(         -- the measures that a part holds, by their digests
    measure TEXT NOT NULL, part TEXT NOT NULL, PRIMARY KEY (measure, part)
) WITHOUT ROWID;
CREATE TABLE claims(         -- cells that a process runs at present
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, since TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE devices(        -- the kind of device that TensorFlow found in an environment
    environment TEXT PRIMARY KEY, kind TEXT NOT NULL
) WITHOUT ROWID;
"""

SEEN_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen(   -- a part as it was last found whole: what it says of itself, and its files' stamps
    part TEXT PRIMARY KEY, about TEXT NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL,
    samples_size INTEGER, samples_changed INTEGER
)
"""
"""Cache of file headers, so that opening a store reads no file; filled lazily for older stores."""


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds the lock under which a store is opened or made anew."""
    with FileLock(root / "lock", thread_local=False).acquire(timeout=BUSY_SECONDS):
        yield


class Index:
    """A connection to the index; made if it is not there. To be opened under the store's lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "index.sqlite"
        self.connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        run = self.connection.execute
        empty = self._empty()
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        if empty:
            run("BEGIN IMMEDIATE")
            for statement in SCHEMA.split(";\n"):
                if statement.strip():
                    run(statement)
            run(f"PRAGMA application_id = {APPLICATION}")
            run(f"PRAGMA user_version = {VERSION}")
            run("COMMIT")
        run(SEEN_SCHEMA)
        (word,) = run("PRAGMA quick_check(1)").fetchone()
        if word != "ok":
            raise damaged_index(self.root, word)

    def _empty(self) -> bool:
        """Whether there is nothing in it yet. Raises StoreError where it is no index that can be read."""
        version, application = self._number("user_version"), self._number("application_id")
        empty = bool(self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)
        if not empty and application != APPLICATION:
            raise StoreError(f"{self.path}: this is not a store of dlspec", "Choose another folder with --runs.")
        if not empty and version != VERSION:
            newer = "a newer" if version > VERSION else "an older"
            raise StoreError(
                f"{self.path}: this store is of version {version}, made by {newer} dlspec; this one reads {VERSION}",
                "Nothing was changed. Use that dlspec, or choose another folder with --runs.",
            )
        return empty

    def _number(self, pragma: str) -> int:
        return int(self.connection.execute(f"PRAGMA {pragma}").fetchone()[0])

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that others wait for; undone if anything in it fails."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def where(self, sql: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query that ends in `IN`, for any number of keys."""
        for start in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[start : start + KEYS_PER_QUERY]
            yield from self.connection.execute(f"{sql} ({','.join('?' * len(some))})", some)

    def files_of(self, keys: Sequence[str]) -> dict[str, str]:
        """The result file of each of the replicates that are stored."""
        return dict(self.where("SELECT key, part FROM cells WHERE key IN", keys))

    def owners_of(self, keys: Sequence[str]) -> dict[str, str]:
        """Who runs each of the replicates that are claimed."""
        return dict(self.where("SELECT key, owner FROM claims WHERE key IN", keys))

    def seen(self, names: Sequence[str]) -> dict[str, tuple[str, int, int, int | None, int | None]]:
        """What is remembered of each of some result files: what it says of itself, and its files' sizes and times of change."""
        found = self.where(
            "SELECT part, about, size, changed, samples_size, samples_changed FROM seen WHERE part IN", names
        )
        return {row[0]: row[1:] for row in found}

    def others(self, digest: str, number: int, measure: str) -> list[tuple[str, str]]:
        """Stored replicates (key, result file) of a training and replicate whose result file holds a measure, the newest first."""
        found = self.connection.execute(
            "SELECT cells.key, cells.part FROM cells JOIN offers USING (part) JOIN parts ON parts.name = cells.part "
            "WHERE cells.digest = ? AND cells.replicate = ? AND offers.measure = ? ORDER BY parts.created DESC",
            (digest, number, measure),
        )
        return list(found)

    def device(self, environment: str) -> str | None:
        """The kind of device that was found in an environment before."""
        row = self.connection.execute("SELECT kind FROM devices WHERE environment = ?", (environment,)).fetchone()
        return row[0] if row else None

    def note_device(self, environment: str, kind: str) -> None:
        """Remembers the kind of device of an environment."""
        with self.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO devices VALUES (?, ?)", (environment, kind))

    def drop_owner(self, owner: str) -> None:
        """Gives all claims of a process back."""
        with self.writing() as connection:
            connection.execute("DELETE FROM claims WHERE owner = ?", (owner,))

    def count(self) -> int:
        """How many replicates are stored."""
        return int(self.connection.execute("SELECT count(*) FROM cells").fetchone()[0])


class ReadIndex(Index):
    """An index that is looked at and never changed: its folder may be one that can't be written. Raises StoreError."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "index.sqlite"
        self.connection = read_only(self.path)
        try:
            self._empty()
        except BaseException:
            self.connection.close()
            raise

    def seen(self, names: Sequence[str]) -> dict[str, tuple[str, int, int, int | None, int | None]]:
        """As of any index; stores had no such memory once, and none is added here."""
        there = self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'seen'").fetchone()
        return super().seen(names) if there else {}


def insert(connection: sqlite3.Connection, file: files.ResultFile) -> None:
    """Writes a result file and its replicates into the index."""
    about = file.about
    connection.execute(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)",
        (file.name, about["digest"], about["samples"], about["created"]),
    )
    for replicate in about["cells"]:
        connection.execute(
            "INSERT INTO cells VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (key) DO UPDATE SET "
            "part = excluded.part, status = excluded.status, ends = ends + (part != excluded.part)",
            (replicate["key"], file.name, about["digest"], replicate["replicate"], replicate["status"]),
        )
        for item in replicate["measures"]:
            connection.execute("INSERT OR IGNORE INTO offers VALUES (?, ?)", (item["digest"], file.name))
    remember(connection, file)


def remember(connection: sqlite3.Connection, file: files.ResultFile) -> None:
    """Remembers a result file as it was found whole; what was known of its samples stays where they were not looked at."""
    sampled = (file.sampled.size, file.sampled.changed) if file.sampled else (None, None)
    connection.execute(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (part) DO UPDATE SET size = excluded.size, "
        "changed = excluded.changed, samples_size = coalesce(excluded.samples_size, samples_size), "
        "samples_changed = coalesce(excluded.samples_changed, samples_changed)",
        (file.name, json.dumps(file.about), file.stamp.size, file.stamp.changed, *sampled),
    )


def drop_file(connection: sqlite3.Connection, name: str) -> tuple[str, str | None] | None:
    """Forgets a result file that no replicate lies in any more; returns the files to remove, or nothing if a replicate lies in it.

    The same samples, found again by a forced run, are the same file: it stays.
    """
    if connection.execute("SELECT 1 FROM cells WHERE part = ?", (name,)).fetchone():
        return None
    row = connection.execute("SELECT samples FROM parts WHERE name = ?", (name,)).fetchone()
    connection.execute("DELETE FROM parts WHERE name = ?", (name,))
    connection.execute("DELETE FROM offers WHERE part = ?", (name,))
    connection.execute("DELETE FROM seen WHERE part = ?", (name,))
    samples = row[0] if row else None
    shared = connection.execute("SELECT 1 FROM parts WHERE samples = ?", (samples,)).fetchone()
    return name, None if shared else samples


def claim(connection: sqlite3.Connection, key: str, owner: str, since: str) -> None:
    """Writes that a process runs a replicate from now on."""
    connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, owner, since))


def drop_claims(connection: sqlite3.Connection, keys: Sequence[str]) -> None:
    """Gives the claims on some replicates back."""
    connection.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in keys])


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that reads alone, also where nothing may be written beside the file. Raises sqlite3.Error."""
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", timeout=BUSY_SECONDS, uri=True, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
    # Readers share memory in a file beside the index; where that can't be made nobody writes either.
    return sqlite3.connect(f"{uri}?immutable=1", timeout=BUSY_SECONDS, uri=True, isolation_level=None)


def counted(root: Path) -> dict[str, int] | None:
    """How many replicates a store holds, in how many bytes of replicates; none if there is no store. Raises StoreError."""
    path = root / "index.sqlite"
    if not path.exists():
        return None
    with explained(root):
        connection = read_only(path)
        try:
            count = int(connection.execute("SELECT count(*) FROM cells").fetchone()[0])
        finally:
            connection.close()
    size = sum(entry.stat().st_size for folder in (root / "cells").glob("??") for entry in os.scandir(folder))
    return {"cells": count, "bytes": size}

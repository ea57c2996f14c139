"""The store: the results of replicates under their names, shared by all runs and by several processes at once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from filelock import FileLock

from ..results import atomic_files as atomic
from ..results.errors import Damaged, StoreError, explained
from ..results.replicates import Replicate
from . import files as parts
from .checkpoints import Checkpoints
from .lazy_arrays import Numbers
from .leases import Owner
from .requests import CellRequest, ReplicateBatch
from .sqlite_index import BUSY_SECONDS, Index

FINAL_STATUSES = ("done", "diverged")
"""How a replicate ends that is stored: it would end so again. What failed or was interrupted is run again."""


@dataclass(frozen=True)
class Lease:
    """What came of claiming a piece: replicates that are this process' to run, that others run, and that are stored."""

    mine: tuple[int, ...]
    held: tuple[int, ...]
    stored: tuple[int, ...]


Row = tuple[str, int, int, int | None, int | None]


class LookupCache:
    """What one look into the store has found so far: what the index remembers, the parts, and those that were read."""

    def __init__(self, seen: Mapping[str, Row]) -> None:
        self.seen = dict(seen)
        self.found: dict[tuple[str, bool], parts.Part | None] = {}
        self.read: list[parts.Part] = []

    def remembered(self, name: str) -> parts.Seen | None:
        """What the index remembers of a part."""
        if (row := self.seen.get(name)) is None:
            return None
        about, size, changed, samples_size, samples_changed = row
        sampled = None
        if samples_size is not None and samples_changed is not None:
            sampled = parts.Stamp(samples_size, samples_changed)
        return parts.Seen(about, parts.Stamp(size, changed), sampled)


class Store:
    """A store, made if it is not there. Every fault of it is a StoreError; `warn` is told of what was set aside."""

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self._lies_at(root, warn)
        with explained(root):
            root.mkdir(parents=True, exist_ok=True)
            with locked(root):
                self.owner = Owner(root / "owners")
                try:
                    self.index = Index(root)
                    self.drop_dead_leases()
                except BaseException:
                    self.owner.leave()
                    raise

    def _lies_at(self, root: Path, warn: Callable[[str], None]) -> None:
        """Sets where its files are, and how their numbers are read; nothing is opened."""
        self.root = root
        self.warn = warn
        self.replicates = root / "cells"
        self.weights = root / "weights"
        self.numbers = Numbers(partial(parts.numbers, self.replicates), parts.checked, self._lost)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what is claimed still, and closes."""
        try:
            with self.index.writing() as connection:
                connection.execute("DELETE FROM claims WHERE owner = ?", (self.owner.name,))
        except sqlite3.Error:
            pass  # an owner that is gone holds nothing
        self.index.close()
        self.owner.leave()

    def drop_dead_leases(self) -> None:
        """Forgets dead processes: their claims, the drafts of files that they left behind, checkpoints of what is stored."""
        dead = [name for name, alive in self.owner.others().items() if not alive]
        for name in dead:
            with self.index.writing() as connection:
                connection.execute("DELETE FROM claims WHERE owner = ?", (name,))
            for draft in self.root.glob(f"*/{atomic.PREFIX}{name}-*"):
                draft.unlink(missing_ok=True)
            for draft in self.replicates.glob(f"*/{atomic.PREFIX}{name}-*"):
                draft.unlink(missing_ok=True)
            self.owner.forget(name)
        if dead:
            self._drop_spent()

    def _drop_spent(self) -> None:
        """Removes checkpoints whose replicates all are stored: a process was killed between storing them and removing these.

        One of a living process, which runs stored replicates again, has its claim.
        """
        for path in self._kept_checkpoints():
            keys = sorted(_checkpointed(path))
            if keys and len(self.index.parts_of(keys)) == len(keys) and not self.index.owners_of(keys):
                path.unlink(missing_ok=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    def find(self, requests: Sequence[tuple[CellRequest, int]]) -> list[Replicate | None]:
        """The replicates that are stored with all that is asked of them, in the order asked. Damaged ones are set aside.

        A file of the size and the time of change that it had when it was found whole counts as whole; others are read.
        Curves and samples are read when they are asked for: a StoreError then where they are not what was written.
        """
        with explained(self.root):
            keys = [wanted.key(number) for wanted, number in requests]
            direct = self.index.parts_of(list(dict.fromkeys(keys)))
            looked = LookupCache(self.index.seen(list(dict.fromkeys(direct.values()))))
            replicates: list[Replicate | None] = []
            for key, (wanted, number) in zip(keys, requests, strict=True):
                place: tuple[str, str] | None = (key, direct[key]) if key in direct else None
                place = place or self._other(wanted, number, looked)
                part = self._part(place[1], looked, bool(wanted.samples)) if place else None
                inside = place is not None and part is not None and place[0] in part.held
                replicates.append(
                    part.replicate(wanted, number, place[0], self.numbers) if inside and part and place else None
                )
            if looked.read:
                self._remember(looked.read)
            return replicates

    def _remember(self, read: Sequence[parts.Part]) -> None:
        """Lets the next look spare the reading of parts that were found whole."""
        with self.index.writing() as connection:
            for part in read:
                _note(connection, part)

    def _other(self, wanted: CellRequest, number: int, looked: LookupCache) -> tuple[str, str] | None:
        """A replicate stored for another spec, of the same training, that holds what is asked and perhaps more."""
        measure = next(iter(wanted.measures.values()), "")
        for key, name in self.index.others(wanted.digest, number, measure):
            if name not in looked.seen:
                looked.seen |= self.index.seen([name])
            part = self._part(name, looked, bool(wanted.samples))
            if part is not None and key in part.held and wanted.served_by(part.held[key]):
                return key, name
        return None

    def _part(self, name: str, looked: LookupCache, samples: bool) -> parts.Part | None:
        if (name, samples) not in looked.found:
            try:
                part = parts.known(self.replicates, name, samples, looked.remembered(name))
                if part is None:
                    part = parts.read(self.replicates, name, samples)
                    looked.read.append(part)
                looked.found[name, samples] = part
            except Damaged as damaged:
                looked.found[name, samples] = None
                self.set_aside(damaged, name)
        return looked.found[name, samples]

    def _lost(self, damaged: Damaged) -> NoReturn:
        """A file that counted as whole is not what was written: it is moved away, so that the next run misses it."""
        with explained(self.root):
            moved = quarantine(self.root, damaged.path)
        kept = f"It is kept in {moved}. " if moved else ""
        raise StoreError(
            f"{damaged.path}: {damaged.reason}", f"{kept}Run again: its replicates run anew, all others are stored."
        ) from damaged

    def device(self, environment: str) -> str | None:
        """The kind of device that was found in an environment before."""
        with explained(self.root):
            row = self.index.connection.execute(
                "SELECT kind FROM devices WHERE environment = ?", (environment,)
            ).fetchone()
        return row[0] if row else None

    def note_device(self, environment: str, kind: str) -> None:
        """Remembers the kind of device of an environment."""
        with explained(self.root), self.index.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO devices VALUES (?, ?)", (environment, kind))

    # -- running -----------------------------------------------------------------------------------------------------

    def claim(self, piece: ReplicateBatch, force: bool = False) -> Lease:
        """Claims the replicates of a piece that are neither stored nor run by a process that is alive.

        With `force`, stored replicates are claimed too.
        """
        with explained(self.root):
            if (settled := self._settled(piece, force)) is not None:
                return settled
            with self.index.writing() as connection:
                stored = {} if force else self.index.parts_of(piece.keys)
                held = self.index.owners_of(piece.keys)
                living = {owner for owner in set(held.values()) if self.owner.alive(owner)}
                now = datetime.now(UTC).isoformat(timespec="seconds")
                mine, others, there = [], [], []
                for number, key in zip(piece.numbers, piece.keys, strict=True):
                    if key in stored:
                        there.append(number)
                    elif held.get(key) in living:
                        others.append(number)
                    else:
                        connection.execute(
                            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, self.owner.name, now)
                        )
                        mine.append(number)
            if mine and not force and self._adopt(piece.only(mine)):
                there, mine = there + mine, []
            return Lease(tuple(mine), tuple(others), tuple(there))

    def _settled(self, piece: ReplicateBatch, force: bool) -> Lease | None:
        """What a claim comes to where nothing is left to claim, found without a transaction that others wait for."""
        stored = {} if force else self.index.parts_of(piece.keys)
        held = {key: owner for key, owner in self.index.owners_of(piece.keys).items() if key not in stored}
        if len(stored) + len(held) < len(set(piece.keys)) or not all(map(self.owner.alive, set(held.values()))):
            return None
        there = tuple(r for r, key in zip(piece.numbers, piece.keys, strict=True) if key in stored)
        return Lease((), tuple(r for r in piece.numbers if r not in there), there)

    def _adopt(self, piece: ReplicateBatch) -> bool:
        """Lists a part that a process wrote and was killed before it could list it."""
        for name in parts.found(self.replicates, piece.name):
            try:
                part = parts.read(self.replicates, name)
            except Damaged as damaged:
                self.set_aside(damaged, name)
                continue
            if set(piece.keys) <= set(part.held):
                with self.index.writing() as connection:
                    insert(connection, part)
                    _drop_claims(connection, piece.keys)
                return True
        return False

    def commit(
        self, piece: ReplicateBatch, replicates: Sequence[Replicate], packages: Mapping[str, str]
    ) -> list[Replicate]:
        """Stores what a piece gave, gives its claims back, and returns its replicates as they are stored.

        A piece of which a replicate failed or was interrupted is not stored: only its claims are given back.
        """
        with explained(self.root):
            if any(replicate.status not in FINAL_STATUSES for replicate in replicates):
                self.release(piece)
                return list(replicates)
            path = parts.write(self.replicates, piece, replicates, packages, self.owner.name)
            part = parts.read(self.replicates, path.name)
            with self.index.writing() as connection:
                before = set(self.index.parts_of(piece.keys).values()) - {path.name}
                insert(connection, part)
                _drop_claims(connection, piece.keys)
                dropped = [gone for name in before if (gone := _dropped(connection, name)) is not None]
            for name, samples in dropped:
                parts.remove(self.replicates, name, samples)
            committed = [
                part.replicate(piece.wanted, replicate.number, replicate.key, self.numbers) for replicate in replicates
            ]
            for replicate in committed:
                replicate.stored = False
            return committed

    def release(self, piece: ReplicateBatch) -> None:
        """Gives claims back."""
        with explained(self.root), self.index.writing() as connection:
            _drop_claims(connection, piece.keys)

    def begun(self) -> frozenset[str]:
        """The names of the pieces that have a checkpoint."""
        return frozenset(path.stem for path in self._kept_checkpoints())

    def _kept_checkpoints(self) -> list[Path]:
        return list((self.root / "checkpoints").glob("*.ckpt"))

    def checkpoints(self, piece: ReplicateBatch, made_by: Mapping[str, Any], every: float) -> Checkpoints:
        """The checkpoint of a piece."""
        return Checkpoints(self.root / "checkpoints" / f"{piece.name}.ckpt", made_by, every, self.owner.name)

    # -- keeping it in order -----------------------------------------------------------------------------------------

    def set_aside(self, damaged: Damaged, part: str) -> None:
        """Moves a part with a damaged file to `damaged/`, and forgets the replicates in it: they will run again."""
        moved = quarantine(self.root, damaged.path)
        quarantine(self.root, self.replicates / part[:2] / part)
        with self.index.writing() as connection:
            lost = connection.execute("DELETE FROM cells WHERE part = ?", (part,)).rowcount
            _dropped(connection, part)
        if moved or lost:
            kept = f"It is kept in {moved}" if moved else "It is gone"
            self.warn(f"{damaged.path}: {damaged.reason}. {kept}; {_cells(lost)} of it will run again.")

    def prune(self, keep: set[str], dry: bool) -> tuple[int, int]:
        """Removes the parts of which no replicate is to be kept or is claimed, and checkpoints; returns replicates and bytes.

        With `dry`, removes nothing.
        """
        with explained(self.root), self.index.writing() as connection:
            claimed = {key for (key,) in connection.execute("SELECT key FROM claims")}
            by_part: dict[tuple[str, str | None], list[str]] = {}
            rows = "SELECT parts.name, parts.samples, cells.key FROM parts LEFT JOIN cells ON cells.part = parts.name"
            for name, samples, key in connection.execute(rows):
                by_part.setdefault((name, samples), []).extend([key] if key else [])
            doomed = {part: keys for part, keys in by_part.items() if not (keep | claimed).intersection(keys)}
            replicates = sum(map(len, doomed.values()))
            freed = sum(
                path.stat().st_size
                for name, samples in doomed
                for file in (name, samples)
                if file and (path := self.replicates / file[:2] / file).exists()
            )
            old = [path for path in self._kept_checkpoints() if not claimed & _checkpointed(path)]
            freed += sum(path.stat().st_size for path in old)
            if not dry:
                for name, _ in doomed:
                    connection.execute("DELETE FROM cells WHERE part = ?", (name,))
                    _dropped(connection, name)
        if not dry:
            for (name, samples), keys in doomed.items():
                parts.remove(self.replicates, name, samples)
                for key in keys:
                    shutil.rmtree(self.weights / key, ignore_errors=True)
            for path in old:
                path.unlink(missing_ok=True)
        return replicates, freed


def insert(connection: sqlite3.Connection, part: parts.Part) -> None:
    """Writes a part and its replicates into the index."""
    about = part.about
    connection.execute(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)",
        (part.name, about["digest"], about["samples"], about["created"]),
    )
    for replicate in about["cells"]:
        connection.execute(
            "INSERT INTO cells VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (key) DO UPDATE SET "
            "part = excluded.part, status = excluded.status, ends = ends + (part != excluded.part)",
            (replicate["key"], part.name, about["digest"], replicate["replicate"], replicate["status"]),
        )
        for item in replicate["measures"]:
            connection.execute("INSERT OR IGNORE INTO offers VALUES (?, ?)", (item["digest"], part.name))
    _note(connection, part)


def _note(connection: sqlite3.Connection, part: parts.Part) -> None:
    """Remembers a part as it was found whole; what was known of its samples stays where they were not looked at."""
    sampled = (part.sampled.size, part.sampled.changed) if part.sampled else (None, None)
    connection.execute(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (part) DO UPDATE SET size = excluded.size, "
        "changed = excluded.changed, samples_size = coalesce(excluded.samples_size, samples_size), "
        "samples_changed = coalesce(excluded.samples_changed, samples_changed)",
        (part.name, json.dumps(part.about), part.stamp.size, part.stamp.changed, *sampled),
    )


def quarantine(root: Path, path: Path) -> Path | None:
    """Moves a file to the store's folder of damaged ones; where it lies then, or nothing if it is gone."""
    if not path.exists():
        return None
    folder = root / "damaged"
    folder.mkdir(exist_ok=True)
    place = folder / path.name
    count = 1
    while place.exists():
        count += 1
        place = folder / f"{path.name}.{count}"
    shutil.move(path, place)
    return place


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds the lock under which a store is opened or made anew."""
    with FileLock(root / "lock", thread_local=False).acquire(timeout=BUSY_SECONDS):
        yield


def _dropped(connection: sqlite3.Connection, name: str) -> tuple[str, str | None] | None:
    """Forgets a part that no replicate lies in any more; returns the files to remove, or nothing if a replicate lies in it.

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


def _drop_claims(connection: sqlite3.Connection, keys: Sequence[str]) -> None:
    connection.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in keys])


def _checkpointed(path: Path) -> set[str]:
    """The keys of the replicates in a checkpoint; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {replicate["key"] for replicate in json.loads(archive.read("about.json"))["cells"]}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return set()


def _cells(count: int) -> str:
    return f"{count} replicate{'' if count == 1 else 's'}"

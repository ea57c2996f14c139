"""The store: the results of replicates under their names, shared by all runs and by several processes at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ..results.atomic_files import replace_file
from ..results.errors import Damaged, StoreError, explained
from ..results.replicates import BROKEN, DONE, Array, Replicate
from . import files
from .checkpoints import Checkpoints, checkpoint_files
from .garbage import drop_dead_leases, prune, quarantine
from .lazy_arrays import Numbers
from .leases import Lease, Leases, Owner
from .requests import CellRequest, ReplicateBatch
from .sqlite_index import Index, drop_claims, drop_file, insert, locked, remember

FINAL_STATUSES = (DONE, *BROKEN)
"""How a replicate ends that is stored: it would end so again. What failed or was interrupted is run again."""


Row = tuple[str, int, int, int | None, int | None]


class LookupCache:
    """The result files that one lookup has read or found in the index so far."""

    def __init__(self, seen: Mapping[str, Row]) -> None:
        self.seen = dict(seen)
        self.found: dict[tuple[str, bool], files.ResultFile | None] = {}
        self.read: list[files.ResultFile] = []

    def remembered(self, name: str) -> files.IndexEntry | None:
        """The index entry of a result file."""
        if (row := self.seen.get(name)) is None:
            return None
        about, size, changed, samples_size, samples_changed = row
        sampled = None
        if samples_size is not None and samples_changed is not None:
            sampled = files.FileStat(samples_size, samples_changed)
        return files.IndexEntry(about, files.FileStat(size, changed), sampled)


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
                    self.leases = Leases(self.index, self.owner)
                    drop_dead_leases(root, self.index, self.owner)
                except BaseException:
                    self.owner.leave()
                    raise

    def _lies_at(self, root: Path, warn: Callable[[str], None]) -> None:
        """Sets where its files are, and how their numbers are read; nothing is opened."""
        self.root = root
        self.warn = warn
        self.replicates = root / "cells"
        self.weights = root / "weights"
        self.numbers = Numbers(partial(files.numbers, self.replicates), files.checked, self._lost)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what is claimed still, and closes."""
        with suppress(sqlite3.Error):  # an owner that is gone holds nothing
            self.index.drop_owner(self.owner.name)
        self.index.close()
        self.numbers.close()
        self.owner.leave()

    # -- reading -----------------------------------------------------------------------------------------------------

    def find(self, requests: Sequence[tuple[CellRequest, int]]) -> list[Replicate | None]:
        """The replicates that are stored with all that is asked of them, in the order asked. Damaged ones are set aside.

        A file of the size and the time of change that it had when it was found whole counts as whole; others are read.
        Curves and samples are read when they are asked for: a StoreError then where they are not what was written.
        """
        with explained(self.root):
            keys = [wanted.key(number) for wanted, number in requests]
            direct = self.index.files_of(list(dict.fromkeys(keys)))
            looked = LookupCache(self.index.seen(list(dict.fromkeys(direct.values()))))
            replicates: list[Replicate | None] = []
            for key, (wanted, number) in zip(keys, requests, strict=True):
                place: tuple[str, str] | None = (key, direct[key]) if key in direct else None
                place = place or self._other(wanted, number, looked)
                file = self._file(place[1], looked, bool(wanted.samples)) if place else None
                inside = place is not None and file is not None and place[0] in file.held
                replicates.append(
                    file.replicate(wanted, number, place[0], self.numbers) if inside and file and place else None
                )
            if looked.read:
                self._remember(looked.read)
            return replicates

    def _remember(self, read: Sequence[files.ResultFile]) -> None:
        """Lets the next look spare the reading of result files that were found whole."""
        with self.index.writing() as connection:
            for file in read:
                remember(connection, file)

    def _other(self, wanted: CellRequest, number: int, looked: LookupCache) -> tuple[str, str] | None:
        """A replicate stored for another spec, of the same training, that holds what is asked and perhaps more."""
        measure = next(iter(wanted.measures.values()), "")
        for key, name in self.index.others(wanted.digest, number, measure):
            if name not in looked.seen:
                looked.seen |= self.index.seen([name])
            file = self._file(name, looked, bool(wanted.samples))
            if file is not None and key in file.held and wanted.served_by(file.held[key]):
                return key, name
        return None

    def _file(self, name: str, looked: LookupCache, samples: bool) -> files.ResultFile | None:
        if (name, samples) not in looked.found:
            try:
                file = files.known(self.replicates, name, samples, looked.remembered(name))
                if file is None:
                    file = files.read(self.replicates, name, samples)
                    looked.read.append(file)
                looked.found[name, samples] = file
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
            f"{damaged.path}: {damaged.reason}",
            f"{kept}Run again: its replicates are trained again, all others are stored.",
        ) from damaged

    def result_files(self, keys: Sequence[str]) -> tuple[dict[str, str], list[Path]]:
        """The result file of each of some replicates that are stored, and all these files with their samples. Damaged ones are left out."""
        with explained(self.root):
            names = self.index.files_of(list(dict.fromkeys(keys)))
            paths: list[Path] = []
            for name in dict.fromkeys(names.values()):
                try:
                    file = files.read(self.replicates, name)
                except Damaged as damaged:
                    self.set_aside(damaged, name)
                    names = {key: other for key, other in names.items() if other != name}
                    continue
                paths += [self.replicates / name[:2] / name, *([file.samples] if file.samples is not None else [])]
            return names, paths

    def curves(self, name: str) -> Iterator[tuple[str, Sequence[int], Sequence[Array]]]:
        """Of each replicate in a result file its key, its steps and the curves of all its measures, [steps, …]; nothing of a damaged one."""
        with explained(self.root):
            try:
                held, curves = files.read(self.replicates, name).held, files.numbers(self.replicates, name).values
            except Damaged as damaged:
                self.set_aside(damaged, name)
                return
            for key, about in held.items():
                yield key, about["steps"], list(curves[key].values())

    def take(self, root: Path) -> int:
        """Stores the result files of another store's folder whose replicates are not stored here; returns how many. What is damaged is left out."""
        with explained(self.root):
            taken = []
            for path in files.every(root / "cells"):
                try:
                    file = files.read(root / "cells", path.name)
                    if file.held.keys() <= self.index.files_of(list(file.held)).keys():
                        continue
                    for source in (path, file.samples):
                        if source is not None:
                            target = self.replicates / path.name[:2] / source.name
                            target.parent.mkdir(parents=True, exist_ok=True)
                            replace_file(target, source.read_bytes())
                    taken.append(files.read(self.replicates, path.name))
                except Damaged as damaged:
                    self.warn(f"{damaged.path.name}: {damaged.reason}. It is not taken in")
            with self.index.writing() as connection:
                for file in taken:
                    insert(connection, file)
            return len(taken)

    def device(self, environment: str) -> str | None:
        """The kind of device that was found in an environment before."""
        with explained(self.root):
            return self.index.device(environment)

    def note_device(self, environment: str, kind: str) -> None:
        """Remembers the kind of device of an environment."""
        with explained(self.root):
            self.index.note_device(environment, kind)

    # -- running -----------------------------------------------------------------------------------------------------

    def acquire(self, batch: ReplicateBatch, force: bool = False) -> Lease:
        """Claims the replicates of a batch that are neither stored nor run by a process that is alive.

        With `force`, stored replicates are claimed too.
        """
        with explained(self.root):
            lease = self.leases.acquire(batch, force)
            if lease.mine and not force and self._adopt(batch.only(lease.mine)):
                return Lease((), lease.others, (*lease.stored, *lease.mine))
            return lease

    def _adopt(self, batch: ReplicateBatch) -> bool:
        """Lists a result file that a process wrote and was killed before it could list it.

        Not one of cells that ran side by side: those of them whose files are lacking would run beside fewer.
        """
        for name in files.files_of(self.replicates, batch.name):
            try:
                file = files.read(self.replicates, name)
            except Damaged as damaged:
                self.set_aside(damaged, name)
                continue
            if set(batch.keys) <= set(file.held) and file.rows <= batch.rows:
                with self.index.writing() as connection:
                    insert(connection, file)
                    drop_claims(connection, batch.keys)
                return True
        return False

    def commit(
        self, ended: Sequence[tuple[ReplicateBatch, Sequence[Replicate]]], packages: Mapping[str, str]
    ) -> list[list[Replicate]]:
        """Stores what replicate batches gave, all at once, gives their claims back, and returns their replicates as they are stored.

        A replicate batch of which a replicate failed or was interrupted is not stored: only its claims are given back.
        """
        with explained(self.root):
            by_place: dict[int, files.ResultFile] = {}
            for place, (batch, replicates) in enumerate(ended):
                if all(replicate.status in FINAL_STATUSES for replicate in replicates):
                    path = files.write(self.replicates, batch, replicates, packages, self.owner.name)
                    by_place[place] = files.read(self.replicates, path.name)
                else:
                    self.release(batch)
            self._list([(ended[place][0], file) for place, file in by_place.items()])
            return [
                self._committed(batch, replicates, by_place[place]) if place in by_place else list(replicates)
                for place, (batch, replicates) in enumerate(ended)
            ]

    def _list(self, written: Sequence[tuple[ReplicateBatch, files.ResultFile]]) -> None:
        """Writes result files into the index, and removes those that they take the place of, listed or not."""
        dropped: list[tuple[str, str | None]] = []
        with self.index.writing() as connection:
            for batch, file in written:
                before = set(self.index.files_of(batch.keys).values()) - {file.name}
                insert(connection, file)
                drop_claims(connection, batch.keys)
                dropped += [gone for name in before if (gone := drop_file(connection, name)) is not None]
        for name, samples in dropped:
            files.remove(self.replicates, name, samples)
        for batch, file in written:
            files.remove_all_but(self.replicates, batch.name, file)

    def _committed(
        self, batch: ReplicateBatch, replicates: Sequence[Replicate], file: files.ResultFile
    ) -> list[Replicate]:
        committed = [
            file.replicate(batch.request, replicate.number, replicate.key, self.numbers) for replicate in replicates
        ]
        for replicate in committed:
            replicate.stored = False
        return committed

    def release(self, batch: ReplicateBatch) -> None:
        """Gives claims back."""
        with explained(self.root):
            self.leases.release(batch)

    def begun(self) -> frozenset[str]:
        """The names of the replicate batches that have a checkpoint."""
        return frozenset(path.stem for path in checkpoint_files(self.root))

    def checkpoints(self, name: str, made_by: Mapping[str, Any], every: float) -> Checkpoints:
        """The checkpoint of a replicate batch, by its name, or of a border."""
        return Checkpoints(self.root / "checkpoints" / f"{name}.ckpt", made_by, every, self.owner.name)

    # -- keeping it in order -----------------------------------------------------------------------------------------

    def set_aside(self, damaged: Damaged, file: str) -> None:
        """Moves a damaged result file to `damaged/`, and forgets the replicates in it: they will run again."""
        moved = quarantine(self.root, damaged.path)
        quarantine(self.root, self.replicates / file[:2] / file)
        with self.index.writing() as connection:
            lost = connection.execute("DELETE FROM cells WHERE part = ?", (file,)).rowcount
            drop_file(connection, file)
        if moved or lost:
            kept = f"It is kept in {moved}" if moved else "It is gone"
            self.warn(f"{damaged.path}: {damaged.reason}. {kept}; {_cells(lost)} of it will run again.")

    def prune(self, keep: set[str], dry: bool) -> tuple[int, int]:
        """Removes what is not to be kept, see `garbage.prune`; returns how many replicates and bytes. With `dry`, removes nothing."""
        with explained(self.root):
            return prune(self.root, self.index, keep, dry)


def _cells(count: int) -> str:
    return f"{count} replicate{'' if count == 1 else 's'}"

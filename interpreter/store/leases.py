"""Leases: which replicates this process runs. Each process holds a lock on a file of its own; the system drops it when the process ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from .requests import ReplicateBatch
from .sqlite_index import Index, claim, drop_claims


class Owner:
    """This process as the holder of claims. Its lock needs no heartbeat: a killed process cannot keep it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = uuid.uuid4().hex[:16]
        self.lock = FileLock(folder / f"{self.name}.lock", thread_local=False)
        self.lock.acquire(timeout=0)

    def alive(self, name: str) -> bool:
        """Whether the process of that name is alive still."""
        if name == self.name:
            return True
        path = self.folder / f"{name}.lock"
        if not path.exists():
            return False
        probe = FileLock(path, thread_local=False)
        try:
            probe.acquire(timeout=0)
        except Timeout:
            return True
        probe.release()
        return False

    def others(self) -> dict[str, bool]:
        """The other processes that were seen here, and whether they are alive."""
        names = [path.stem for path in self.folder.glob("*.lock") if path.stem != self.name]
        return {name: self.alive(name) for name in names}

    def forget(self, name: str) -> None:
        """Removes the lock's file of a dead process."""
        (self.folder / f"{name}.lock").unlink(missing_ok=True)

    def leave(self) -> None:
        """Drops this process' own lock."""
        self.lock.release()
        self.forget(self.name)


@dataclass(frozen=True)
class Lease:
    """Of a batch: the replicates that are this process' to run, that others run, and that are stored."""

    mine: tuple[int, ...]
    others: tuple[int, ...]
    stored: tuple[int, ...]


class Leases:
    """The claims of this process on replicates, written into the index of the store."""

    def __init__(self, index: Index, owner: Owner) -> None:
        self.index = index
        self.owner = owner

    def acquire(self, batch: ReplicateBatch, force: bool = False) -> Lease:
        """Claims the replicates of a batch that are neither stored nor run by a process that is alive.

        With `force`, stored replicates are claimed too. What is settled already is seen without a transaction.
        """
        if (settled := self._settled(batch, force)) is not None:
            return settled
        with self.index.writing() as connection:
            stored = {} if force else self.index.files_of(batch.keys)
            owners = self.index.owners_of(batch.keys)
            living = {owner for owner in set(owners.values()) if self.owner.alive(owner)}
            now = datetime.now(UTC).isoformat(timespec="seconds")
            mine, others, there = [], [], []
            for number, key in zip(batch.numbers, batch.keys, strict=True):
                if key in stored:
                    there.append(number)
                elif owners.get(key) in living:
                    others.append(number)
                else:
                    claim(connection, key, self.owner.name, now)
                    mine.append(number)
        return Lease(tuple(mine), tuple(others), tuple(there))

    def _settled(self, batch: ReplicateBatch, force: bool) -> Lease | None:
        """What a claim comes to where nothing is left to claim, found without a transaction that others wait for."""
        stored = {} if force else self.index.files_of(batch.keys)
        held = {key: owner for key, owner in self.index.owners_of(batch.keys).items() if key not in stored}
        if len(stored) + len(held) < len(set(batch.keys)) or not all(map(self.owner.alive, set(held.values()))):
            return None
        there = tuple(r for r, key in zip(batch.numbers, batch.keys, strict=True) if key in stored)
        return Lease((), tuple(r for r in batch.numbers if r not in there), there)

    def release(self, batch: ReplicateBatch) -> None:
        """Gives the claims on a batch back."""
        with self.index.writing() as connection:
            drop_claims(connection, batch.keys)

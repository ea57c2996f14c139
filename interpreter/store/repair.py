"""Makes the index of a store anew from the replicates' own files, which carry all that it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..results.errors import Damaged, StoreError, explained
from . import files
from .garbage import quarantine
from .leases import Owner
from .sqlite_index import Index, insert, locked


@dataclass(frozen=True)
class Repaired:
    """What a repair found: replicates listed again, files that were damaged and where they lie now, the old index."""

    replicates: int
    damaged: tuple[str, ...]
    index: Path | None


def repair(root: Path) -> Repaired:
    """Sets the present index aside and makes a new one. No other process may use the store. Raises StoreError."""
    if not root.is_dir():
        raise StoreError(f"{root}: there is no store", "Make one with `dlspec run`, or name its folder with --runs.")
    with explained(root), locked(root):
        owner = Owner(root / "owners")
        try:
            living = [name for name, alive in owner.others().items() if alive]
            if living:
                count = f"{len(living)} other process{'es' if len(living) > 1 else ''}"
                raise StoreError(f"{root}: {count} uses the store", "Repair it when no run is going on.")
            return _anew(root)
        finally:
            owner.leave()


def _anew(root: Path) -> Repaired:
    old = quarantine(root, root / "index.sqlite")
    for end in ("-wal", "-shm"):
        quarantine(root, root / f"index.sqlite{end}")
    index = Index(root)
    damaged: list[str] = []
    found: list[files.ResultFile] = []
    try:
        for path in files.every(root / "cells"):
            try:
                found.append(files.read(root / "cells", path.name))
            except Damaged as fault:
                quarantine(root, fault.path)
                damaged.append(f"{fault.path}: {fault.reason}")
        with index.writing() as connection:
            for file in sorted(found, key=lambda file: str(file.about["created"])):
                insert(connection, file)
            connection.execute("UPDATE cells SET ends = 1")
        return Repaired(index.count(), tuple(damaged), old)
    finally:
        index.close()

"""Removes what a store no longer needs: damaged files, files of dead processes, and results that no run refers to."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..results import atomic_files
from . import files
from .checkpoints import checkpoint_files, checkpointed_keys
from .leases import Owner
from .sqlite_index import Index, drop_file


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


def drop_dead_leases(root: Path, index: Index, owner: Owner) -> None:
    """Forgets dead processes: their claims, the drafts of files and of run folders that they left behind, checkpoints of what is stored."""
    dead = [name for name, alive in owner.others().items() if not alive]
    for name in dead:
        index.drop_owner(name)
        for draft in root.glob(f"*/{atomic_files.PREFIX}{name}-*"):
            draft.unlink(missing_ok=True)
        for draft in (root / "cells").glob(f"*/{atomic_files.PREFIX}{name}-*"):
            draft.unlink(missing_ok=True)
        for folder in atomic_files.drafts_of(root.parent, name):
            shutil.rmtree(folder, ignore_errors=True)
        owner.forget(name)
    if dead:
        _drop_spent_checkpoints(root, index)


def _drop_spent_checkpoints(root: Path, index: Index) -> None:
    """Removes checkpoints whose replicates all are stored: a process was killed between storing them and removing these.

    One of a living process, which runs stored replicates again, has its claim.
    """
    for path in checkpoint_files(root):
        keys = sorted(checkpointed_keys(path))
        if keys and len(index.files_of(keys)) == len(keys) and not index.owners_of(keys):
            path.unlink(missing_ok=True)


def prune(root: Path, index: Index, keep: set[str], dry: bool) -> tuple[int, int]:
    """Removes the result files of which no replicate is to be kept or is claimed, and checkpoints; returns replicates and bytes.

    With `dry`, removes nothing.
    """
    replicates_folder = root / "cells"
    with index.writing() as connection:
        claimed = {key for (key,) in connection.execute("SELECT key FROM claims")}
        by_file: dict[tuple[str, str | None], list[str]] = {}
        rows = "SELECT parts.name, parts.samples, cells.key FROM parts LEFT JOIN cells ON cells.part = parts.name"
        for name, samples, key in connection.execute(rows):
            by_file.setdefault((name, samples), []).extend([key] if key else [])
        doomed = {file: keys for file, keys in by_file.items() if not (keep | claimed).intersection(keys)}
        replicates = sum(map(len, doomed.values()))
        freed = sum(
            path.stat().st_size
            for name, samples in doomed
            for file in (name, samples)
            if file and (path := replicates_folder / file[:2] / file).exists()
        )
        old = [path for path in checkpoint_files(root) if not claimed & checkpointed_keys(path)]
        freed += sum(path.stat().st_size for path in old)
        if not dry:
            for name, _ in doomed:
                connection.execute("DELETE FROM cells WHERE part = ?", (name,))
                drop_file(connection, name)
    if not dry:
        for (name, samples), keys in doomed.items():
            files.remove(replicates_folder, name, samples)
            for key in keys:
                shutil.rmtree(root / "weights" / key, ignore_errors=True)
        for path in old:
            path.unlink(missing_ok=True)
    return replicates, freed

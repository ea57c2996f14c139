"""Checkpoints: the state of a replicate batch at an evaluation, from which a killed run continues."""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ..results import atomic_files
from ..results.errors import Damaged
from ..results.npz import add_arrays
from ..results.optional_outputs import reason
from ..results.replicates import Array, Replicate

FORMAT = 4


class SideBySide(NamedTuple):
    """Where a batch lies in a compiled program: rounding depends on all of these, so training goes on only where they are the same.

    `group` is a name of all batches that were side by side, `cells` their number, `place` the batch's own; `wide` is how many rows each has.
    """

    group: str
    cells: int
    place: int
    wide: int

    @property
    def rows(self) -> int:
        """How many rows the program has."""
        return self.cells * self.wide


@dataclass(frozen=True)
class Checkpoint:
    """The state of training at a step: every variable in order, and the replicates as they were; and where they lay in the program."""

    step: int
    seconds: float
    state: Sequence[Array]
    replicates: Sequence[Replicate]
    beside: SideBySide


@dataclass
class Checkpoints:
    """The checkpoint of one replicate batch, in a file that is replaced whole.

    `made_by` says what wrote it: versions, device, compiled form. Another maker's would go on with other rounding, so it
    is not taken up. `every` is the least number of seconds between two.
    """

    path: Path
    made_by: Mapping[str, Any]
    every: float
    mark: str = ""
    last: float = 0.0

    def due(self) -> bool:
        """Whether enough time has passed since the last."""
        return time.monotonic() - self.last >= self.every

    def begin(self) -> None:
        """Starts the clock."""
        self.last = time.monotonic()

    def save(self, checkpoint: Checkpoint, keys: Sequence[str] = ()) -> None:
        """Replaces the checkpoint. Raises OSError; the one before is then there still. `keys` are for those of its replicates."""
        arrays: dict[str, Array] = {f"state/{place}": value for place, value in enumerate(checkpoint.state)}
        replicates = []
        for place, replicate in enumerate(checkpoint.replicates):
            shown: list[tuple[str, int, str]] = []
            for name, values in replicate.curves.items():
                arrays[f"curve/{place}/{name}"] = np.asarray(values)
            for column, curves in replicate.beside.items():
                arrays |= {f"{column}/{place}/{name}": np.asarray(values) for name, values in curves.items()}
            for figure, by_step in replicate.samples.items():
                for step, labels in by_step.items():
                    for label, value in labels.items():
                        arrays[f"sample/{place}/{len(shown)}"] = np.asarray(value)
                        shown.append((figure, step, label))
            replicates.append(
                {
                    "key": keys[place] if keys else replicate.key, "status": replicate.status, "message": replicate.message, "end": replicate.end,
                    "steps": replicate.steps, "curves": list(replicate.curves), "samples": shown,
                    "beside": {column: list(curves) for column, curves in replicate.beside.items()},
                }
            )  # fmt: skip
        about = {
            "format": FORMAT, "made_by": dict(self.made_by), "step": checkpoint.step, "seconds": checkpoint.seconds,
            "variables": len(checkpoint.state), "cells": replicates, "side_by_side": checkpoint.beside,
        }  # fmt: skip

        def fill(stream: IO[bytes]) -> None:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr("about.json", json.dumps(about))
                add_arrays(archive, arrays.items())

        atomic_files.write(self.path.parent, fill, self.path.name, self.mark)
        self.last = time.monotonic()

    def load(self, replicates: Sequence[Replicate], keys: Sequence[str] = ()) -> Checkpoint | None:
        """The checkpoint, its replicates filled in; none if there is none of the same maker. Raises Damaged. `keys` as in `save`."""
        if not self.path.exists():
            return None
        try:
            with zipfile.ZipFile(self.path) as archive:
                about = json.loads(archive.read("about.json"))
                if about["format"] != FORMAT or about["made_by"] != dict(self.made_by):
                    return None
                if any(item.get("cause") for item in about["cells"]):
                    return None  # a version before ended one where a measure was not finite: now it goes on
                if [item["key"] for item in about["cells"]] != (
                    list(keys) or [replicate.key for replicate in replicates]
                ):
                    return None

                def array(name: str) -> Array:
                    with archive.open(f"{name}.npy") as entry:  # the archive checks each entry's CRC
                        value = np.lib.format.read_array(entry, allow_pickle=False)
                        if entry.read(1):
                            raise ValueError(f"{name} is longer than it says")
                    return np.asarray(value)

                state = [array(f"state/{place}") for place in range(about["variables"])]
                for place, (replicate, item) in enumerate(zip(replicates, about["cells"], strict=True)):
                    replicate.status, replicate.message, replicate.end = item["status"], item["message"], item["end"]
                    replicate.steps = list(item["steps"])
                    replicate.curves = {name: list(array(f"curve/{place}/{name}")) for name in item["curves"]}
                    for column, names in item["beside"].items():
                        replicate.beside[column] = {name: list(array(f"{column}/{place}/{name}")) for name in names}
                    for count, (figure, step, label) in enumerate(item["samples"]):
                        values = replicate.samples.setdefault(figure, {}).setdefault(step, {})  # type: ignore[attr-defined]
                        values[label] = array(f"sample/{place}/{count}")
                beside = SideBySide(*about["side_by_side"])
                return Checkpoint(about["step"], about["seconds"], state, replicates, beside)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise Damaged(self.path, str(error).split("\n")[0]) from error

    def there(self, whole: bool = False) -> SideBySide | None:
        """Where in a program the one of the same maker was made; None where there is none. With `whole` all its bytes are looked at, too."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                if whole and archive.testzip() is not None:
                    return None
                about = json.loads(archive.read("about.json"))
                same = about["format"] == FORMAT and about["made_by"] == dict(self.made_by)
                return SideBySide(*about["side_by_side"]) if same else None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
            return None

    def remove(self) -> None:
        """Removes it. Raises OSError."""
        self.path.unlink(missing_ok=True)

    def spend(self, warn: Callable[[str], None]) -> None:
        """Removes it, as what it led to is stored; where it can't be removed, nothing is lost, and `warn` is told."""
        try:
            self.remove()
        except OSError as error:
            warn(f"{self.path}: cannot be removed: {reason(error)}. Its results are stored")


def checkpoint_files(root: Path) -> list[Path]:
    """All checkpoints of a store."""
    return list((root / "checkpoints").glob("*.ckpt"))


def checkpointed_keys(path: Path) -> set[str]:
    """The keys of the replicates in a checkpoint; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {replicate["key"] for replicate in json.loads(archive.read("about.json"))["cells"]}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return set()

"""What runs on a node of the cluster: one replicate batch, trained as it would be in the driver's process.

The worker writes to no file but temporary ones of its own. Checkpoints go to the driver as they are made, replicates and final
weights at the end.
"""

from __future__ import annotations

import os
import platform
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dlspec.spec.ir.data import NamedFile
from dlspec.spec.passes.digests import NUMERICS

from ...backend.versions import PACKAGES
from ...frame_space import with_room
from ...program.job import Job
from ...results.errors import Damaged
from ...results.replicates import Curve, Replicate
from ...store.checkpoints import Checkpoint, Checkpoints
from ...store.requests import ReplicateBatch
from ..event_forwarding import EventForwarder
from ..pickling import unpacked
from .data_files import found
from .messages import Reporter


def installed() -> dict[str, str]:
    """What a replicate's numbers depend on here, and what it takes to read a job: versions, by name."""
    versions = {"Python": ".".join(platform.python_version_tuple()[:2]), "numerics": str(NUMERICS)}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "none"
    return versions


@dataclass(frozen=True)
class Sent:
    """A job on its way: `batch` is pickled, to be opened only where the same versions are installed.

    `checkpoint` holds a checkpoint's bytes to go on from, `origin` says which file of the driver they are. `threads` is
    how many threads TensorFlow computes with, which may decide over the last bits; `weights` whether they are wanted;
    `files` are data files that travel, by their checksums, for nodes that lack them.
    """

    number: int
    attempt: int
    batch: bytes
    compiled: str
    device: str
    versions: Mapping[str, str]
    threads: int
    made_by: Mapping[str, Any]
    every: float
    beat: float
    weights: bool
    origin: str = ""
    checkpoint: bytes | None = None
    files: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What comes back: replicates, and final weights by replicate and file; or why there are none. Neither: it was not begun.

    `lacking` are the data files that are not on `node`.
    """

    replicates: Sequence[Replicate] = ()
    weights: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    fault: str = ""
    lacking: Sequence[NamedFile] = ()
    node: str = ""


def run(sent: Sent, inbox: Any) -> Outcome:
    """Trains a replicate batch. What is wrong with the node is told as the outcome's fault, what is wrong with a replicate by the replicate."""
    if differs := differences(sent.versions, installed()):
        return Outcome(fault=f"{platform.node()} differs: {differs}")
    stop = threading.Event()
    with Reporter(inbox, sent.number, sent.attempt, sent.beat, stop) as reporter:
        if stop.is_set():
            return Outcome()
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(sent.threads)
        if sent.device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        from ...backend.startup import device, start

        start()
        if (found := device()) != sent.device:
            return Outcome(
                fault=f"TensorFlow finds a {found} on {platform.node()}, but Ray was told of a {sent.device}"
            )
        return with_room(partial(_trained, sent, reporter, stop))


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """In which versions a node differs from the driver, in words; empty where it does not."""
    found = [f"{name} {there[name]} there and {here[name]} here" for name in here if there[name] != here[name]]
    return ", ".join(found)


@cache
def _forms() -> Any:
    """What this process has compiled: Ray gives it one replicate batch after another."""
    from ...program.program_cache import ProgramCache

    return ProgramCache()


def _trained(sent: Sent, reporter: Reporter, stop: threading.Event) -> Outcome:
    from ...program.training_loop import train

    batch = unpacked(sent.batch, ReplicateBatch)
    try:
        program, lacking = found(batch.program, sent.files, _fetched)
    except OSError as error:
        return Outcome(fault=f"a data file could not be kept on {platform.node()}: {error.strerror or error}")
    if lacking:
        return Outcome(lacking=lacking, node=platform.node())
    batch = replace(batch, request=replace(batch.request, program=program))
    with tempfile.TemporaryDirectory(prefix="dlspec-") as name:
        folder = Path(name)
        checkpoints = Forwarded(folder / "checkpoint", sent.made_by, sent.every, reporter=reporter, origin=sent.origin)
        if sent.checkpoint is not None:
            checkpoints.path.write_bytes(sent.checkpoint)
        weights = folder / "weights" if sent.weights else None
        job = Job(
            sent.number, batch, sent.compiled, checkpoints, str(weights) if weights else None
        )  # fmt: skip
        replicates = train(
            job, EventForwarder(lambda number, kind, *values: reporter.tell(kind, *values)), stop, _forms()
        )
        for replicate in replicates:
            replicate.curves = _stacked(replicate.curves)
            replicate.beside = {column: _stacked(curves) for column, curves in replicate.beside.items()}
        return Outcome(replicates, _files(weights) if weights is not None else {})


def _fetched(reference: Any) -> bytes:
    import ray

    data: bytes = ray.get(reference)
    return data


def _stacked(curves: Mapping[str, Sequence[Any]]) -> dict[str, Curve]:
    import numpy as np

    return {name: Curve(np.asarray(values)) for name, values in curves.items()}


def _files(folder: Path) -> dict[str, dict[str, bytes]]:
    """What lies in each of a folder's folders."""
    if not folder.is_dir():
        return {}
    return {
        held.name: {path.name: path.read_bytes() for path in sorted(held.iterdir())}
        for held in sorted(folder.iterdir())
    }


@dataclass
class Forwarded(Checkpoints):
    """A checkpoint in a temporary file, of which a copy goes to the driver each time; `origin` is the driver's file."""

    reporter: Reporter | None = None
    origin: str = ""

    def save(self, checkpoint: Checkpoint, keys: Sequence[str] = ()) -> None:
        """Replaces the checkpoint, and sends it. Raises OSError."""
        super().save(checkpoint, keys)
        self._tell("checkpoint", self.path.read_bytes())

    def load(self, replicates: Sequence[Replicate], keys: Sequence[str] = ()) -> Checkpoint | None:
        """The checkpoint that was sent along. Raises Damaged, under the name that the driver knows it by."""
        try:
            return super().load(replicates, keys)
        except Damaged as damaged:
            raise Damaged(Path(self.origin), damaged.reason) from damaged

    def remove(self) -> None:
        """Removes it, here and at the driver."""
        super().remove()
        self._tell("dropped")

    def _tell(self, kind: str, *values: Any) -> None:
        if self.reporter is not None:
            self.reporter.tell(kind, *values)

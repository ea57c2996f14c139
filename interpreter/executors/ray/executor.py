"""The executor that runs jobs on a Ray cluster: a task a job; a lost worker's job begins again from its last checkpoint."""

from __future__ import annotations

import os
import queue
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    TaskCancelledError,
    WorkerCrashedError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ...program.job import Job, JobGroup, Watcher
from ...results import atomic_files
from ...results.errors import of_system
from ...results.replicates import Replicate
from ..base import Finished
from ..pickling import packed
from .connect import Cluster, living
from .data_files import cannot_travel, files_of
from .messages import WAIT_SECONDS, Inbox, Message
from .resources import Resources
from .worker import Outcome, Sent, installed, run

MAX_ATTEMPTS = 4
"""How often a job is begun whose worker is lost each time."""
WORKER_LOST = (WorkerCrashedError, NodeDiedError, OutOfMemoryError, ObjectLostError)
JOBS_PER_RUNNING = 2
"""How many jobs are with the cluster for each that it runs: a worker that is done need not wait for the driver."""
MAX_BATCHES_PER_WORKER = 200
"""How many replicate batches a worker runs before Ray replaces it: TensorFlow keeps something of all that it compiled."""
LISTEN_SECONDS = 0.2
LOOK_SECONDS = 5.0
GRACE_SECONDS = 30.0
"""How long a job waits for a node that could hold it."""
MAX_POLLS_PER_SECOND = 200.0
"""How many workers may ask the driver's inbox a second whether to end."""


@dataclass
class Running:
    """A job that is with the cluster; `begun` is where, or nothing while it waits; `misfit` since when no node holds it; `files` are
    the data files that were sent along, by their checksums."""

    job: Job
    asked: Resources
    ref: Any = None
    attempt: int = 1
    begun: str = ""
    files: Mapping[str, Any] = field(default_factory=dict)
    misfit: float | None = None
    refused: str = ""


class Remote:
    """Jobs as tasks of a cluster. `jobs` is the most at once, otherwise as many as the cluster has room for.

    Ray's own retries are not used: they would begin again with the arguments of the first time, thus at step 0.
    """

    leaves_checkpoints = False

    def __init__(self, cluster: Cluster, watcher: Watcher, jobs: int | None) -> None:
        self.cluster = cluster
        self.watcher = watcher
        self.jobs = jobs
        self.nodes = list(cluster.nodes)
        self.looked = time.monotonic()
        self.running: dict[int, Running] = {}
        self.files: dict[str, Any] = {}
        """The data files that travel, by their checksums: those that some node lacks."""
        self.ended: queue.Queue[tuple[int, int, Future[Outcome]]] = queue.Queue()
        self.ready: deque[Finished] = deque()
        self.ending = False
        self.typical = Resources(1, int(cluster.device == "gpu"), 1)
        self.versions = installed()
        self.threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or len(os.sched_getaffinity(0))
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "scheduling_strategy": here}
        self.inbox: Any = ray.remote(**options)(Inbox).remote()
        self.task = ray.remote(max_retries=0, max_calls=MAX_BATCHES_PER_WORKER)(run)

    # -- the interface -----------------------------------------------------------------------------------------------

    def room(self) -> int:
        """How many more jobs the cluster should have."""
        most = self.jobs or JOBS_PER_RUNNING * max(1, sum(node.holds(self.typical) for node in self.nodes))
        return most - len(self.running)

    def submit(self, group: JobGroup) -> None:
        """Takes jobs: each is a task of its own."""
        for job in group.jobs:
            self._submit(job)

    def _submit(self, job: Job) -> None:
        asked = Resources.of(job.batch, self.cluster.device).within(self.nodes)
        self.typical = asked
        self.running[job.number] = Running(job, asked)
        self._send(self.running[job.number])

    def finished(self, seconds: float) -> Finished | None:
        """The next job to have ended, waited for at most so long; tells the watcher what workers told."""
        until = time.monotonic() + seconds
        while not self.ready:
            self._look()
            self._listen()
            try:
                number, attempt, future = self.ended.get(
                    timeout=max(0.0, min(LISTEN_SECONDS, until - time.monotonic()))
                )
            except queue.Empty:
                if time.monotonic() >= until:
                    return None
                continue
            self._listen()  # what was told before the end
            self._end(number, attempt, future)
        return self.ready.popleft()

    def cancel(self) -> None:
        """Lets running jobs end at their next evaluation, and takes back those that wait."""
        if self.ending:
            return
        self.ending = True
        self.inbox.end.remote()
        self._listen()
        for running in self.running.values():
            if not running.begun:
                ray.cancel(running.ref)

    def close(self) -> None:
        """Gives the inbox up."""
        ray.kill(self.inbox)

    # -- sending and ending ------------------------------------------------------------------------------------------

    def _send(self, running: Running) -> None:
        job, asked = running.job, running.asked
        assert job.checkpoints is not None
        path = job.checkpoints.path
        wanted = [file.checksum for file in files_of(job.batch.program)]
        running.files = {checksum: self.files[checksum] for checksum in wanted if checksum in self.files}
        sent = Sent(
            job.number, running.attempt, packed(job.batch), job.compiled, self.cluster.device, self.versions,
            self.threads, job.checkpoints.made_by, job.checkpoints.every, max(1.0, len(self.running) / MAX_POLLS_PER_SECOND),
            job.weights is not None, str(path), path.read_bytes() if path.exists() else None,
            running.files,
        )  # fmt: skip
        task = self.task.options(
            name=job.batch.program.name, num_cpus=asked.cores, num_gpus=asked.gpus, memory=asked.memory
        )
        running.begun = ""
        running.ref = task.remote(sent, self.inbox)
        number, attempt = job.number, running.attempt
        running.ref.future().add_done_callback(lambda future: self.ended.put((number, attempt, future)))

    def _end(self, number: int, attempt: int, future: Future[Outcome]) -> None:
        running = self.running.get(number)
        if running is None or running.attempt != attempt:
            return
        job = running.job
        try:
            outcome = future.result()
        except TaskCancelledError:
            replicates = _failed(job, running.refused) if running.refused else _interrupted(job)
        except WORKER_LOST as error:
            if self._again(running, _lost(error)):
                return
            replicates = _interrupted(job) if self.ending else _failed(job, _given_up(running, _lost(error)))
        except RayError as error:
            replicates = _failed(job, f"on the cluster: {_last_line(error)}")
        else:
            if outcome.lacking:
                if not self.ending and not (fault := self._files_sent(running, outcome)):
                    return
                replicates = _interrupted(job) if self.ending else _failed(job, f"on the cluster: {fault}")
            elif outcome.fault:
                replicates = _failed(job, f"on the cluster: {outcome.fault}")
            else:
                replicates = list(outcome.replicates) or _interrupted(job)
                self._keep_weights(job, outcome.weights)
        del self.running[number]
        self.ready.append(Finished(job, replicates))

    def _files_sent(self, running: Running, outcome: Outcome) -> str:
        """Sends a job again, with the data files that its node lacks; or says why they cannot be there."""
        for file in outcome.lacking:
            named = f"{outcome.node} has no '{Path(file.path).name}' with the values that were checked"
            hint = f"put it at {file.path} on every node"
            try:
                reason = "it could not be kept there" if file.checksum in running.files else cannot_travel(file)
                if reason:
                    return f"{named}, and {reason}: {hint}"
                if file.checksum not in self.files:
                    self.files[file.checksum] = ray.put(Path(file.path).read_bytes())
                    self.watcher.warn(f"{named}: it is sent there")
            except (OSError, RayError) as error:
                return f"{named}, and it could not be sent ({_last_line(error)}): {hint}"
        self._send(running)
        return ""

    def _again(self, running: Running, reason: str) -> bool:
        """Begins a job again whose worker is lost; whether it may."""
        if self.ending or running.attempt >= MAX_ATTEMPTS:
            return False
        name, place = running.job.batch.program.name, f" on {running.begun}" if running.begun else ""
        self.watcher.warn(f"{name}: its worker{place} is lost ({reason}); it runs again")
        running.attempt += 1
        running.asked = running.asked.within(self.nodes)
        self._send(running)
        return True

    def _keep_weights(self, job: Job, weights: Mapping[str, Mapping[str, bytes]]) -> None:
        """Writes what came back; where it cannot be written, the numbers are kept still."""
        for key, files in weights.items():
            folder = Path(job.weights or "") / key
            try:
                with atomic_files.replaced(folder) as draft:
                    for name, held in files.items():
                        (draft / name).write_bytes(held)
            except OSError as error:
                name = job.batch.program.name
                self.watcher.warn(
                    f"{error.filename or folder}: the weights of {name} could not be written: {error.strerror or error}"
                )

    # -- listening ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Hears what workers told since the last time."""
        try:
            messages: list[Message] = ray.get(self.inbox.take.remote(), timeout=WAIT_SECONDS)
        except (RayActorError, GetTimeoutError):
            return  # the inbox is begun again by Ray; what it held is lost, no result is
        for number, attempt, kind, values in messages:
            running = self.running.get(number)
            if running is not None and running.attempt == attempt:
                self._hear(running, kind, values)

    def _hear(self, running: Running, kind: str, values: Sequence[Any]) -> None:
        job = running.job
        assert job.checkpoints is not None
        match kind:
            case "begun":
                running.begun = values[0]
            case "started":
                self.watcher.started(job, values[0])
            case "compiling":
                self.watcher.compiling(job)
            case "evaluated":
                self.watcher.evaluated(job, *values)
            case "warn":
                self.watcher.warn(f"node {running.begun}: {values[0]}")
            case "dropped":
                job.checkpoints.remove()
            case "checkpoint":
                path = job.checkpoints.path
                try:
                    atomic_files.write(
                        path.parent, lambda stream: stream.write(values[0]), path.name, job.checkpoints.mark
                    )
                except OSError as error:
                    reason = of_system(path.parent, error)
                    self.watcher.warn(
                        f"no checkpoint could be kept: {reason}. {job.batch.program.name} continues; "
                        "if it is lost now, it restarts from its last checkpoint"
                    )

    def _look(self) -> None:
        """Sees from time to time which nodes there are, and refuses what none of them holds."""
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked = now
        self.nodes = living(ray)
        for running in self.running.values():
            if running.begun or running.refused or any(node.holds(running.asked) for node in self.nodes):
                running.misfit = None
            elif running.misfit is None:
                running.misfit = now
                self.watcher.warn(
                    f"{running.job.batch.program.name} asks for {running.asked}, and no node of the cluster has that; "
                    f"waiting {GRACE_SECONDS:.0f} s for one that joins"
                )
            elif now - running.misfit >= GRACE_SECONDS:
                running.refused = (
                    f"it asks for {running.asked}, and no node of the cluster has that. Add a larger node, "
                    "or ask for fewer replicates or a smaller batch: `dlspec plan` says what fits"
                )
                ray.cancel(running.ref)


def _failed(job: Job, message: str) -> list[Replicate]:
    return job.without_result("failed", message)


def _interrupted(job: Job) -> list[Replicate]:
    return job.without_result("interrupted", "before it began")


def _given_up(running: Running, reason: str) -> str:
    return f"its worker was lost {running.attempt} times, the last time: {reason}"


def _lost(error: BaseException) -> str:
    """Why a worker is lost, in a few words."""
    match error:
        case OutOfMemoryError():
            return "its node ran out of memory"
        case NodeDiedError():
            return "its node died"
        case WorkerCrashedError():
            return "its process died"
    return _last_line(error)


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else type(error).__name__

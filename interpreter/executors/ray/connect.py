"""Connecting to a Ray cluster: what may go wrong with it in prose, and whether its nodes can run what this one asks."""

from __future__ import annotations

import logging
import os
import re
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError, listing

from ...backend.startup import held_back, hidden
from .resources import Node

REACH_SECONDS = 5.0
PROBE_SECONDS = 60.0
ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>[^\s/:]+):(?P<port>\d{1,5})")
REFUSED = "InvalidAuthToken"
"""What Ray's log says of a token that is wrong, or not there; its exception says no more than that it cannot connect."""
START_HINT = "`ray start --head` starts a cluster on a machine and prints its address; docs/scaling.md says more."


class ClusterError(StudyError):
    """What the owner of a cluster can mend."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(Problem(message, hint=hint))


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to: its address, its nodes, the kind of device that cells run on there."""

    address: str
    nodes: Sequence[Node]
    device: str

    @property
    def at_once(self) -> int:
        """How many replicate batches of one core, or of one graphics card, it runs at once."""
        has = [node.gpus if self.device == "gpu" else node.cores for node in self.nodes]
        return max(1, int(sum(has)))

    def __str__(self) -> str:
        cores, gpus = sum(node.cores for node in self.nodes), sum(node.gpus for node in self.nodes)
        count = len(self.nodes)
        words = f"{count} node{'s' if count != 1 else ''}, {cores:g} core{'s' if cores != 1 else ''}"
        return words + (f", {gpus:g} GPU{'s' if gpus != 1 else ''}" if gpus else "")


@contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """Connects to a cluster by its address, by `RAY_ADDRESS`, or starts one on this machine for as long as the context is.

    `address` is `HOST:PORT`, `ray://HOST:PORT`, or `auto` for one that runs on this machine. Raises ClusterError.
    """
    ray = _ray()
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    _reach(where)
    _connect(ray, where)
    try:
        nodes = living(ray)
        _probe(ray, nodes)
        gpu = not hidden() and any(node.gpus >= 1 for node in nodes)
        yield Cluster("this machine" if where == "local" else where, nodes, "gpu" if gpu else "cpu")
    finally:
        ray.shutdown()


def living(ray: Any) -> list[Node]:
    """The nodes that are alive at present."""
    return [Node.of(entry) for entry in ray.nodes() if entry["Alive"]]


def _ray() -> Any:
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")  # else gRPC prints a line at every subprocess
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # 30 s do not do on a machine that is busy
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ClusterError(
            "`--executor ray` needs Ray, which is not installed", "`pip install 'dlspec[ray]'` installs it."
        ) from None
    return ray


def _reach(where: str) -> None:
    """Whether someone listens at an address: Ray itself would try for minutes."""
    if where in ("local", "auto"):
        return
    parts = ADDRESS.fullmatch(where)
    if parts is None or not 0 < int(parts["port"]) < 65_536:
        raise ClusterError(
            f"'{where}' is not an address of a Ray cluster",
            "It is HOST:PORT, ray://HOST:PORT from a machine that is not a node of it, or auto for a cluster on this machine.",
        )
    try:
        socket.create_connection((parts["host"], int(parts["port"])), REACH_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterError(f"no Ray cluster can be reached at {where}: {reason}", START_HINT) from error


def _connect(ray: Any, where: str) -> None:
    more: dict[str, Any] = {"include_dashboard": False} if where == "local" else {}
    try:
        with held_back() as written:
            try:
                ray.init(
                    where,
                    log_to_driver=False,
                    logging_level=logging.CRITICAL,
                    namespace=f"dlspec-{uuid.uuid4().hex}",
                    **more,
                )
            except ConnectionError as error:
                if REFUSED not in written():
                    raise
                raise _no_token(where) from error
    except ClusterError:
        raise
    except (ConnectionError, TimeoutError, ValueError) as error:
        if where == "auto":
            raise ClusterError("no Ray cluster runs on this machine", START_HINT) from error
        raise ClusterError(f"{where}: no connection to Ray: {_first(error)}", START_HINT) from error
    except SystemExit as error:
        raise ClusterError(f"{where}: what listens there does not answer as a Ray cluster", START_HINT) from error
    except RuntimeError as error:
        if "ersion mismatch" not in str(error):
            raise ClusterError(f"{where}: Ray did not start: {_first(error)}", START_HINT) from error
        raise ClusterError(
            f"{where}: the cluster runs another version of Ray or Python than this process, which has Ray {ray.__version__}",
            "Install the same Ray and Python on all machines: " + " ".join(str(error).split())[:300],
        ) from error
    except Exception as error:  # Ray has no class of its own for a daemon that does not come up
        raise ClusterError(
            f"{where}: Ray did not start: {_first(error)}",
            f"Its logs say more: /tmp/ray/session_latest/logs. {START_HINT}",
        ) from error


def _no_token(where: str) -> ClusterError:
    if os.environ.get("RAY_AUTH_MODE") != "token":
        return ClusterError(
            f"{where}: the cluster asks for a token, and none is given",
            "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the cluster's token, or RAY_AUTH_TOKEN_PATH to a file that holds it.",
        )
    return ClusterError(
        f"{where}: the token that is given is not the cluster's",
        "RAY_AUTH_TOKEN, or the file that RAY_AUTH_TOKEN_PATH names, must hold the token with which the cluster was started.",
    )


def _probe(ray: Any, nodes: Sequence[Node]) -> None:
    """Has every node say what is installed there. Raises ClusterError where that differs from what is installed here."""
    from ray.exceptions import GetTimeoutError, RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from .worker import differences, installed

    here = installed()
    ask = ray.remote(installed)
    asked = {
        node: ask.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote()
        for node in nodes
    }
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=PROBE_SECONDS)
    wrong = []
    for node, ref in asked.items():
        try:
            there = ray.get(ref, timeout=0)
        except GetTimeoutError:
            continue  # a node that is slow to answer is asked again by every job that it gets
        except RayError as error:
            missing = re.search(r"No module named '([\w.]+)'", str(error))
            if missing is None:
                continue  # a node that is lost by now gets no job
            wrong.append(f"{node.name} has no module {missing[1]}")
            continue
        if text := differences(here, there):
            wrong.append(f"{node.name} differs: {text}")
    if wrong:
        raise ClusterError(
            f"not every node of the cluster can run this: {listing(wrong, 4)}",
            "Install the same dlspec, TensorFlow, Keras and NumPy on every node, under the same Python: "
            "other versions give other numbers.",
        )


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__

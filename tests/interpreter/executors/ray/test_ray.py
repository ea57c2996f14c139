"""Runs on Ray clusters of this machine: the numbers of a local run to the bit, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")

os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # the machine may be busy with other tests

Study = Callable[[int, int, Sequence[float]], str]


def trained(run: Any, evaluations: int) -> list[str]:
    """The programs that were evaluated so often: what was told of an earlier evaluation came with its checkpoint."""
    counts = Counter(json.dumps(event["constants"]) for event in run.events("evaluated"))
    return [name for name, count in counts.items() if count >= evaluations]


def assert_kept(folder: Path, cells: int) -> None:
    """The store holds so many cells, each run to its end once, and nothing is left lying about."""
    store = folder / "runs" / "store"
    with sqlite3.connect(store / "index.sqlite") as connection:
        assert connection.execute("SELECT count(*), min(ends), max(ends) FROM cells").fetchone() == (cells, 1, 1)
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    assert not list(store.rglob(".draft-*")) and not list((store / "checkpoints").glob("*.ckpt"))


def test_broken_off_and_gone_on_with(tmp_path: Path, study: Study, trial: Any) -> None:
    """Ctrl-C in the midst of training keeps checkpoints here; the next run goes on from them, with weights in the end."""
    text = study(60_000, 500, [0.01])
    here = trial(tmp_path / "here", text, "-j", "1")  # the same replicates side by side
    here.ends(0)
    broken = trial(tmp_path / "far", text, "--executor", "ray", "-j", "1")
    broken.until(lambda run: len(run.events("evaluated")) > 3)
    os.killpg(broken.process.pid, signal.SIGINT)  # as a terminal does: to Ray's own processes too
    broken.ends(130)
    (left,) = (tmp_path / "far" / "runs" / "store" / "checkpoints").glob("*.ckpt")
    assert left.stat().st_size > 0
    (ended,) = broken.events("finished")
    assert {cell["status"] for cell in ended["ended"]} == {"interrupted"}
    again = trial(tmp_path / "far", text, "--executor", "ray", "-j", "1", "--keep-weights")
    again.ends(0)
    (begun,) = again.events("started")
    assert begun["from_step"] > 0 and not again.events("warning")
    assert again.numbers() == here.numbers()
    assert_kept(tmp_path / "far", 2)
    weights = tmp_path / "far" / "runs" / "store" / "weights"
    assert len(list(weights.glob("*/f.keras"))) == 2


@pytest.mark.slow
def test_a_node_that_dies(tmp_path: Path, study: Study, trial: Any) -> None:
    """Three nodes, one killed at work: its cells go on elsewhere from their checkpoint, and all come out as in a local run."""
    from ray.cluster_utils import Cluster

    rates = [0.01, 0.02, 0.005, 0.002, 0.001]
    text = study(60_000, 1_000, rates).replace("units: 32", "units: 8 + int(1000 * rate)")  # no two in one program
    here = trial(tmp_path / "here", text)
    here.ends(0)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        far = trial(tmp_path / "far", text, "--executor", "ray", "--address", cluster.address)
        far.until(lambda run: len(trained(run, 3)) == 3)
        assert far.events("cluster")[0]["nodes"] == 3 and not far.events("finished")
        assert len(far.events("started")) == 3, "a node of one core runs one program"
        cluster.remove_node(nodes[0], allow_graceful=False)
        far.ends(0)
    finally:
        cluster.shutdown()
    warnings = [event["message"] for event in far.events("warning")]
    assert len(warnings) == 1 and "is lost" in warnings[0] and "it runs again" in warnings[0]
    begun = far.events("started")
    assert len(begun) == len(rates) + 1
    assert [event["from_step"] > 0 for event in begun].count(True) == 1
    assert far.numbers() == here.numbers()
    assert_kept(tmp_path / "far", 2 * len(rates))

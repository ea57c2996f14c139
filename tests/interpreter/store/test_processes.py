"""Several processes on one store: each cell is run once, nothing is lost, and the index stays consistent."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CELLS = 200
PROCESSES = 8
MANY = """\
dlspec: 1
study: many
experiments:
  line:
    constants: {c: 1}
    task: {example: {x: "normal([2])"}}
    measures: {mean: E(c * sum(x))}
    replicates: 2
    sweep: {c: "range(1, 101)"}
"""

WORKER = textwrap.dedent(
    """
    import sys, threading, time
    from pathlib import Path
    from dlspec import spec
    from dlspec.interpreter.cli.run_options import RunOptions
    from dlspec.interpreter.executors.base import Threads
    from dlspec.interpreter.schedule.progress import Quiet
    from dlspec.interpreter.schedule.scheduler import Progress, Run
    from dlspec.interpreter.store.store import Store
    from dlspec.interpreter.store.requests import requests_of

    def train(group, stop):
        return [one(job) for job in group.jobs]

    def one(job):
        replicates = []
        for number in job.batch.numbers:
            replicate = job.batch.request.replicate(number)
            for step in job.batch.request.steps:
                replicate.record(step, {"mean": float(int(replicate.key, 16))})
            with open("ran.txt", "a") as log:
                log.write(replicate.key + "\\n")
            replicates.append(replicate)
        time.sleep(0.002)
        return replicates

    plan = spec.resolve(spec.load("many.yaml"))
    asked = requests_of(plan, "cpu")
    with Store(Path("runs/store"), lambda text: print(text, file=sys.stderr)) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        progress = Progress.of_store(asked, store, RunOptions(""))
        executor = Threads(2, train)
        Run(progress, store, executor, RunOptions(""), Quiet(progress.missing()), threading.Event(), lambda _: "graph").finish()
        found = progress.results(plan)["line"].replicates
    assert "tensorflow" not in sys.modules
    print(len(found), all(r.curves["mean"][-1] == float(int(r.key, 16)) for r in found))
    """
)


def consistent(root: Path) -> dict[str, Any]:
    """What the index says of itself and of its cells."""
    with sqlite3.connect(root / "index.sqlite") as connection:
        run = connection.execute
        return {
            "check": run("PRAGMA integrity_check").fetchall(),
            "cells": run("SELECT count(*) FROM cells").fetchone()[0],
            "ends": {row[0] for row in run("SELECT ends FROM cells")},
            "claims": run("SELECT count(*) FROM claims").fetchone()[0],
            "lost": run("SELECT count(*) FROM cells WHERE part NOT IN (SELECT name FROM parts)").fetchone()[0],
        }


def sweep(text: str) -> str:
    return text.replace('"range(1, 101)"', str(list(range(1, 101))))


def test_eight_processes_run_each_cell_once(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(sweep(MANY), "utf-8")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=tmp_path,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    for process in processes:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert (out, err) == (f"{CELLS} True\n", "")
    ran = Counter((tmp_path / "ran.txt").read_text("utf-8").split())
    assert len(ran) == CELLS and set(ran.values()) == {1}
    assert consistent(tmp_path / "runs" / "store") == {
        "check": [("ok",)], "cells": CELLS, "ends": {1}, "claims": 0, "lost": 0,
    }  # fmt: skip
    assert not list((tmp_path / "runs" / "store").rglob(".draft-*"))
    assert not list((tmp_path / "runs" / "store" / "owners").iterdir())


@pytest.mark.slow
def test_eight_commands_run_each_cell_once(
    tmp_path: Path, events: Callable[[str], list[dict[str, Any]]], run_folders: Callable[[Path], list[Path]]
) -> None:
    (tmp_path / "many.yaml").write_text(sweep(MANY), "utf-8")
    command = [
        sys.executable,
        "-c",
        "from dlspec.interpreter.cli.app import main; main()",
        "run",
        "many.yaml",
        "-j",
        "1",
    ]
    logs = [(tmp_path / f"{number}.log").open("w") for number in range(PROCESSES)]
    processes = [
        subprocess.Popen([*command, "--log", "json"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=log) for log in logs
    ]  # fmt: skip
    assert [process.wait(timeout=1800) for process in processes] == [0] * PROCESSES
    told = [event for log in logs for event in events(Path(log.name).read_text("utf-8"))]
    ended = Counter(cell["key"] for event in told if event["event"] == "finished" for cell in event["ended"])
    assert len(ended) == CELLS and set(ended.values()) == {1}
    assert not [event for event in told if event["event"] == "warning"]
    assert consistent(tmp_path / "runs" / "store") == {
        "check": [("ok",)], "cells": CELLS, "ends": {1}, "claims": 0, "lost": 0,
    }  # fmt: skip
    runs = run_folders(tmp_path)
    assert len(runs) == PROCESSES
    finals = [[cell["final"] for cell in json.loads((run / "cells.json").read_text("utf-8"))] for run in runs]
    assert all(len(one) == CELLS and one == finals[0] for one in finals)

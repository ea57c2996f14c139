"""Equal programs of one run: one of them runs, the others take its replicates up, and no other process is spoken of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.program.job import JobGroup
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.progress import JsonLines, Log, Quiet
from dlspec.interpreter.schedule.scheduler import Progress, Run
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store

EQUAL = """\
dlspec: 1
study: equal
experiments:
  e:
    task: {example: {x: "normal()"}}
    measures: {m: E(x)}
    replicates: 2
    variants: {a: {}, b: {}, c: {}}
"""


def ran(
    root: Path, asked: Sequence[CellRequest], made: Callable[[Sequence[ReplicateBatch]], Quiet], make_cell: Callable[..., Replicate]
) -> tuple[list[int], Progress]:  # fmt: skip
    """Runs what is asked for with made-up numbers; which replicates ran, in order, and what came out."""
    jobs: list[int] = []

    def train(group: JobGroup, stop: threading.Event) -> list[list[Replicate]]:
        jobs.extend(number for job in group.jobs for number in job.batch.numbers)
        return [[make_cell(job.batch.request, number) for number in job.batch.numbers] for job in group.jobs]

    with Store(root, pytest.fail) as store:
        progress = Progress.of_store(asked, store, RunOptions(""))
        watcher = made(progress.missing())
        Run(progress, store, Threads(2, train), RunOptions(""), watcher, threading.Event(), lambda _: "graph").finish()
    return jobs, progress


def test_what_is_equal_runs_once_and_no_other_process_is_spoken_of(
    asked: Callable[..., list[CellRequest]], make_cell: Callable[..., Replicate], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    jobs, progress = ran(tmp_path / "store", asked(text=EQUAL), Log, make_cell)
    said = capsys.readouterr().err
    assert sorted(jobs) == [0, 1] and len(progress.replicates) == 6
    assert "process" not in said and said.count("its replicates are those that ran above") == 2
    assert not any(replicate.stored for replicate in progress.replicates.values()), "none lay there before this run"
    jobs, progress = ran(tmp_path / "store", asked(text=EQUAL), Log, make_cell)
    assert jobs == [] and all(replicate.stored for replicate in progress.replicates.values())


def test_the_events_say_who_ran_it(
    asked: Callable[..., list[CellRequest]], make_cell: Callable[..., Replicate], events: Callable[[str], list[dict[str, Any]]],
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ran(tmp_path / "store", asked(text=EQUAL), JsonLines, make_cell)
    told = events(capsys.readouterr().err)
    assert [event["by"] for event in told if event["event"] == "stored"] == ["this run"] * 2
    assert "waiting" not in {event["event"] for event in told}

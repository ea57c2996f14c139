"""What was broken off goes on where it lay among others, so that it ends with the bits of an unbroken run, whatever has become of the others."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train_group
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.progress import Quiet
from dlspec.interpreter.schedule.scheduler import Progress, Run
from dlspec.interpreter.store import files
from dlspec.interpreter.store.checkpoints import Checkpoints
from dlspec.interpreter.store.requests import CellRequest, requests_of
from dlspec.interpreter.store.store import Store
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    constants: {rate: 0.01}
    sweep: {rate: RATES}
    task: {draw: {v: "normal([16])"}, example: {x: "normal([16])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: {units: 17, activation: tanh}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 32, steps: 60, evaluate: {every: 10, examples: 100}}
    measures: {error: E((f - y)^2), w: norm(f.weights)}
    replicates: REPLICATES
"""
DIVERGES = 5000
THREE = f"[0.01, 0.02, {DIVERGES}]"
Same = Callable[[Replicate, Replicate], None]


def asked(rates: str, replicates: int) -> list[CellRequest]:
    text = STUDY.lstrip().replace("RATES", rates).replace("REPLICATES", str(replicates))
    return requests_of(spec.resolve(spec.parse(Source("t.yaml", text))), "cpu")


class At(Quiet):
    """Calls something when evaluations at some steps are made."""

    def __init__(self, calls: Mapping[int, Callable[[], object]]) -> None:
        super().__init__()
        self.calls = calls

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        if step in self.calls:
            self.calls[step]()


class Warned(Quiet):
    """Notes what is warned of."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def warn(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture(scope="module")
def forms() -> ProgramCache:
    return ProgramCache()


def ran(
    root: Path, requests: list[CellRequest], forms: ProgramCache, jobs: int = 1, watcher: Quiet | None = None,
    stop: threading.Event | None = None,
) -> dict[tuple[int, int], Replicate]:  # fmt: skip
    """The replicates of a run on a store, by cell and number."""
    watcher, stop = watcher or Quiet(), stop or threading.Event()
    with Store(root, pytest.fail) as store:
        progress = Progress.of_store(requests, store, RunOptions(""), jobs)
        executor = Threads(jobs, lambda group, _: train_group(group, watcher, stop, forms))
        options = RunOptions("", checkpoint=0.0)
        Run(progress, store, executor, options, watcher, stop, lambda _: "xla").finish()
        for replicate in progress.replicates.values():
            replicate.curves = {**replicate.curves}
            replicate.beside = {column: {**curves} for column, curves in replicate.beside.items()}
        return progress.replicates


def assert_same(found: Any, unbroken: Any, same_cell: Same) -> None:
    assert found.keys() == unbroken.keys()
    for place, replicate in unbroken.items():
        same_cell(found[place], replicate)
        assert found[place].rows == replicate.rows, place


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, forms: ProgramCache) -> dict[tuple[int, int], Replicate]:
    found = ran(tmp_path_factory.mktemp("unbroken") / "store", asked(THREE, 1), forms)
    assert [one.status for one in found.values()] == ["done", "done", "diverged"]
    assert {one.rows for one in found.values()} == {3}
    return found


def test_a_cell_that_had_diverged_before_keeps_its_place(
    tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same
) -> None:
    """Ctrl-C: it is stored, and the others, which go on without it, are computed beside as many as before."""
    stop = threading.Event()
    first = ran(tmp_path / "store", asked(THREE, 1), forms, watcher=At({30: stop.set}), stop=stop)
    assert [one.status for one in first.values()] == ["interrupted", "interrupted", "diverged"]
    assert_same(ran(tmp_path / "store", asked(THREE, 1), forms), unbroken, same_cell)


def test_cells_whose_checkpoints_are_of_several_steps_keep_their_places(
    tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same
) -> None:
    """As a kill between the writing of two of them leaves them."""
    root, stop = tmp_path / "store", threading.Event()
    requests = asked(THREE, 1)
    kept = tmp_path / "kept.ckpt"
    name = Progress(requests).missing()[1].name

    def keep() -> None:
        shutil.copy(root / "checkpoints" / f"{name}.ckpt", kept)

    ran(root, requests, forms, watcher=At({20: keep, 40: stop.set}), stop=stop)
    shutil.copy(kept, root / "checkpoints" / f"{name}.ckpt")
    assert_same(ran(root, requests, forms), unbroken, same_cell)


@pytest.mark.parametrize("damaged", [False, True])
def test_one_without_a_checkpoint_begins_anew_in_its_place(
    damaged: bool, tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same
) -> None:
    """As a kill between the first of their checkpoints leaves it, or damage, which is warned of."""
    root, stop, warned = tmp_path / "store", threading.Event(), Warned()
    requests = asked(THREE, 1)
    ran(root, requests, forms, watcher=At({30: stop.set}), stop=stop)
    path = root / "checkpoints" / f"{Progress(requests).missing()[0].name}.ckpt"
    if damaged:
        path.write_bytes(path.read_bytes()[:-40])
    else:
        path.unlink()
    with sqlite3.connect(root / "index.sqlite") as index:  # all three are to run
        index.execute("DELETE FROM cells")
    shutil.rmtree(root / "cells")
    again = ran(root, requests, forms, watcher=warned)
    assert_same(
        {place: again[place] for place in unbroken if place[0] < 2},
        {p: unbroken[p] for p in unbroken if p[0] < 2},
        same_cell,
    )
    assert len(warned.texts) == damaged


def test_one_of_them_alone_is_computed_beside_as_many(
    tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same
) -> None:
    """As `--only` asks for it after the whole was broken off."""
    stop = threading.Event()
    requests = asked(THREE, 1)
    ran(tmp_path / "store", requests, forms, watcher=At({30: stop.set}), stop=stop)
    alone = ran(tmp_path / "store", requests[1:2], forms)
    assert_same(alone, {(0, 0): unbroken[1, 0]}, same_cell)


def test_cells_side_by_side_are_stored_at_once_or_not_at_all(
    tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the second file finds no room, the first is not taken up by the next run: the others would run beside fewer."""
    write = files.write
    written: list[Path] = []

    def full(*given: Any) -> Path:
        if written:
            raise OSError(28, "No space left on device")
        written.append(write(*given))
        return written[0]

    with monkeypatch.context() as patched:
        patched.setattr(files, "write", full)
        with pytest.raises(StoreError, match="no space is left"):
            ran(tmp_path / "store", asked(THREE, 1), forms)
    assert written[0].exists()
    assert_same(ran(tmp_path / "store", asked(THREE, 1), forms), unbroken, same_cell)
    names = [path.name for path in files.every(tmp_path / "store" / "cells")]
    assert len(names) == 3 and written[0].name not in names, "nothing lies there that is not listed"


def test_a_part_with_a_replicate_fewer_stays_as_wide_when_the_other_is_stored(
    tmp_path: Path, forms: ProgramCache, same_cell: Same
) -> None:
    """Five replicates on two cores: two and three, in a program of three rows."""
    requests = asked("[0.02]", 5)
    unbroken = ran(tmp_path / "unbroken", requests, forms, jobs=2)
    assert {one.rows for one in unbroken.values()} == {3}
    stored = Progress(requests, jobs=2)
    stored.replicates = {place: one for place, one in unbroken.items() if place[1] > 1}
    assert [(batch.numbers, batch.rows) for batch in stored.missing()] == [((0, 1), 3)]


def test_a_spent_checkpoint_that_cannot_be_removed_is_a_warning(
    tmp_path: Path, unbroken: Any, forms: ProgramCache, same_cell: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that may no longer be written: what it led to is stored, and is judged."""

    def refuse(checkpoints: Checkpoints) -> None:
        raise PermissionError(13, "Permission denied", str(checkpoints.path))

    monkeypatch.setattr(Checkpoints, "remove", refuse)
    watcher = Warned()
    assert_same(ran(tmp_path / "store", asked(THREE, 1), forms, watcher=watcher), unbroken, same_cell)
    assert len(watcher.texts) == 3 and all("cannot be removed" in text for text in watcher.texts)

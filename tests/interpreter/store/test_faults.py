"""What goes wrong around a store, as a user meets it: a full disk, no right to write, damage. Nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.api.running import _Begun, _judged_anyway
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.program.job import JobGroup
from dlspec.interpreter.results.errors import StoreError, full
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.progress import Log
from dlspec.interpreter.schedule.scheduler import Progress, Run
from dlspec.interpreter.store import files
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch, requests_of
from dlspec.interpreter.store.store import Store
from dlspec.spec.diagnostics.problems import Source

Command = Callable[..., subprocess.CompletedProcess[str]]


def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own at a folder, or the reason why there is none."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    yield from mounted(tmp_path / "disk", "size=400k")


def fill(folder: Path, leave: int = 0) -> Path:
    """Fills a disk to its last bytes."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC
    if leave:
        os.truncate(path, max(0, path.stat().st_size - leave))
    return path


def test_a_full_disk_says_so_and_what_was_stored_is_kept(
    tiny_disk: Path, tmp_path: Path, study: str, dlspec: Command, run_folders: Callable[[Path], Sequence[Path]]
) -> None:
    (tmp_path / "small.yaml").write_text(study.replace("figures: {fit", "# {fit"), "utf-8")
    runs = ("--runs", str(tiny_disk))
    first = dlspec("run", "small.yaml", *runs, "-o", "constants.rate=0.1", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    ballast = fill(tiny_disk)
    full = dlspec("run", "small.yaml", *runs, cwd=tmp_path)
    assert full.returncode == 1 and "Traceback" not in full.stderr and "internal error" not in full.stderr
    assert "no space is left on the disk" in full.stderr and "run again" in full.stderr
    ballast.unlink()
    assert not list(tiny_disk.rglob(".draft-*"))
    after = dlspec("run", "small.yaml", *runs, cwd=tmp_path)
    assert after.returncode == 0 and "3 of 6 replicates are stored already, 3 to run" in after.stderr


def test_a_disk_that_fills_while_cells_are_written(
    tiny_disk: Path, asked: Callable[..., list[CellRequest]], make_cell: Callable[..., Any]
) -> None:
    """At the file, or at the index: the error is the same, and the store is whole with what it had."""
    first, second = asked()
    every = (0, 1, 2)
    with Store(tiny_disk / "store", pytest.fail) as store:
        store.acquire(ReplicateBatch(first, every))
        store.commit([(ReplicateBatch(first, every), [make_cell(first, r) for r in every])], {})
        store.acquire(ReplicateBatch(second, every))
        ballast = fill(tiny_disk)
        with pytest.raises(StoreError, match="no space is left"):
            store.commit([(ReplicateBatch(second, every), [make_cell(second, r) for r in every])], {})
        ballast.unlink()
        assert store.index.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert None not in store.find([(first, r) for r in every])
        store.commit([(ReplicateBatch(second, every), [make_cell(second, r) for r in every])], {})
        assert None not in store.find([(second, r) for r in every])
        assert not list(store.root.rglob(".draft-*"))


def test_what_ran_is_judged_where_no_more_can_be_stored(
    study: str, make_cell: Callable[..., Replicate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the replicates whose file found no room, too: their numbers are there still."""
    plan = spec.resolve(spec.parse(Source("small.yaml", study)))
    shown: list[Any] = []

    def fills(store: Store, *given: Any) -> Any:
        raise full(tmp_path)

    def train(group: JobGroup, stop: threading.Event) -> list[list[Replicate]]:
        return [[make_cell(job.batch.request, number) for number in job.batch.numbers] for job in group.jobs]

    monkeypatch.setattr(Store, "commit", fills)
    audience: Any = SimpleNamespace(warn=pytest.fail, judged=lambda what, aside: shown.append(what))
    options = RunOptions("")
    with Store(tmp_path / "store", pytest.fail) as store:
        progress = Progress.of_store(requests_of(plan, "cpu"), store, options)
        begun = _Begun("cpu", progress, progress.missing())
        with pytest.raises(StoreError, match="no space is left"), _judged_anyway(plan, begun, options, audience):
            Run(progress, store, Threads(1, train), options, Log([]), threading.Event(), lambda _: "graph").finish()
    (what,) = shown
    assert len(what.results["line"].replicates) == 6 and [verdict.verdict for verdict in what.verdicts] == ["seen"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, study: str, dlspec: Command) -> None:
    (tmp_path / "small.yaml").write_text(study, "utf-8")
    for place in mounted(tmp_path / "disk", "size=1m"):
        made = dlspec("run", "small.yaml", "--runs", str(place), cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        done = dlspec("run", "small.yaml", "--runs", str(place), cwd=tmp_path)
        assert done.returncode == 1 and not done.stdout
        assert "cannot be written" in done.stderr and "--runs" in done.stderr and "Traceback" not in done.stderr
        listed = dlspec("runs", "--runs", str(place), cwd=tmp_path)
        assert listed.returncode == 0 and "small-" in listed.stdout, "what is there can be listed"
        planned = dlspec("plan", "small.yaml", "--json", "--runs", str(place), cwd=tmp_path)
        assert planned.returncode == 0 and not planned.stderr
        cells = json.loads(planned.stdout)["cells"]
        assert all(cell["stored"] == cell["replicates"] for cell in cells), "and what is stored is known"


def test_a_folder_under_a_file_cannot_be_made(tmp_path: Path, study: str, dlspec: Command) -> None:
    (tmp_path / "small.yaml").write_text(study, "utf-8")
    (tmp_path / "file").write_text("", "utf-8")
    done = dlspec("run", "small.yaml", "--runs", "file/runs", cwd=tmp_path)
    assert done.returncode == 1 and "file/runs" in done.stderr and "Traceback" not in done.stderr


def test_damage_as_a_user_meets_it(
    tmp_path: Path, study: str, dlspec: Command, run_folders: Callable[[Path], Sequence[Path]],
    numbers: Callable[[Path], dict[str, Any]],
) -> None:  # fmt: skip
    """A cut-off Parquet file costs its cells alone, a broken index nothing once it is repaired."""
    (tmp_path / "small.yaml").write_text(study, "utf-8")
    assert dlspec("run", "small.yaml", "-j", "1", cwd=tmp_path).returncode == 0  # one file a cell
    store = tmp_path / "runs" / "store"
    path = next(files.every(store / "cells"))
    path.write_bytes(path.read_bytes()[:-20])
    again = dlspec("run", "small.yaml", cwd=tmp_path)
    assert again.returncode == 0 and f"{path.name}: its bytes are not those" in again.stderr
    assert "3 of 6 replicates are stored already, 3 to run" in again.stderr
    first, second = run_folders(tmp_path)
    assert numbers(first) == numbers(second)
    (store / "index.sqlite").write_bytes(b"not a database" * 500)
    broken = dlspec("run", "small.yaml", cwd=tmp_path)
    assert broken.returncode == 1 and "dlspec runs repair" in broken.stderr and "Traceback" not in broken.stderr
    assert "6 replicates are in the new index" in dlspec("runs", "repair", cwd=tmp_path).stdout
    whole = dlspec("run", "small.yaml", cwd=tmp_path)
    assert whole.returncode == 0 and "all 6 replicates are stored already" in whole.stderr
    assert numbers(run_folders(tmp_path)[-1]) == numbers(first)


def test_what_changed_is_run_and_nothing_else(
    tmp_path: Path, study: str, dlspec: Command, events: Callable[[str], list[dict[str, Any]]]
) -> None:
    """TensorFlow is loaded only where something is to run; --force runs all; --keep-weights runs what has none."""
    path = tmp_path / "small.yaml"
    path.write_text(study, "utf-8")

    def planned(*more: str) -> tuple[int, int]:
        done = dlspec("run", "small.yaml", "--log", "json", "--json", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told = events(done.stderr)
        assert all(event["format_version"] == 1 for event in told)
        ended = [cell for event in told if event["event"] == "finished" for cell in event["ended"]]
        assert told[0]["event"] == "planned" and len(ended) == told[0]["to_run"]
        cells = json.loads(done.stdout)["cells"]
        assert sum(cell["stored"] for cell in cells) == told[0]["stored"] and len(cells) == told[0]["replicates"]
        return told[0]["stored"], told[0]["to_run"]

    assert planned() == (0, 6)
    assert planned() == (6, 0)
    path.write_text(study.replace("[0.1, 0.05]", "[0.1, 0.02]"), "utf-8")
    assert planned() == (3, 3)
    path.write_text(study.replace("replicates: 3", "replicates: 4"), "utf-8")
    assert planned() == (6, 2)
    path.write_text(study, "utf-8")
    assert planned("--force") == (0, 6)
    assert planned("--keep-weights") == (0, 6)
    assert planned("--keep-weights") == (6, 0)
    assert len(list((tmp_path / "runs" / "store" / "weights").glob("*/f.keras"))) == 6


def test_nothing_to_run_needs_no_tensorflow(tmp_path: Path, study: str, dlspec: Command) -> None:
    import sys

    (tmp_path / "small.yaml").write_text(study, "utf-8")
    assert dlspec("run", "small.yaml", cwd=tmp_path).returncode == 0
    code = (
        "import sys\nfrom dlspec.interpreter.cli.app import main\nsys.argv = ['dlspec', 'run', 'small.yaml']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr

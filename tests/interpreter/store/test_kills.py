"""SIGKILL at any moment: the next run goes on, and ends with the numbers of a run that nothing broke."""

from __future__ import annotations

import copy
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import forked

STUDY = """\
dlspec: 1
study: kills
experiments:
  line:
    task: {draw: {v: "normal([8])"}, example: {x: "normal([8])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: {units: 32, activation: tanh}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {adam: {learning_rate: 0.01}}, batch: 64, steps: STEPS, evaluate: {every: EVERY, examples: 256}}
    measures: {error: E((f - y)^2)}
    replicates: 2
    variants:
      adam: {}
      averaged:
        training: {optimizer: {adam: {use_ema: true}}}
        architecture: {f: {layers: [dense: 16, batch_normalization: {}, activation: relu, dense: 1]}}
    figures: {fit: {kind: function, x: "x[0]", y: {target: y, learnt: f}, where: variant == adam}}
"""
DERIVED = """\
dlspec: 1
study: kills
experiments:
  line:
    task: {draw: {v: "normal([8])"}, example: {x: "normal([8])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: {units: 16, activation: tanh}, dropout: 0.2, dense: 1]}}
    outputs: {slope: "gradient(f, x)"}
    loss: {squared: (f - y)^2, penalty: "0.1 * (norm(slope) - 1)^2 + 0.1 * squared_norm(B(gradient((f - y)^2, f.weights)))"}
    training: {optimizer: {adam: {learning_rate: 0.01}}, batch: 16, steps: STEPS, evaluate: {every: EVERY, examples: 256}}
    measures: {error: E((f - y)^2), steep: E(norm(slope))}
    replicates: 2
    variants:
      penalised: {}
      bent: {loss: {penalty: "0.1 * squared_norm(hessian_vector(f, x, v)) + 0.01 * squared_norm(gradient(f, f.weights))"}}
    figures: {fit: {kind: function, x: "x[0]", y: {target: y, learnt: f}, where: variant == penalised}}
"""

Events = Callable[[str], list[dict[str, Any]]]


def command(*more: str) -> list[str]:
    return [
        sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()",
        "run", "kills.yaml", "-j", "2", "--checkpoint", "0", "--log", "json", *more,
    ]  # fmt: skip


def written(folder: Path, steps: int, every: int, study: str = STUDY) -> None:
    folder.mkdir()
    (folder / "kills.yaml").write_text(study.replace("STEPS", str(steps)).replace("EVERY", str(every)), "utf-8")


class Trial:
    """One study, begun as often as it is killed, until it is done."""

    def __init__(self, folder: Path, steps: int, every: int, study: str = STUDY) -> None:
        self.folder = folder
        written(folder, steps, every, study)
        self.logs: list[Path] = []

    def copied(self, folder: Path) -> Trial:
        """The same study as far as it came, to go on with apart from this one."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder, other.logs = folder, [folder / log.name for log in self.logs]
        return other

    def start(self) -> subprocess.Popen[bytes]:
        self.logs.append(self.folder / f"{len(self.logs)}.log")
        with self.logs[-1].open("wb") as log:
            return forked.Forked(command(), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=log)

    def killed(self, seconds: float) -> bool:
        """Starts, and kills after so long; whether it was still running."""
        process = self.start()
        try:
            process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def told(self, events: Events) -> list[dict[str, Any]]:
        return [event for log in self.logs for event in events(log.read_text("utf-8"))]


def assert_whole(
    trial: Trial, reference: dict[str, Any], events: Events, numbers: Callable[[Path], dict[str, Any]],
    run_folders: Callable[[Path], Sequence[Path]],
) -> list[dict[str, Any]]:  # fmt: skip
    """The study was brought to its end, with the reference's bits, no cell twice, and nothing found broken."""
    assert numbers(run_folders(trial.folder)[-1]) == reference
    told = trial.told(events)
    assert not [event for event in told if event["event"] == "warning"], "no partial file was read"
    ended = Counter(cell["key"] for event in told if event["event"] == "finished" for cell in event["ended"])
    assert set(ended.values()) <= {1}
    store = trial.folder / "runs" / "store"
    with sqlite3.connect(store / "index.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*), min(ends), max(ends) FROM cells").fetchone() == (4, 1, 1)
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    assert not list(store.rglob(".draft-*")) and not (store / "damaged").exists()
    assert not list((store / "checkpoints").glob("*.ckpt"))
    return told


def killed_at_random(
    kills: int, steps: int, every: int, tmp_path: Path, events: Events, numbers: Callable[[Path], dict[str, Any]],
    run_folders: Callable[[Path], Sequence[Path]],
) -> list[dict[str, Any]]:  # fmt: skip
    """So many kills, over as many studies as it takes; returns what all of them told."""
    unbroken = Trial(tmp_path / "unbroken", steps, every)
    begin = time.monotonic()
    assert unbroken.start().wait(600) == 0, unbroken.logs[-1].read_text("utf-8")
    length = time.monotonic() - begin
    (run,) = run_folders(unbroken.folder)
    reference = numbers(run)
    assert reference["samples"] and len(reference["cells"]) == 4
    moments, count, told, studies = random.Random(20170323), 0, [], 0
    while count < kills:
        studies += 1
        trial = Trial(tmp_path / f"trial-{studies}", steps, every)
        while count < kills and trial.killed(moments.uniform(0.2, 1.0) * length):
            count += 1
        assert trial.start().wait(600) == 0, trial.logs[-1].read_text("utf-8")
        told += assert_whole(trial, reference, events, numbers, run_folders)
    return told


def kill_in_training(trial: Trial, events: Events) -> None:
    """Starts a run and kills it after its fourth evaluation, before it is done."""
    process, seen = trial.start(), 0
    while seen < 4 and process.poll() is None:
        time.sleep(0.01)
        seen = sum(event["event"] == "evaluated" for event in events(trial.logs[-1].read_text("utf-8")))
    assert process.poll() is None, "it was killed before it was done"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, events: Events) -> Trial:
    """A study killed once in the midst of training. Each test goes on with a copy."""
    trial = Trial(tmp_path_factory.mktemp("killed") / "trial", 4000, 200)
    kill_in_training(trial, events)
    assert list((trial.folder / "runs" / "store" / "checkpoints").glob("*.ckpt"))
    return trial


def test_a_killed_run_goes_on_from_its_checkpoint(
    killed: Trial, tmp_path: Path, events: Events, numbers: Callable[[Path], dict[str, Any]],
    run_folders: Callable[[Path], Sequence[Path]],
) -> None:  # fmt: skip
    """Killed in the midst of training: what is told of the next run begins past step 0."""
    unbroken = Trial(tmp_path / "unbroken", 4000, 200)
    assert unbroken.start().wait(600) == 0
    reference = numbers(run_folders(unbroken.folder)[0])
    trial = killed.copied(tmp_path / "trial")
    kill_in_training(trial, events)  # once more
    assert trial.start().wait(600) == 0
    told = assert_whole(trial, reference, events, numbers, run_folders)
    assert any(event["event"] == "started" and event["from_step"] > 0 for event in told)


@pytest.mark.slow
def test_a_killed_run_whose_loss_holds_derivatives_goes_on(
    tmp_path: Path, events: Events, numbers: Callable[[Path], dict[str, Any]],
    run_folders: Callable[[Path], Sequence[Path]],
) -> None:  # fmt: skip
    unbroken, trial = (Trial(tmp_path / name, 4000, 200, DERIVED) for name in ("unbroken", "trial"))
    assert unbroken.start().wait(600) == 0, unbroken.logs[-1].read_text("utf-8")
    kill_in_training(trial, events)
    assert trial.start().wait(600) == 0, trial.logs[-1].read_text("utf-8")
    told = assert_whole(trial, numbers(run_folders(unbroken.folder)[0]), events, numbers, run_folders)
    assert any(event["event"] == "started" and event["from_step"] > 0 for event in told)


@pytest.mark.slow
def test_thirty_kills(
    tmp_path: Path, events: Events, numbers: Callable[[Path], dict[str, Any]],
    run_folders: Callable[[Path], Sequence[Path]],
) -> None:  # fmt: skip
    told = killed_at_random(30, 60_000, 1_000, tmp_path, events, numbers, run_folders)
    resumed = [event["from_step"] for event in told if event["event"] == "started" and event["from_step"]]
    assert len(set(resumed)) > 5, "kills fell into training"


def test_another_maker_starts_anew(killed: Trial, tmp_path: Path, events: Events) -> None:
    """A checkpoint of another compiled form would go on with other rounding: it is not taken up."""
    trial = killed.copied(tmp_path / "trial")
    done = forked.run(command("--jit", "graph"), cwd=trial.folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0
    begun = [event for event in events(done.stderr) if event["event"] == "started"]
    assert begun and {event["from_step"] for event in begun} == {0}


def test_a_damaged_checkpoint_is_dropped_with_a_warning(killed: Trial, tmp_path: Path, events: Events) -> None:
    trial = killed.copied(tmp_path / "trial")
    paths = list((trial.folder / "runs" / "store" / "checkpoints").glob("*.ckpt"))
    for path in paths:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)
    assert trial.start().wait(600) == 0
    told = events(trial.logs[-1].read_text("utf-8"))
    warnings = [event["message"] for event in told if event["event"] == "warning"]
    assert len(warnings) == len(paths) > 0 and all("starts over" in text for text in warnings)


def test_numbers_are_compared_to_the_bit(numbers: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    """The twin: one number that is one unit in its last place off is seen."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, value in (("one", 1.0), ("other", float(np.nextafter(1.0, 2)))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cells.json").write_text(
            json.dumps([{"seconds": 1, "stored": True, "rows": 1, "digest": "a"}])
        )
        pq.write_table(pa.table({"value": [value]}), tmp_path / name / "curves.parquet")
    assert numbers(tmp_path / "one") == numbers(tmp_path / "one") != numbers(tmp_path / "other")

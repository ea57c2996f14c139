"""The process that loads TensorFlow while a run reads its study: when it is begun, what it gives, and how both end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="such a process is begun on Linux, on two cores"
)

STUDY = """dlspec: 1
study: small
experiments:
  e:
    constants: {c: 1}
    sweep: {c: [1, 2]}
    task: {example: {x: "normal([4])", y: c * sum(x)}}
    architecture: {f: {input: x, layers: [dense: 3, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: adam, batch: 8, steps: STEPS, evaluate: {every: EVERY, examples: 32}}
    measures: {error: E((f - y)^2)}
    replicates: 2
"""
MAIN = "from dlspec.interpreter.__main__ import main; main()"


def study(folder: Path, steps: int = 40, every: int = 20) -> None:
    (folder / "small.yaml").write_text(STUDY.replace("STEPS", str(steps)).replace("EVERY", str(every)))


def begun(folder: Path, *words: str, code: str = MAIN) -> subprocess.Popen[str]:
    """A command that runs."""
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", "small.yaml", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def children(process: int) -> list[int]:
    try:
        return [*map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    except FileNotFoundError:
        return []


def awaited(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.02)


def runs_on(process: int) -> bool:
    """Whether a process goes on: neither gone nor ended and not yet asked for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def curves(folder: Path) -> list[dict[str, object]]:
    (found,) = (folder / "runs").glob("small-*/curves.parquet")
    return sorted(pq.read_table(found).to_pylist(), key=repr)


def test_it_is_begun_where_a_run_of_this_machine_will_train() -> None:
    code = (
        "import sys\n"
        "from dlspec.interpreter.executors import begun_early as early, training_process\n"
        "class Fake:\n"
        "    @staticmethod\n"
        "    def forked(): print('begun')\n"
        "training_process.TrainingProcess = Fake\n"
        "for words in sys.argv[1:]:\n"
        "    print(words, end=': ', flush=True)\n"
        "    early.begin_early(words.split())\n"
        "    print('')\n"
        "sys.modules['tensorflow'] = None\n"
        "early.begin_early(['s.yaml'])\n"
    )
    commands = ["s.yaml", "s.yaml -j 1 --force", "--help", "s.yaml --executor=ray", "s.yaml --device gpu", "s.yaml --watch"]  # fmt: skip
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, *commands], capture_output=True, text=True, check=True, env=environment
    )
    assert [line for line in done.stdout.splitlines() if line] == [
        "s.yaml: begun", "s.yaml -j 1 --force: begun", "--help: ", "s.yaml --executor=ray: ", "s.yaml --device gpu: ", "s.yaml --watch: "
    ]  # fmt: skip


def test_a_run_gives_the_numbers_of_one_that_trains_itself_and_loads_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import atexit, gc, sys\nfrom dlspec.interpreter.__main__ import main\n"
        "atexit.register(lambda: print('tensorflow' in sys.modules, gc.isenabled()))\nmain()"
    )
    found = []
    for name, words, own in (("beside", (), "False True"), ("itself", ("--device", "cpu"), "True True")):
        folder = tmp_path / name
        folder.mkdir()
        study(folder)
        out, err = begun(folder, *words, code=code).communicate(timeout=300)
        assert out.splitlines()[-1] == own, err
        found.append(curves(folder))
    assert found[0] == found[1] and len(found[0]) == 12


def test_a_run_without_standard_streams_trains_itself(tmp_path: Path) -> None:
    study(tmp_path)
    command = f"exec {sys.executable} -c '{MAIN}' run small.yaml <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=300).returncode == 0
    assert len(curves(tmp_path)) == 12


def test_no_interrupt_is_lost_while_it_is_begun(tmp_path: Path) -> None:
    study(tmp_path)
    for milliseconds in (0, 0, 2, 5, 10):
        with begun(tmp_path) as run:
            awaited(lambda run=run: children(run.pid))
            time.sleep(milliseconds / 1000)
            for process in (run.pid, *children(run.pid)):  # as a terminal does
                os.kill(process, signal.SIGINT)
            assert run.communicate(timeout=120) == ("", "interrupted\n")
            assert run.returncode == 130


def test_where_there_is_no_room_for_it_a_run_goes_on_without(tmp_path: Path) -> None:
    command = f"ulimit -n 7; exec {sys.executable} -c '{MAIN}' run nothing.yaml"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=300, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("nothing.yaml: cannot be read")


def test_a_study_that_is_not_valid_is_told_and_nothing_goes_on(tmp_path: Path) -> None:
    study(tmp_path)
    with begun(tmp_path, "-o", "experiments.e.loss.squared=nobody") as run:
        seen: set[int] = set()
        while run.poll() is None:
            seen.update(children(run.pid))
            time.sleep(0.01)
        assert run.stderr is not None and "nobody" in run.stderr.read() and run.returncode == 1
    assert seen and not any(map(runs_on, seen))


def test_a_tensorflow_that_cannot_be_loaded_is_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path)
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(
        "import sys\nprint('not here', file=sys.stderr)\nraise ImportError('no library')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    out, err = begun(tmp_path).communicate(timeout=60)
    assert (out, err.count("not here"), err.count("no library")) == ("", 1, 1)


def test_it_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    study(tmp_path, steps=10**8, every=10**5)
    with begun(tmp_path, "--log", "json") as run:
        assert run.stderr is not None
        assert any(json.loads(line)["event"] == "evaluated" for line in run.stderr)
        (child,) = children(run.pid)
        run.kill()
        awaited(lambda: not runs_on(child))


def test_a_run_whose_process_is_lost_trains_itself_or_tells_what_was_lost(tmp_path: Path) -> None:
    study(tmp_path, steps=10**8, every=10**5)
    with begun(tmp_path, "--log", "json") as run:
        awaited(lambda: children(run.pid))
        (child,) = children(run.pid)
        os.kill(child, signal.SIGKILL)  # before TensorFlow is loaded
        assert run.stderr is not None
        assert any(json.loads(line)["event"] == "evaluated" for line in run.stderr)
        assert children(run.pid) == []
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=120)
        assert run.returncode == 130
    study(tmp_path, steps=10**8 + 1, every=10**5)
    with begun(tmp_path, "--log", "json") as run:
        assert run.stderr is not None
        assert any(json.loads(line)["event"] == "evaluated" for line in run.stderr)
        (child,) = children(run.pid)
        os.kill(child, signal.SIGKILL)
        run.communicate(timeout=120)
        assert run.returncode == 1
    (last,) = [path for path in (tmp_path / "runs").glob("small-*") if "failed" in (path / "cells.json").read_text()]
    cells = json.loads((last / "cells.json").read_text())
    assert {cell["status"] for cell in cells} == {"failed"} and "signal SIGKILL" in cells[0]["message"]

"""Which device a run takes: what may be asked for, which one of those there that is, and what is said where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from dlspec.interpreter.backend import startup as start
from dlspec.interpreter.backend.devices import Asked
from dlspec.interpreter.results import run_writer as run_folder
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.diagnostics.problems import StudyError

SHOWN = ["/dev/nvidia0"]


def said(error: pytest.ExceptionInfo[StudyError]) -> str:
    (problem,) = error.value.problems
    return f"{problem.message}. {problem.hint}"


@pytest.mark.parametrize(
    ("text", "asked", "two", "none"),
    [
        ("auto", Asked("auto"), ["a"], []),
        ("cpu", Asked("cpu"), [], []),
        ("gpu", Asked("gpu", 0), ["a"], None),
        ("gpu:0", Asked("gpu", 0), ["a"], None),
        ("gpu:1", Asked("gpu", 1), ["b"], None),
    ],
)
def test_one_device_is_taken(text: str, asked: Asked, two: list[str], none: list[str] | None) -> None:
    """Of two GPUs, and of none."""
    assert Asked.read(text) == asked
    assert asked.chosen(["a", "b"], SHOWN, False) == two
    if none is not None:
        assert asked.chosen([], [], False) == none
    else:
        with pytest.raises(StudyError, match="finds no GPU"):
            asked.chosen([], [], False)


@pytest.mark.parametrize("text", ["", "GPU", "gpu:", "gpu:-1", "gpu:x", "gpu1", "cpu:0", "tpu", "cuda:0"])
def test_what_is_no_device_is_said(text: str) -> None:
    with pytest.raises(StudyError) as error:
        Asked.read(text)
    assert f"there is no device '{text}'" in said(error) and "gpu:N, where N counts from 0" in said(error)


@pytest.mark.parametrize(
    ("there", "shown", "hidden", "words"),
    [
        (["a"], SHOWN, False, ["there is no gpu:3", "There is one, gpu:0."]),
        (["a", "b", "c"], SHOWN, False, ["there is no gpu:3", "There are 3, gpu:0 to gpu:2."]),
        ([], SHOWN, False, ["finds no GPU", "The system shows /dev/nvidia0", "pip install 'dlspec[gpu]'"]),
        ([], [], False, ["finds no GPU", "The system shows none", "pip install 'dlspec[gpu]'", "--device cpu"]),
        ([], SHOWN, True, ["finds no GPU", "CUDA_VISIBLE_DEVICES hides them all"]),
    ],
)
def test_a_gpu_that_is_not_there_is_an_error_with_its_remedy(
    there: list[str], shown: list[str], hidden: bool, words: list[str]
) -> None:
    with pytest.raises(StudyError) as error:
        Asked("gpu", 3).chosen(there, shown, hidden)
    assert all(word in said(error) for word in words), said(error)


class Accelerators:
    """TensorFlow's configuration on a machine with two GPUs, as far as `start` asks it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.visible: list[Any] = ["a", "b"]
        self.growth: dict[str, bool] = {}
        self.deterministic = False
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: self.visible)
        monkeypatch.setattr(tf.config, "set_visible_devices", self._see)
        monkeypatch.setattr(tf.config.experimental, "set_memory_growth", self.growth.__setitem__)
        monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", self._determine)
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda one: {"device_name": f"Chip {one}"})

    def _see(self, devices: list[Any], kind: str) -> None:
        assert kind == "GPU"
        self.visible = list(devices)

    def _determine(self) -> None:
        self.deterministic = True


@pytest.mark.parametrize(("text", "seen"), [("auto", ["a"]), ("gpu", ["a"]), ("gpu:1", ["b"]), ("cpu", [])])
def test_tensorflow_sees_what_is_asked_for_alone(text: str, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory grows as needed, its sums are the same in every run, and the provenance names it."""
    machine = Accelerators(monkeypatch)
    start.start(Asked.read(text))
    assert machine.visible == seen
    assert machine.growth == dict.fromkeys(seen, True)
    assert machine.deterministic == bool(seen)
    assert start.device() == ("gpu" if seen else "cpu")
    about = run_folder.provenance(start.device())
    assert about["device"] == start.device()
    assert about.get("accelerator") == (f"Chip {seen[0]}" if seen else None)


def test_a_gpu_that_tensorflow_does_not_find_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(start, "_accelerators", lambda: SHOWN)
    monkeypatch.setattr(start, "_visible", lambda: [])
    assert "pip install 'dlspec[gpu]'" in start.overlooked(Asked("auto"))
    assert not start.overlooked(Asked("cpu"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not start.overlooked(Asked("auto"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(start, "_visible", lambda: ["a"])
    assert not start.overlooked(Asked("auto"))


def test_what_is_asked_for_is_known_without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(start, "_accelerators", lambda: SHOWN)
    assert [start.device_without_tensorflow(Asked.read(text)) for text in ("auto", "cpu", "gpu:1")] == [
        None,
        "cpu",
        "gpu",
    ]


def test_the_kind_of_device_is_part_of_a_cells_name(program: Any) -> None:
    made = program("task: {example: {x: normal()}}\nmeasures: {m: E(x)}")
    assert CellRequest.of(made, "cpu").key(0) != CellRequest.of(made, "gpu").key(0)


STUDY = """
dlspec: 1
study: small
experiments:
  e: {task: {example: {x: normal()}}, measures: {m: E(x)}}
"""


def test_the_command_says_where_it_ran_and_where_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(STUDY, "utf-8")

    def dlspec(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dlspec.interpreter", "run", "small.yaml", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    wrong = dlspec("--device", "gpu0")
    assert wrong.returncode == 2 and "there is no device 'gpu0'" in wrong.stderr and not (tmp_path / "runs").exists()
    ran = dlspec("--device", "cpu")
    assert ran.returncode == 0, ran.stderr
    (about,) = (path.read_text("utf-8") for path in (tmp_path / "runs").glob("*/run.json"))
    assert '"device": "cpu"' in about
    if not tf.config.list_physical_devices("GPU"):
        there = dlspec("--device", "gpu")
        assert there.returncode == 1 and there.stderr.startswith("TensorFlow finds no GPU\n"), there.stderr
        assert "pip install 'dlspec[gpu]'" in there.stderr and "Traceback" not in there.stderr


def test_a_device_that_comes_too_late_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """TensorFlow's own words, where its devices were used already."""

    def too_late(*_: Any) -> None:
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", too_late)
    with pytest.raises(StudyError) as caught:
        start.start(Asked("cpu"))
    assert "runs in this process already, with other devices" in said(caught) and "kernel" in said(caught)

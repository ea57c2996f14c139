"""Compiled programs outlive their process: a second one loads them, with the same numbers to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dlspec.interpreter.backend import xla_cache as compilation_cache
from dlspec.interpreter.backend.xla_cache import DEVICES, KEPT_DAYS, OPTION, use_compilation_cache

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [{dense: {units: 4, activation: tanh}}, dense: 1]}}
    loss: {square: (f - 1)^2}
    training: {optimizer: {adam: {learning_rate: RATE}}, batch: 8, steps: 10, evaluate: {every: 5, examples: 16}}
    measures: {m: E(f^2)}
    variants: {two: {}, one: {architecture: {f: {layers: [dense: 1]}}}}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    return tmp_path


def run(folder: Path, cache: Path, rate: float) -> float:
    """The last value of the measure of the first of two variants, which are traced at once, from a run that takes nothing from the store."""
    (folder / "t.yaml").write_text(STUDY.replace("RATE", str(rate)))
    command = [
        sys.executable,
        "-m",
        "dlspec.interpreter",
        "run",
        "t.yaml",
        "--json",
        "--force",
        "--jit",
        "xla",
        "-j",
        "2",
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop("TF_XLA_FLAGS", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    first, _ = json.loads(done.stdout)["cells"]
    return float(first["final"]["m"])


def test_a_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = run(tmp_path, cache, 0.01)
    kept = {path.name: path.stat().st_mtime_ns for path in cache.glob("dlspec/xla/*/*.pb")}
    assert len(kept) >= 4, "training and evaluation, of each"
    assert run(tmp_path, cache, 0.01) == first
    other = run(tmp_path, cache, 0.02)
    assert other != first, "a learning rate is an input"
    assert {path.name: path.stat().st_mtime_ns for path in cache.glob("dlspec/xla/*/*.pb")} == kept, (
        "nothing is compiled"
    )


def test_what_the_user_says_holds(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_XLA_FLAGS", f"{OPTION}=/elsewhere")
    use_compilation_cache()
    assert os.environ["TF_XLA_FLAGS"] == f"{OPTION}=/elsewhere"
    assert not list(cache.iterdir())


def test_other_flags_stay(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_max_cluster_size=7")
    use_compilation_cache()
    first, folder, devices = os.environ["TF_XLA_FLAGS"].split(" ")
    assert first == "--tf_xla_max_cluster_size=7"
    assert Path(folder.removeprefix(f"{OPTION}=")).is_dir()
    assert devices.startswith(f"{DEVICES}=CPU,")


def test_old_programs_are_removed(cache: Path) -> None:
    use_compilation_cache()
    folder = Path(os.environ["TF_XLA_FLAGS"].split(" ")[0].removeprefix(f"{OPTION}="))
    for name, days in (("old.pb", KEPT_DAYS + 1), ("new.pb", KEPT_DAYS - 1)):
        (folder / name).write_text("")
        then = time.time() - days * 24 * 3600
        os.utime(folder / name, (then, then))
    os.environ.pop("TF_XLA_FLAGS")
    use_compilation_cache()
    assert [path.name for path in folder.iterdir()] == ["new.pb"]


def test_machines_of_other_kinds_share_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for instructions in ("avx2", "avx512"):
        monkeypatch.setattr(compilation_cache, "instructions", lambda held=instructions: held)
        folders.append(compilation_cache._made_for())
    assert folders[0] != folders[1]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    use_compilation_cache()
    assert "TF_XLA_FLAGS" not in os.environ

"""What a worker is sent: versions that must be the same, and data files that it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program

pytest.importorskip("ray")

from dlspec.interpreter.executors.ray import executor
from dlspec.interpreter.executors.ray.data_files import cannot_travel, files_of, found
from dlspec.interpreter.executors.ray.executor import Remote, Running
from dlspec.interpreter.executors.ray.resources import Resources
from dlspec.interpreter.executors.ray.worker import Outcome, differences, installed


def test_other_versions_are_told_by_name() -> None:
    here = installed()
    assert differences(here, here) == ""
    assert differences(here, {**here, "keras": "1.0"}) == f"keras 1.0 there and {here['keras']} here"


STUDY = """
dlspec: 1
study: far
experiments:
  e:
    task: {data: {file: rows.csv, train: 2}, example: {x: rows.x}}
    measures: {mean: E(x)}
"""


def elsewhere(program: Program, path: Path) -> Program:
    """A program whose data file lies at another path on this node."""
    assert isinstance(program.data, Rows)
    (file,) = program.data.files
    return replace(program, data=replace(program.data, files=(replace(file, path=str(path)),)))


def test_data_files_are_found_by_their_checksum_or_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the driver has it is taken; one that is missing or holds other values is asked for, kept, and found again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n1.5\n2.5\n3.5\n")
    program = spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), STUDY))).experiments[0].programs[0]
    (file,) = files_of(program)
    asked: list[str] = []

    def fetch(reference: str) -> bytes:
        asked.append(reference)
        return rows.read_bytes()

    placed, lacking = found(program, {}, fetch)
    assert not lacking and files_of(placed)[0].path == file.path
    other = tmp_path / "node" / "rows.csv"
    other.parent.mkdir()
    far = elsewhere(program, other)
    for text in (None, "x\n1.5\n2.5\n4.5\n"):  # not there; there, and another one
        if text is not None:
            other.write_text(text)
        _, lacking = found(far, {}, fetch)
        assert [one.name for one in lacking] == ["rows"]
    placed, lacking = found(far, {file.checksum: "reference"}, fetch)
    (there,) = files_of(placed)
    assert not lacking and Path(there.path).read_bytes() == rows.read_bytes() and there.path != str(other)
    placed, lacking = found(far, {}, fetch)  # a later job finds the copy
    assert not lacking and files_of(placed)[0].path == there.path and asked == ["reference"]
    Path(there.path).write_text("x\n0\n")
    assert found(far, {}, fetch)[1]
    assert cannot_travel(file) == "" and "folder" in cannot_travel(replace(file, path=str(tmp_path)))


def test_the_driver_sends_a_file_once_and_says_why_one_cannot_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cluster: what the driver makes of jobs that came back, since their nodes lack data files."""
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n1.5\n2.5\n3.5\n")
    program = spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), STUDY))).experiments[0].programs[0]
    (file,) = files_of(program)
    put: list[bytes] = []
    told: list[str] = []
    sent: list[dict[str, object]] = []
    driver = object.__new__(Remote)  # no cluster is begun
    driver.files = {}
    driver.watcher = SimpleNamespace(warn=told.append)  # type: ignore[assignment]

    def send(running: Running) -> None:
        running.files = {file.checksum: driver.files[file.checksum]}
        sent.append(dict(running.files))

    monkeypatch.setattr(driver, "_send", send)
    monkeypatch.setattr(executor.ray, "put", lambda content: put.append(content) or f"reference {len(put)}")
    lacks = Outcome(lacking=(file,), node="there")
    first, second = (Running(None, Resources(1, 0, 1)) for _ in range(2))  # type: ignore[arg-type]
    for running in (first, second):
        assert driver._files_sent(running, lacks) == ""
    assert put == [rows.read_bytes()] and sent == [{file.checksum: "reference 1"}] * 2
    assert told == ["there has no 'rows.csv' with the values that were checked: it is sent there"]
    fault = driver._files_sent(first, lacks)  # it was sent along, and is not there still
    assert "it could not be kept there" in fault and f"put it at {rows} on every node" in fault
    folder = replace(file, path=str(tmp_path), checksum="0")
    assert "a folder is not sent there" in driver._files_sent(second, Outcome(lacking=(folder,), node="there"))
    gone = replace(file, path=str(tmp_path / "gone.csv"), checksum="1")
    assert "it could not be sent" in driver._files_sent(second, Outcome(lacking=(gone,), node="there"))
    assert len(put) == 1 and len(sent) == 2

"""What of a file's rows is held, and what the plan says of its memory; of a file that is only said to be large."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.data_files.memory_limit import LIMIT
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.held_columns import chunks_of_a_window, evaluated_in_windows, examples_held, examples_read
from dlspec.spec.passes.memory import chunk, memory

BODY = """
dlspec: 1
study: t
experiments:
  e:
    task: {data: {file: x.npy, train: 0.5}, example: {v: x}}
    architecture: {f: {input: v, layers: [dense: 4]}}
    loss: {l: "sum(f^2)"}
    training: {optimizer: {sgd: 0.01}, batch: 8, steps: 10}
    measures:
      l: "E(sum(f^2))"
      noise: {gradient_noise: {of: "sum(f^2)", weights: f.weights, examples: 640}}
"""
ROWS, ROW = 2**24, 4 * 64


@pytest.fixture
def large(tmp_path: Path) -> Program:
    """A program of 4 GiB of rows, half of which are tested."""
    np.save(tmp_path / "x.npy", np.zeros((2000, 64), "f4"))
    text = BODY
    program = spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), text))).experiments[0].programs[0]
    assert isinstance(program.data, Rows)
    return replace(program, data=replace(program.data, rows=ROWS, size=ROWS // 2, test=ROWS // 2))


def test_evaluations_read_in_windows_what_is_more_than_is_held(large: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examples_read(large) == {"train": 0, "test": ROWS // 2, "validation": 0}
    monkeypatch.setenv(LIMIT, "3G")
    assert not evaluated_in_windows(large, 1) and evaluated_in_windows(large, 2)
    assert memory(large, replicates=1) > 2 * ROW * ROWS // 2
    monkeypatch.setenv(LIMIT, "1G")
    assert evaluated_in_windows(large, 1)
    assert examples_held(large, 1) == {"train": 0, "test": 640, "validation": 0}
    assert memory(large, replicates=1) < 2**30 - 2**28
    each = chunk(large, ROWS // 2, 1)
    assert chunks_of_a_window(large, 1, each) >= 1 and each * ROW <= 2**26
    monkeypatch.setenv(LIMIT, "5G")
    assert not evaluated_in_windows(large, 8)

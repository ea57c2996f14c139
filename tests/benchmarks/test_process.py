"""Workers: asked in turn, and out with a reason."""

from __future__ import annotations

import sys

import pytest

from benchmarks import measure, process
from benchmarks.contenders import CONTENDERS
from benchmarks.measure import QUICK, Row
from benchmarks.process import Out, Worker
from benchmarks.workloads import WORKLOADS

ANSWERS = """
import json, sys, time
print(json.dumps({"ready": True, "versions": {}, "parameters": 1, "form": ""}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["steps"] == 0:
        sys.exit("no steps to make")
    print(json.dumps({"seconds": 0.5 * asked["steps"], "cpu": 1.0}), flush=True)
"""


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Workers run this program instead of a contender."""

    def made(text: str) -> None:
        path = tmp_path / "worker.py"
        path.write_text(text, "utf-8")
        (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{path}"\n', "utf-8")
        (tmp_path / "python").chmod(0o755)
        monkeypatch.setattr(process.sys, "executable", str(tmp_path / "python"))

    return made


def test_a_worker_answers_and_ends(answering):
    answering(ANSWERS)
    worker = Worker("parities-30", "jax", 1)
    assert worker.first_step > 0
    assert worker.train(4) == (2.0, 1.0)
    worker.end()
    assert worker.process.returncode is not None


def test_a_worker_that_dies_is_out_with_its_last_words(answering):
    answering(ANSWERS)
    worker = Worker("parities-30", "jax", 1)
    with pytest.raises(Out, match="no steps to make"):
        worker.train(0)
    worker.end()


def test_a_worker_that_fails_at_its_start_is_out_with_the_reason(answering):
    answering('print(\'{"failed": "ValueError: no"}\', flush=True)')
    with pytest.raises(Out, match="ValueError: no"):
        Worker("parities-30", "jax", 1)


def test_a_rival_that_is_not_installed_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(measure, "find_spec", lambda name: None)
    row = Row("jax", 1)
    assert measure._started(row, CONTENDERS["jax"], WORKLOADS["parities-30"], QUICK, tmp_path / "none", 9601) is None
    assert row.out == "not installed: jax"


def test_a_rival_with_other_weights_is_out(answering, tmp_path):
    answering(ANSWERS)
    row = Row("dlspec", 1)
    assert measure._started(row, CONTENDERS["dlspec"], WORKLOADS["parities-30"], QUICK, tmp_path / "none", 9601) is None
    assert row.out == "not the same work: 1 weights instead of 9,601"

"""What tests of the store share: a small study's plan, replicates with made-up numbers, runs of the command in processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store.requests import CellRequest, requests_of
from dlspec.spec.diagnostics.problems import Source

from tests import forked

STUDY = """\
dlspec: 1
study: small
experiments:
  line:
    constants: {rate: 0.1}
    task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 8, steps: 40, evaluate: {every: 10, examples: 64}}
    measures: {error: E((f - y)^2), spread: "[E(f), E(f^2)]"}
    replicates: 3
    sweep: {rate: [0.1, 0.05]}
    claims: {learns: {says: it learns, check: final(error) < 10}}
    figures: {fit: {kind: function, x: "x[0]", y: {target: y, learnt: f}}}
"""


@pytest.fixture(scope="session")
def study() -> str:
    """A small study with two programs of three replicates, a measure that is an array, and a figure with samples."""
    return STUDY


@pytest.fixture(scope="session")
def asked() -> Callable[..., list[CellRequest]]:
    """What a study, changed by replacements in its text, asks for."""

    def made(*changes: tuple[str, str], text: str = STUDY) -> list[CellRequest]:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return requests_of(spec.resolve(spec.parse(Source("small.yaml", text))), "cpu")

    return made


def invented(own: CellRequest, number: int, status: str = "done") -> Replicate:
    """A replicate with numbers that tell it from all others."""
    replicate = own.replicate(number)
    replicate.status = status
    random = np.random.default_rng(int(replicate.key, 16))
    shapes = {measure.name: measure.term.type.shape for measure in own.program.measures}
    for step in own.steps:
        replicate.record(step, {name: random.normal(size=shape) for name, shape in shapes.items()})
    for figure, labels in own.samples.items():
        for step in own.sample_steps[figure]:
            replicate.sample(figure, step, {label: random.normal(size=5) for label in labels})
    return replicate


@pytest.fixture(scope="session")
def make_cell() -> Callable[..., Replicate]:
    """Replicates with numbers that tell them from all others, made without training."""
    return invented


def assert_same(one: Replicate, other: Replicate) -> None:
    """Two replicates hold the same numbers to the bit, and ended in the same way."""
    assert (one.experiment, one.variant, one.constants, one.number) == (
        other.experiment, other.variant, other.constants, other.number,
    )  # fmt: skip
    assert (one.status, one.message, one.end, one.steps) == (other.status, other.message, other.end, other.steps)
    for held, wanted in ((one.curves, other.curves), (one.errors, other.errors), (one.biases, other.biases)):
        assert set(held) == set(wanted)
        for name, values in held.items():
            assert np.asarray(values, float).tobytes() == np.asarray(wanted[name], float).tobytes()
    assert set(one.samples) == set(other.samples)
    for figure, steps in one.samples.items():
        assert set(steps) == set(other.samples[figure])
        for step, labels in steps.items():
            for label, value in labels.items():
                assert np.array_equal(value, other.samples[figure][step][label], equal_nan=True)


@pytest.fixture(scope="session")
def same_cell() -> Callable[[Replicate, Replicate], None]:
    """Asserts that two replicates hold the same numbers to the bit."""
    return assert_same


COMMAND = [sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()"]


@pytest.fixture(scope="session")
def dlspec() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command in a process of its own."""

    def ran(*arguments: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NO_COLOR": "1"}
        return forked.run(
            [*COMMAND, *arguments], light=arguments[0] != "run",
            cwd=cwd, capture_output=True, text=True, env=environment, timeout=300, **more,
        )  # fmt: skip

    return ran


@pytest.fixture(scope="session")
def events() -> Callable[[str], list[dict[str, Any]]]:
    """The events that `--log json` told, a last line that a kill cut off left out."""

    def read(text: str) -> list[dict[str, Any]]:
        found = []
        for line in text.splitlines():
            if line.startswith("{") and line.endswith("}"):
                found.append(json.loads(line))
        return found

    return read


@pytest.fixture(scope="session")
def numbers() -> Callable[[Path], dict[str, Any]]:
    """All that a run's folder says of its replicates, but for how long they took, how wide a program was, and whether they were stored."""

    def read(folder: Path) -> dict[str, Any]:
        replicates = json.loads((folder / "cells.json").read_text("utf-8"))
        for replicate in replicates:
            del replicate["seconds"], replicate["stored"], replicate["rows"]
        samples: dict[str, bytes] = {}
        if (folder / "samples.npz").exists():
            with np.load(folder / "samples.npz") as held:
                samples = {name: held[name].tobytes() for name in held}
        return {"cells": replicates, "curves": pq.read_table(folder / "curves.parquet").to_pydict(), "samples": samples}

    return read


@pytest.fixture(scope="session")
def run_folders() -> Callable[[Path], Sequence[Path]]:
    """The runs under a folder, the oldest first."""

    def found(folder: Path) -> Sequence[Path]:
        return sorted(path.parent for path in (folder / "runs").glob("*/run.json"))

    return found

"""One small run that the tests of the public API look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlspec
import pytest

STUDY = """\
dlspec: 1
study: small
title: A <script>alert(1)</script> study
about: Two <b>axes</b>.
experiments:
  e:
    constants: {d: 1, r: 0.5}
    sweep: {d: [1, 2], r: [0.5, 1]}
    task: {example: {x: "normal([d])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), pair: "[E(f), r]"}
    replicates: 2
    claims:
      small: {says: It is <i>small</i>., check: final(error) < 10}
      large: {says: It is large., check: final(error) > 10}
    figures:
      curves: {kind: curves, y: error, title: Errors <u>fall</u>}
  other:
    constants: {steps: 3}
    sweep: {steps: [3, 4]}
    measures: {m: steps + 1}
"""


@pytest.fixture(scope="session")
def events() -> list[dict[str, Any]]:
    """What is told of that run."""
    return []


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]]) -> dlspec.Run:
    """The run, with its weights."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "small.yaml").write_text(STUDY)
    return dlspec.run(
        folder / "small.yaml", overrides={"e.training.steps": 30}, runs=folder / "runs", keep_weights=True, jit="graph",
        progress=events.append,
    )  # fmt: skip


@pytest.fixture(scope="session")
def folder(run: dlspec.Run) -> Path:
    """The folder of runs."""
    return run.path.parent

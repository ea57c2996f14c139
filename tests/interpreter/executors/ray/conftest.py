"""What tests of clusters share: a study that takes a while, and runs of it whose events can be followed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

COMMAND = [sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()"]
WAIT_SECONDS = 300


class Trial:
    """One `dlspec run` in a process group of its own, in a folder, with its log as JSON lines."""

    def __init__(self, folder: Path, study: str, *more: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "study.yaml").write_text(study, "utf-8")
        self.log = folder / f"{len(list(folder.glob('*.log')))}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "run", "study.yaml", "--checkpoint", "0", "--log", "json", *more], cwd=folder,
                stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "NO_COLOR": "1"}, start_new_session=True,
            )  # fmt: skip

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What was told so far of a kind."""
        lines = [
            line for line in self.log.read_text("utf-8").splitlines() if line.startswith("{") and line.endswith("}")
        ]
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def until(self, reached: Callable[[Trial], bool]) -> None:
        """Waits for something to be told; fails where the run ends before."""
        end = time.monotonic() + WAIT_SECONDS
        while not reached(self):
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            time.sleep(0.02)

    def ends(self, code: int) -> None:
        """Waits for the end."""
        assert self.process.wait(WAIT_SECONDS) == code, self.log.read_text("utf-8")

    def numbers(self) -> dict[str, Any]:
        """All that its newest run says of its cells, but for how long they took and whether they were stored."""
        folder = max((self.folder / "runs").glob("*/run.json")).parent
        cells = json.loads((folder / "cells.json").read_text("utf-8"))
        for cell in cells:
            del cell["seconds"], cell["stored"]
        with np.load(folder / "samples.npz") as held:
            samples = {name: held[name].tobytes() for name in held}
        return {"cells": cells, "curves": pq.read_table(folder / "curves.parquet").to_pydict(), "samples": samples}


STUDY = """\
dlspec: 1
study: far
experiments:
  line:
    constants: {rate: 0.01}
    task: {draw: {v: "normal([8])"}, example: {x: "normal([8])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: {units: 32, activation: tanh}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {adam: {learning_rate: rate}}, batch: 64, steps: STEPS, evaluate: {every: EVERY, examples: 256}}
    measures: {error: E((f - y)^2), both: "[E(f), E(f^2)]"}
    replicates: 2
    sweep: {rate: RATES}
    figures: {fit: {kind: function, x: "x[0]", y: {target: y, learnt: f}}}
"""


@pytest.fixture(scope="session")
def study() -> Callable[[int, int, Sequence[float]], str]:
    """A study of so many steps, evaluated every so many, with a program of two replicates for each learning rate."""

    def made(steps: int, every: int, rates: Sequence[float]) -> str:
        return STUDY.replace("STEPS", str(steps)).replace("EVERY", str(every)).replace("RATES", str(list(rates)))

    return made


@pytest.fixture(scope="session")
def trial() -> type[Trial]:
    """One run of a study, to be followed."""
    return Trial

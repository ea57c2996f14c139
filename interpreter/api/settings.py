"""How a study is run: where its runs lie, on what it trains, what is kept. Needs nothing beside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..backend.devices import AUTO, Asked


class Jit(StrEnum):
    """Compiled forms."""

    auto = "auto"
    xla = "xla"
    graph = "graph"


class ExecutorName(StrEnum):
    """Where programs run."""

    local = "local"
    ray = "ray"


class FailOn(StrEnum):
    """From which verdict on a run ends with the exit code of a claim that fails."""

    fails = "fails"
    inconclusive = "inconclusive"
    seen = "seen"


@dataclass(frozen=True)
class RunSettings:
    """How a resolved study is run: what the options of `dlspec run` and the arguments of `dlspec.run` come to.

    `study` is the study's file, whose revision in git is noted, `runs` the folder of runs with their store. `checkpoint` is how many seconds
    lie between two checkpoints at least.
    """

    study: Path | None = None
    runs: Path = Path("runs")
    jobs: int | None = None
    executor: ExecutorName = ExecutorName.local
    address: str | None = None
    jit: Jit = Jit.auto
    device: Asked = AUTO
    force: bool = False
    keep_weights: bool = False
    checkpoint: float = 30.0
    tensorboard: bool = False
    mlflow: str | None = None

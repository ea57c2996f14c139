"""What tests of trackers share: a study's plan, and replicates with made-up numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import ReplicateBatch, requests_of
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import StudyPlan

STUDY = """\
dlspec: 1
study: small
experiments:
  line:
    constants: {rate: 0.1}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {squared: f^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 8, steps: 40, evaluate: {every: 10, examples: 64}}
    measures: {error: E(f^2), pair: "[E(f), E(f^2)]", many: "E(repeat(f, 9))"}
    replicates: 2
    sweep: {rate: [0.1, 0.05]}
    figures: {fall: {kind: curves, y: [error, "pair[1]"], title: It falls, caption: Both rates fall.}}
    claims: {learns: {says: it learns, check: final(error) < 10}}
"""


@pytest.fixture(scope="session")
def plan() -> StudyPlan:
    """Two programs of two replicates, with a number, a small array and a larger one as measures."""
    return spec.resolve(spec.parse(Source("small.yaml", STUDY)))


@pytest.fixture
def batch(plan: StudyPlan) -> ReplicateBatch:
    """The replicates of the first program, side by side."""
    first = requests_of(plan, "cpu")[0]
    return split_into_batches(first, range(2))[0]


def numbers(number: int, step: int) -> dict[str, np.ndarray]:
    """What a replicate measures at a step."""
    value = float(number + 1) / (step + 1)
    return {"error": np.asarray(value), "pair": np.asarray([value, -value]), "many": np.full(9, value)}


@pytest.fixture(scope="session")
def measured() -> Callable[[int], dict[str, np.ndarray]]:
    """An evaluation of both replicates side by side."""

    def made(step: int) -> dict[str, np.ndarray]:
        both = [numbers(number, step) for number in range(2)]
        return {name: np.stack([one[name] for one in both]) for name in both[0]}

    return made


@pytest.fixture
def ended(batch: ReplicateBatch) -> Callable[..., list[Replicate]]:
    """The replicates of the replicate batch at their end, the second one ended early where a step is given."""

    def made(early: int = 40) -> list[Replicate]:
        replicates = [batch.request.replicate(number) for number in batch.numbers]
        for replicate, last in zip(replicates, (40, early), strict=True):
            for step in (0, 10, 20, 30, 40):
                if step <= last:
                    replicate.record(step, numbers(replicate.number, step))
        if early < 40:
            replicates[1].status, replicates[1].message = (
                "diverged",
                f"the loss term 'squared' was not finite at step {early + 1}",
            )
        return replicates

    return made

"""Training in phases: each goes on where the one before ended, with a loss, a batch and optimisers of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Phase, Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.digests import training_digest
from dlspec.spec.passes.signature_digests import signature_digest
from dlspec.spec.passes.trained_weights import trained

BODY = """
dtype: float64
task: {DATAexample: {x: "normal([3])", y: "sum(x)"}}
architecture:
  f: {input: x, layers: [{dropout: 0.5}, {dense: 1}]}
  g: {input: x, layers: [{dense: 1}]}
loss: {first: (f - y)^2, second: (g - y)^2}
training: {optimizer: {sgd: 0.1}, batch: 4, steps: 7}
measures: {error: E((f + g - y)^2)}
replicates: 2
"""


def phased(program: Program, *changes: dict[str, Any]) -> Program:
    """A program whose only phase is replaced by several like it, each changed."""
    assert program.training is not None
    (phase,) = program.training.phases
    phases = tuple(replace(phase, **change) for change in changes)
    return replace(program, training=replace(program.training, phases=phases))


def weights(compiled: Compiled) -> dict[str, np.ndarray[Any, Any]]:
    return {name: network.weights["dense_1", "kernel"].numpy() for name, network in compiled.networks.items()}


@pytest.mark.parametrize(
    ("data", "xla"), [("", True), ("data: {train: 10, test: 5}, ", False)], ids=["fresh-xla", "finite-graph"]
)
def test_two_phases_without_a_memory_are_one(program: Callable[[str], Program], data: str, xla: bool) -> None:
    """Examples, noise and updates go on: gradient descent in 3 and 4 steps ends where it does in 7, to the bit."""
    whole = program(BODY.replace("DATA", data))
    one, two = Compiled(whole, (0, 1), xla), Compiled(phased(whole, {"steps": 3}, {"steps": 4}), (0, 1), xla)
    one.train(7)
    two.train(2)
    two.train(5)
    for name, value in weights(one).items():
        assert value.tobytes() == weights(two)[name].tobytes()


def test_a_phase_has_its_own_loss_batch_and_optimiser(program: Callable[[str], Program]) -> None:
    whole = program(BODY.replace("DATA", ""))
    first, second = whole.loss
    study = phased(whole, {"loss": (first,), "steps": 3}, {"loss": (second,), "steps": 4, "batch": 8})
    assert study.training is not None and study.training.steps == 7 and study.training.largest_batch == 8
    assert {place[0] for place in trained(study, study.training.phases[0])} == {"f"}
    assert {place[0] for place in trained(study)} == {"f", "g"}
    compiled = Compiled(study, (0, 1), False)
    start = weights(compiled)
    compiled.train(3)
    middle = weights(compiled)
    assert (middle["g"] == start["g"]).all() and (middle["f"] != start["f"]).all()
    assert compiled.train_step.batch == 8
    compiled.train(4)
    assert (weights(compiled)["f"] == middle["f"]).all() and (weights(compiled)["g"] != middle["g"]).all()


def test_a_loss_that_diverges_in_the_second_phase_is_named_with_its_step(program: Callable[[str], Program]) -> None:
    slow = program(BODY.replace("DATA", "").replace("float64", "float32"))
    fast = program(BODY.replace("DATA", "").replace("float64", "float32").replace("{sgd: 0.1}", "{sgd: 1e30}"))
    assert fast.training is not None
    first, second = slow.loss
    optimizers = fast.training.phases[0].optimizers
    study = phased(slow, {"loss": (first,), "steps": 3}, {"loss": (second,), "steps": 4, "optimizers": optimizers})
    for fault in Compiled(study, (0, 1), False).train(7):
        assert fault is not None and str(fault) == "the loss term 'second' was not finite at step 4"


def test_digests_and_costs_tell_phases_apart(program: Callable[[str], Program]) -> None:
    whole = program(BODY.replace("DATA", ""))
    first, second = whole.loss
    one: dict[str, Any] = {"loss": (first,), "steps": 3}
    two: dict[str, Any] = {"loss": (second,), "steps": 4, "batch": 8}
    programs = [whole, phased(whole, one), phased(whole, two), phased(whole, one, two), phased(whole, two, one)]
    assert len({training_digest(item) for item in programs}) == len(programs)
    assert signature_digest(programs[3]) != signature_digest(programs[4])
    costs = [cost(item) for item in programs[1:]]
    assert costs[2].step == max(costs[0].step, costs[1].step) and costs[2] == costs[3]


def test_the_language_has_one_phase(program: Callable[[str], Program]) -> None:
    whole = program(BODY.replace("DATA", ""))
    assert whole.training is not None
    (phase,) = whole.training.phases
    assert isinstance(phase, Phase)
    assert phase.loss is whole.loss and (phase.batch, phase.steps, whole.training.steps) == (4, 7, 7)

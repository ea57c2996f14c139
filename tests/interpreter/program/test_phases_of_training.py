"""Training in phases: what each minimises, what goes on over a border, and what begins anew there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

pytestmark = pytest.mark.usefixtures("traced_once")
HEAD = """
task: {example: {x: "normal([3])", y: "x[0] - 2 * x[1]", z: "x[2]"}}
architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh}, dense: {units: 1, name: head}]}}
loss: {l: (f - y)^2}
measures: {m: E((f - y)^2), w: sum(f.weights), p: phase, q: phase_step, r: pass, s: step}
"""


def weights(compiled: Compiled) -> dict[str, Any]:
    return {f"{layer}.{name}": variable.numpy() for (layer, name), variable in compiled.networks["f"].weights.items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


WHOLE = "training: {optimizer: {adam: {learning_rate: '0.1 / (step + 1)'}}, batch: 8, steps: 6}"
PARTS = """training:
  optimizer: {adam: {learning_rate: '0.1 / (step + 1)'}}
  batch: 8
  phases: {a: {steps: 2}, b: {steps: 2, optimizer: {adam: {learning_rate: '0.1 / (step + 1)'}}}, c: {steps: 1, times: 2}}"""
SWITCH = """training:
  optimizer: {adam: {learning_rate: 0.01}}
  batch: 8
  phases: {a: {steps: 3}, b: {steps: 3, loss: {l: (f - z)^2}, batch: 4}}"""


@pytest.mark.parametrize("xla", [False, True])
def test_phases_that_change_nothing_are_one(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The same examples, moments and learning rates, over borders between phases and between passes: to the bit."""
    whole, parts = (compiled(HEAD + training, replicates=2, xla=xla) for training in (WHOLE, PARTS))
    for made in (whole, parts):
        made.train(6)
    assert same(weights(whole), weights(parts))


def test_a_phase_ends_as_a_run_that_ends_there(compiled: Callable[..., Compiled]) -> None:
    """Then the other loss is minimised, on fresh examples; a run that stopped at the border and goes on comes to the same end."""
    alone = compiled(HEAD + "training: {optimizer: {adam: {learning_rate: 0.01}}, batch: 8, steps: 3}")
    both = compiled(HEAD + SWITCH)
    alone.train(3)
    both.train(3)
    assert same(weights(alone), weights(both))
    saved = both.saved()
    both.train(3)
    assert not same(weights(alone), weights(both))
    again = compiled(HEAD + SWITCH)
    again.restore(3, saved)
    again.train(1)
    again.train(2)
    assert same(weights(both), weights(again))


def test_counters_count_phases_and_passes(compiled: Callable[..., Compiled]) -> None:
    """A border belongs to the phase that ends there; at step 0 it is the first."""
    made = compiled(HEAD + PARTS)
    found = []
    for step in range(7):
        made.train(step - made.step)
        values = made.evaluate()
        found.append([int(values[name][0]) for name in "pqrs"])
    assert found == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 2, 0, 2], [1, 1, 0, 3], [1, 2, 0, 4], [2, 1, 0, 5], [3, 1, 1, 6]]


STEPS = """
task: {example: {x: "[1.0]", y: "10.0 * phase + phase_step"}}
architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}}
loss: {l: (f - y)^2 / 2}
training:
  optimizer: {sgd: {learning_rate: 1}}
  batch: 4
  phases: {a: {steps: 2}, none: {steps: 0}, b: {steps: 2, times: 2, loss: {half: (f - y)^2 / 4, rest: {of: (f - y)^2 / 4, weight: 1}}}}
measures: {w: f, y: E(y)}
"""


@pytest.mark.parametrize("xla", [False, True])
def test_examples_see_the_phase_of_their_update(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Each update sets the weight to what the examples say; a phase of 0 steps is passed over."""
    made = compiled(STEPS, xla=xla)
    found = []
    for step in range(7):
        made.train(step - made.step)
        values = made.evaluate()
        assert step == 0 or values["w"] == values["y"]
        found.append(float(values["w"][0]))
    assert found == [0, 0, 1, 10, 11, 20, 21]


RESTART = """training:
  optimizer: {{adam: {{learning_rate: '0.1 / (step + 1)'}}}}
  batch: 8
  phases: {{a: {{steps: 2}}, b: {{steps: 1, times: 2, restart: [{restart}]}}}}"""


def test_what_restarts_begins_anew(compiled: Callable[..., Compiled]) -> None:
    """A layer is drawn anew in each pass, differently, and the other is not touched; moments and counts begin at 0."""
    made = compiled(HEAD + RESTART.format(restart="f.head, optimizer"), replicates=2)
    start = weights(made)
    made.train(2)
    before = weights(made)
    made.borders.cross(2, made._begin_anew, made._keep)
    first = weights(made)
    assert np.array_equal(first["dense_1.kernel"], before["dense_1.kernel"])
    assert not any(np.isin(first["head.kernel"], [start["head.kernel"], before["head.kernel"]]).flat)
    optimizer, _ = made.train_step.optimizers[0].groups[""]
    assert int(optimizer.iterations) == 0
    assert all(not value.numpy().any() for value in optimizer.variables)
    made.train(1)
    assert int(optimizer.iterations) == 1
    assert int(optimizer._learning_rate.offset) == 2
    made.train(1)
    assert int(optimizer.iterations) == 1
    assert int(optimizer._learning_rate.offset) == 3
    other = compiled(HEAD + RESTART.format(restart="f.head, optimizer"), replicates=2)
    other.train(4)
    assert same(weights(made), weights(other))


def test_moments_of_restarted_weights_begin_anew(compiled: Callable[..., Compiled]) -> None:
    """Those of the other weights go on, as the count does."""
    made = compiled(HEAD + RESTART.format(restart="f.head"))
    made.train(2)
    optimizer, _ = made.train_step.optimizers[0].groups[""]
    made.borders.cross(2, made._begin_anew, made._keep)
    moments = {value.name: bool(value.numpy().any()) for value in optimizer.variables if "momentum" in value.name}
    assert {name: "head" not in name for name in moments} == moments
    assert int(optimizer.iterations) == 2


@pytest.mark.parametrize("xla", [False, True])
def test_what_restarts_may_be_that_of_step_0(compiled: Callable[..., Compiled], xla: bool) -> None:
    """To the bit, in each pass; moments begin at 0, and the other layer goes on."""
    text = HEAD + RESTART.format(restart="").replace("[]", "{f.head: initial}")
    made = compiled(text, replicates=2, xla=xla)
    start = weights(made)
    for steps in (2, 1):
        made.train(steps)
        before = weights(made)
        assert not np.array_equal(before["head.kernel"], start["head.kernel"])
        again = compiled(text, replicates=2, xla=xla)
        again.restore(made.step, made.saved())
        again.borders.cross(made.step, again._begin_anew, again._keep)
        found = weights(again)
        assert all(np.array_equal(found[f"head.{name}"], start[f"head.{name}"]) for name in ("kernel", "bias"))
        assert np.array_equal(found["dense_1.kernel"], before["dense_1.kernel"])
        optimizer, _ = again.train_step.optimizers[0].groups[""]
        moments = {value.name: value.numpy().any() for value in optimizer.variables if "momentum" in value.name}
        assert {name: "head" not in name for name in moments} == moments
    other = compiled(HEAD + RESTART.format(restart="f.head"), replicates=2, xla=xla)
    other.train(3)
    made.train(1)
    other.train(1)
    assert not same(weights(made), weights(other))

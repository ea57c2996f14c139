"""The rivals do the work of the example files: the same numbers, weights, losses and gradients. Neither PyTorch nor JAX is
needed here; a run of the benchmarks asks each of them the same before it times it.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled

from benchmarks import ready_made
from benchmarks.contenders import CONTENDERS, DRAWN
from benchmarks.dlspec_run import Contender, resolved
from benchmarks.examples_share import held_examples
from benchmarks.rivals import keras_fit, tensorflow_loop
from benchmarks.rivals.tensorflow_tasks import Random
from benchmarks.sample import Sample
from benchmarks.weights import shapes
from benchmarks.workloads import WORKLOADS, Workload

LIGHT = [WORKLOADS[name] for name in ("parities-30", "staircase", "auto-encoder", "allocation")]
BY_HAND = [*LIGHT, *(WORKLOADS[name] for name in ("gan", "penalty", "transformer"))]


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_the_rivals_numbers_are_the_example_files(workload: Workload):
    program = resolved(workload, 2)
    assert program.replicates == 2 and program.training is not None
    (phase,) = program.training.phases
    assert phase.batch == workload.numbers["batch"]
    for name in ("d", "k", "m", "n", "L", "T", "c"):
        if name in workload.numbers:
            assert int(program.constants[name]) == workload.numbers[name]
    assert program.data.train == workload.numbers.get("train", 0)
    optimizers = [own for update in phase.rounds for own in update.optimizers.values()]
    optimizer = optimizers[0]
    assert all(own == optimizer for own in optimizers)
    assert [update.times for update in phase.rounds] in ([1], [workload.numbers.get("critic"), 1])
    given = dict(workload.numbers["optimizer"])
    assert optimizer.name == given.pop("name")
    assert given == {name: optimizer.arguments[name] for name in given}
    assert optimizer.name != "adam" or given.keys() == {"learning_rate", "beta_1", "beta_2", "epsilon"}


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_the_rivals_weights_are_the_example_files(workload: Workload):
    program = resolved(workload, 1)
    layers = [layer for network in program.networks for layer in network.leaves()]
    own = [tuple(shape) for layer in layers for shape in layer.weights.values()]
    numbers = {name: value for name, value in workload.numbers.items() if name != "optimizer"}
    theirs = [shape for shape, _ in shapes(workload.task, numbers)]
    assert theirs == own
    assert sum(map(prod, theirs)) == sum(network.parameters for network in program.networks)


@pytest.fixture(scope="module")
def samples() -> dict[str, Sample]:
    """dlspec's weights, batch, loss and gradient, by workload."""
    return {w.name: Sample.of(Contender(w, 1).sample(DRAWN[w.task])) for w in BY_HAND}


@pytest.mark.parametrize("workload", BY_HAND, ids=lambda workload: workload.name)
def test_the_hand_written_loops_loss_and_gradient_are_dlspecs(workload: Workload, samples: dict[str, Sample]):
    sample = samples[workload.name]
    rival = tensorflow_loop.Rival(workload.task, workload.numbers, 1, "loop-graph")
    assert sample.fault(*rival.check(sample.weights, sample.target, sample.drawn)) == ""


@pytest.mark.parametrize("workload", LIGHT, ids=lambda workload: workload.name)
def test_keras_models_loss_and_gradient_are_dlspecs(workload: Workload, samples, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keras_fit, "batches", lambda task, numbers: ready_made.batches(task, numbers, 1))
    sample = samples[workload.name]
    rival = keras_fit.Rival(workload.task, workload.numbers, 1, "graph")
    assert sample.fault(*rival.check(sample.weights, sample.target, sample.drawn)) == ""


def test_other_work_is_noticed(samples: dict[str, Sample]):
    sample = samples["parities-30"]
    assert "loss" in sample.fault(sample.loss * 1.01, sample.gradient)
    assert "gradient" in sample.fault(sample.loss, sample.gradient * 1.1)
    assert "loss" in sample.fault(float("nan"), sample.gradient)


@pytest.mark.parametrize("form", ["step-graph", "loop-graph", "loop-xla"])
def test_the_hand_written_loops_train(form: str):
    workload = WORKLOADS["parities-30"]
    rival = tensorflow_loop.Rival(workload.task, workload.numbers, 2, form)
    before = [weight.numpy().copy() for weight in rival.weights]
    rival.train(3)
    assert int(rival.made) == 3
    assert rival.last.shape == (2,) and np.all(rival.last.numpy() > 0), "the losses of the last step"
    for old, weight in zip(before, rival.weights, strict=True):
        assert weight.shape[0] == 2 and np.isfinite(weight.numpy()).all()
        assert not np.allclose(old[0], weight.numpy()[0]) and not np.allclose(old[1], weight.numpy()[1])


def test_replicates_side_by_side_are_trained_as_if_alone():
    """The stacked losses are the losses of each replicate."""
    for workload in BY_HAND:
        rival = tensorflow_loop.Rival(workload.task, workload.numbers, 2, "loop-graph")
        drawn = rival.task.draw(Random(tf.constant([0, 8]), "philox", (2,)))
        values = [weight.value for weight in rival.weights]
        alone = tensorflow_loop.Rival(workload.task, workload.numbers, 1, "loop-graph")
        for (_, several, _), (_, one, _) in zip(rival.updates, alone.updates, strict=True):
            for place, loss in enumerate(several(values, rival.target, drawn).numpy()):
                given = (
                    [value[place] for value in values],
                    *(tensorflow_loop._at(d, place) for d in (rival.target, drawn)),
                )
                np.testing.assert_allclose(one(*given), loss, rtol=1e-4)


def test_with_examples_held_the_first_step_is_the_same_and_the_second_is_not():
    program = resolved(WORKLOADS["parities-30"], 1)
    made = Compiled(program, [0], False)
    with held_examples():
        held = Compiled(program, [0], False)
        held.train(1)
    made.train(1)
    for own, other in zip(made.saved()[0], held.saved()[0], strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)
    made.train(1)
    held.train(1)
    assert any(not np.allclose(own, other) for own, other in zip(made.saved()[0], held.saved()[0], strict=True))


def test_every_contender_has_its_module():
    modules = {path.stem for path in Path(tensorflow_loop.__file__).parent.glob("*.py")} - {
        "__init__",
        "ceiling",
        "jax_tasks",
        "tensorflow_tasks",
    }
    assert {row.module for row in CONTENDERS.values() if row.name != "dlspec"} == modules

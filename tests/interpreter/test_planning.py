"""The plan against Keras' count of parameters and TensorFlow's profiler; what would not fit; no TensorFlow loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from dlspec.interpreter.planning import TENSORFLOW_BYTES, refusal, rows
from dlspec.spec.cost import cost, memory
from dlspec.spec.resolved import Program, StudyPlan
from tensorflow.compat.v1 import profiler

ROOT = Path(__file__).parents[2]
DENSE = """
task: {example: {x: "rademacher([200])", y: "prod(x[:3])"}}
architecture: {f: {input: x, layers: [dense: {units: 300, activation: relu}, dense: {units: 100, activation: relu}, dense: 1]}}
loss: {l: "(f - y)^2"}
training: {optimizer: OPTIMIZER, batch: 64, steps: 10}
measures: {m: E(f)}
"""
CONVOLUTION = """
task: {example: {x: "normal([28, 28, 1])", y: "sum(x[0, 0])"}}
architecture:
  f:
    input: x
    layers:
      - conv2d: {filters: 16, kernel_size: 5, padding: same, activation: relu}
      - max_pool2d: 2
      - conv2d: {filters: 16, kernel_size: 5, padding: same, activation: relu}
      - max_pool2d: 2
      - flatten
      - dense: {units: 50, activation: relu}
      - dense: 1
loss: {l: "(f - y)^2"}
training: {optimizer: OPTIMIZER, batch: 32, steps: 10}
measures: {m: E(f)}
"""


def reference(program: Program) -> Any:
    """The same network in Keras alone."""
    (network,) = program.networks
    model = keras.Sequential([keras.Input(network.input.type.shape)])
    for layer in network.layers:
        model.add(getattr(keras.layers, layer.keras)(**{k: v for k, v in layer.config.items() if v is not None}))
    return model


def profiled(program: Program, model: Any) -> int:
    """What TensorFlow's profiler counts in one step of the Keras model: forwards, backwards, the optimiser.

    Operations that nothing asks for are dropped first, as the runtime does: the message of the first convolution to
    the examples.
    """
    plan = program.training
    assert plan is not None
    (optimizer,) = plan.optimizers.values()
    made = getattr(keras.optimizers, optimizer.keras)(learning_rate=0.01)
    made.build(model.trainable_variables)

    @tf.function(autograph=False)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.squeeze(model(x, training=True), -1) - y) ** 2)
        made.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    shape = (plan.batch, *program.networks[0].input.type.shape)
    concrete = step.get_concrete_function(tf.TensorSpec(shape), tf.TensorSpec((plan.batch,)))
    definition = concrete.graph.as_graph_def()
    wanted = [node.name for node in definition.node if node.op.startswith("Assign")] + [concrete.outputs[0].op.name]
    kept = {node.name for node in tf.compat.v1.graph_util.extract_sub_graph(definition, wanted).node}
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    pending, total = [profiler.profile(concrete.graph, cmd="scope", options=options)], 0
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        total += node.float_ops if node.name in kept else 0
    return int(total)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("body", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_parameters_and_operations_are_keras_and_the_profiler_s(
    program: Callable[[str], Program], body: str, optimizer: str
) -> None:
    one = program(body.replace("OPTIMIZER", optimizer))
    model = reference(one)
    found = cost(one)
    assert found.parameters == model.count_params()
    assert found.step == pytest.approx(profiled(one, model), rel=0.05)


def test_what_would_not_fit_is_refused_with_what_would(program: Callable[[str], Program]) -> None:
    one = program(DENSE.replace("OPTIMIZER", "adam").replace("batch: 64", "batch: 1000000") + "replicates: 3")
    (row,) = rows(_plan(one), {}, 1e10)
    assert refusal(row, TENSORFLOW_BYTES + row.memory) == ""
    text = refusal(row, TENSORFLOW_BYTES + row.memory // 2)
    batch = int(text.split("a batch of ")[1].split(" ")[0].replace(",", ""))
    assert memory(one, batch=batch) <= row.memory // 2 < memory(one, batch=batch + 1)
    assert "1 replicate would fit (there are 3)" in text
    assert "neither a batch of 1 nor one replicate would fit" in refusal(row, TENSORFLOW_BYTES)


def _plan(one: Program) -> StudyPlan:
    from dlspec.spec.resolved import ExperimentPlan

    return StudyPlan("t", "t", "", "", (ExperimentPlan("e", "", {}, (one,), (), ()),))


def test_the_command_needs_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom dlspec.interpreter.cli import main\ntry:\n    main()\nexcept SystemExit as end: print('code', end.code)\n"
        "print('loaded', *(n for n in ('tensorflow', 'keras', 'matplotlib', 'pyarrow') if n in sys.modules))"
    )
    file = str(ROOT / "tests/spec/diff/base.yaml")
    command = [sys.executable, "-c", code, "plan", file]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}, timeout=120
    )
    assert done.stdout.splitlines()[-2:] == ["code 0", "loaded"], done.stderr
    assert "score [20] → 30 → 1" in done.stdout and "3 to run" in done.stdout and "expected time" in done.stdout
    done = subprocess.run(
        [*command, "--json", "--memory", "0.0001"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    data = json.loads(done.stdout.splitlines()[0])
    assert data["format_version"] == 1 and len(data["refused"]) == len(data["cells"]) == 6
    assert done.stdout.splitlines()[1] == "code 1" and "beside TensorFlow" in done.stderr

"""Networks: every layer of the table is Keras' own with the same weights, starts as it says, and trains as it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Training, Value
from dlspec.interpreter.lower.threefry import key, words
from dlspec.interpreter.networks.layer_kernels.convolution import COMMUTING_WITH_MAX
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.tables.initializers import INITIALIZERS, fans
from dlspec.spec.tables.layers import LAYERS
from scipy import stats

REPLICATES, BATCH = 2, 4
NORMAL = 'dtype: float64\ntask: {{example: {{x: "normal({shape})"}}}}'
BODY = """
{task}
architecture: {{f: {{input: x, layers: [{layers}]}}}}
measures: {{m: {measure}}}
{more}
"""


def body(layers: str, shape: str = "[6, 3]", measure: str = "E(sum(f))", more: str = "", each: bool = False) -> str:
    task = NORMAL.format(shape=shape)
    return BODY.format(task=task, layers=layers, measure=f'"{measure}"', more=more)


def applied(held: Compiled, xla: bool = False, count: int = BATCH, training: int = 0) -> tuple[Any, Any]:
    """The input and output of the network on training examples, [R, B, …] each: as in measures, or the n-th time in a loss."""

    @tf.function(jit_compile=xla, autograph=False)
    def run(keys: Any) -> tuple[Any, Any]:
        index = tf.range(count, dtype=tf.int64)
        state = (
            Training(lambda network, layer: keys[held.context.samples["layer", network, layer]], index)
            if training
            else None
        )
        lowering = held.context.lowering(keys, index, count, held.seeds.draws, step=tf.constant(0), training=state)
        (plan,) = held.program.networks
        given = lowering(plan.input)
        for _ in range(training or 1):
            value = held.context.apply(lowering, plan.name, given)
        axes = ("replicate", "example")
        return lowering.broadcast_to_axes(given, axes, len(plan.input.type.shape)), lowering.broadcast_to_axes(
            value, axes, len(plan.output.shape)
        )

    given, out = run(held.seeds.keys["train"])
    return given.numpy(), out.numpy()


@dataclass(frozen=True)
class Case:
    """A layer as written, its input's shape, Keras' arguments, and the multiply-adds of one example counted by hand."""

    text: str
    shape: tuple[int, ...]
    arguments: dict[str, Any]
    macs: int = 0
    task: str = ""

    @property
    def name(self) -> str:
        return self.text.split(":")[0].strip("{} ")


START = 'bias_initializer: "normal()"'
CASES = [
    Case("{dense: {units: 4, activation: tanh, " + START + "}}", (3,), {"units": 4, "activation": "tanh"}, 3 * 4),
    Case("{dense: {units: 4, use_bias: false}}", (6, 3), {"units": 4, "use_bias": False}, 6 * 3 * 4),
    Case(
        "{conv1d: {filters: 4, kernel_size: 3, strides: 2, padding: same, " + START + "}}", (7, 2),
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, 4 * 3 * 2 * 4,
    ),
    Case(
        "{conv1d: {filters: 2, kernel_size: 2, padding: causal, dilation_rate: 2}}", (7, 3),
        {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}, 7 * 2 * 3 * 2,
    ),
    Case(
        "{conv2d: {filters: 4, kernel_size: [3, 2], strides: [2, 1], activation: relu, " + START + "}}", (7, 6, 2),
        {"filters": 4, "kernel_size": (3, 2), "strides": (2, 1), "activation": "relu"}, 3 * 5 * 3 * 2 * 2 * 4,
    ),
    Case("{conv2d: {filters: 4, kernel_size: 3, groups: 2}}", (5, 5, 2), {"filters": 4, "kernel_size": 3, "groups": 2}, 9 * 9 * 1 * 4),
    Case(
        "{conv1d_transpose: {filters: 4, kernel_size: 3, strides: 2, " + START + "}}", (5, 2),
        {"filters": 4, "kernel_size": 3, "strides": 2}, 5 * 3 * 2 * 4,
    ),
    Case("{conv1d_transpose: {filters: 2, kernel_size: 2, strides: 3}}", (5, 2), {"filters": 2, "kernel_size": 2, "strides": 3}, 5 * 2 * 2 * 2),
    Case(
        "{conv2d_transpose: {filters: 3, kernel_size: [2, 3], strides: [3, 2], activation: tanh, " + START + "}}", (4, 5, 2),
        {"filters": 3, "kernel_size": (2, 3), "strides": (3, 2), "activation": "tanh"}, 4 * 5 * 2 * 3 * 2 * 3,
    ),
    Case("{conv2d_transpose: {filters: 2, kernel_size: 3, strides: 2, padding: same}}", (4, 5, 2),
         {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, 4 * 5 * 9 * 2 * 2),
    Case("{depthwise_conv2d: {kernel_size: [3, 2], strides: 2, depth_multiplier: 2, " + START + "}}", (7, 6, 3),
         {"kernel_size": (3, 2), "strides": 2, "depth_multiplier": 2}, 3 * 3 * 3 * 2 * 3 * 2),
    Case("{depthwise_conv2d: {kernel_size: 2, dilation_rate: [1, 2], padding: same}}", (5, 6, 2),
         {"kernel_size": 2, "dilation_rate": (1, 2), "padding": "same"}, 5 * 6 * 4 * 2),
    Case(
        "{separable_conv2d: {filters: 4, kernel_size: 3, depth_multiplier: 2, activation: relu, padding: same, " + START + "}}", (5, 6, 2),
        {"filters": 4, "kernel_size": 3, "depth_multiplier": 2, "activation": "relu", "padding": "same"}, 5 * 6 * (9 * 2 * 2 + 4 * 4),
    ),
    Case("{up_sampling2d: [2, 3]}", (3, 4, 2), {"size": (2, 3)}),
    Case("{zero_padding2d: 1}", (3, 4, 2), {"padding": 1}),
    Case("{zero_padding2d: [[0, 2], [1, 0]]}", (3, 4, 2), {"padding": ((0, 2), (1, 0))}),
    Case("rms_normalization", (4, 3), {}),
    Case("{rms_normalization: {epsilon: 0.1}}", (3,), {"epsilon": 0.1}),
    Case("{group_normalization: 3}", (4, 5, 6), {"groups": 3}),
    Case("{group_normalization: {groups: 2, epsilon: 0.1, center: false}}", (4,), {"groups": 2, "epsilon": 0.1, "center": False}),
    Case("{max_pool1d: 3}", (7, 2), {"pool_size": 3}),
    Case("{max_pool2d: {pool_size: [2, 3], strides: 1, padding: same}}", (5, 6, 2), {"pool_size": (2, 3), "strides": 1, "padding": "same"}),
    Case("{average_pool1d: {pool_size: 2, padding: same}}", (7, 2), {"pool_size": 2, "padding": "same"}),
    Case("{average_pool2d: 2}", (5, 6, 2), {"pool_size": 2}),
    Case("global_max_pool1d", (5, 3), {}),
    Case("global_max_pool2d", (5, 4, 3), {}),
    Case("global_average_pool1d", (5, 3), {}),
    Case("global_average_pool2d", (5, 4, 3), {}),
    Case("flatten", (5, 4, 3), {}),
    Case("{reshape: [2, 6]}", (4, 3), {"target_shape": (2, 6)}),
    Case("{repeat_vector: 3}", (4,), {"n": 3}),
    Case("{activation: softplus}", (4, 2), {"activation": "softplus"}),
    Case("{leaky_relu: 0.1}", (4, 2), {"negative_slope": 0.1}),
    Case("{dropout: 0.4}", (4, 2), {"rate": 0.4}),
    Case("{gaussian_noise: 0.4}", (4, 2), {"stddev": 0.4}),
    Case("layer_normalization", (4, 3), {}),
    Case("{layer_normalization: {epsilon: 0.1, center: false}}", (3,), {"epsilon": 0.1, "center": False}),
    Case("batch_normalization", (4, 3), {}),
    Case("{batch_normalization: {epsilon: 0.1, scale: false}}", (3,), {"epsilon": 0.1, "scale": False}),
    Case("{embedding: {input_dim: 5, output_dim: 3}}", (4,), {"input_dim": 5, "output_dim": 3}, task="integer(5, [4])"),
    Case("{simple_rnn: {units: 3, " + START + "}}", (4, 2), {"units": 3}, 4 * (2 * 3 + 3 * 3)),
    Case(
        "{lstm: {units: 3, return_sequences: true, go_backwards: true}}", (4, 2),
        {"units": 3, "return_sequences": True, "go_backwards": True}, 4 * 4 * (2 * 3 + 3 * 3),
    ),
    Case("{lstm: {units: 2, unit_forget_bias: false, recurrent_activation: hard_sigmoid}}", (3, 2),
         {"units": 2, "unit_forget_bias": False, "recurrent_activation": "hard_sigmoid"}, 3 * 4 * (2 * 2 + 2 * 2)),
    Case("{bidirectional: {layer: {lstm: {units: 3, return_sequences: true, " + START + "}}}}", (4, 2),
         {"layer": ("LSTM", {"units": 3, "return_sequences": True})}, 2 * 4 * 4 * (2 * 3 + 3 * 3)),
    Case("{bidirectional: {layer: {gru: 3}, merge_mode: mul}}", (4, 2),
         {"layer": ("GRU", {"units": 3}), "merge_mode": "mul"}, 2 * 4 * 3 * (2 * 3 + 3 * 3)),
    Case("{gru: {units: 3, " + START + "}}", (4, 2), {"units": 3}, 4 * 3 * (2 * 3 + 3 * 3)),
    Case("{gru: {units: 3, reset_after: false}}", (4, 2), {"units": 3, "reset_after": False}, 4 * 3 * (2 * 3 + 3 * 3)),
]  # fmt: skip


def named(cases: Sequence[Case]) -> list[str]:
    """The name of each case's network: its layer, counted. So a case that is added draws no other weights for the rest."""
    seen: Counter[str] = Counter()
    names = []
    for case in cases:
        seen[case.name] += 1
        names.append(f"{case.name}_case{seen[case.name]}")
    return names


NETWORKS = named(CASES)


def name_of(variable: Any) -> str:
    """A weight's name in its layer: `bidirectional/forward_lstm/lstm_cell/kernel` is `forward_kernel`."""
    _, *parts, name = variable.path.split("/")
    return "_".join([part.split("_")[0] for part in parts[:1] if not part.endswith("_cell")] + [name])


def plain(case: Case, network: Any, replicate: int, policy: str = "float64") -> Any:
    """The plain Keras layer with one replicate's weights."""
    arguments = dict(case.arguments)
    if "layer" in arguments:
        kind, inner = arguments["layer"]
        arguments["layer"] = getattr(keras.layers, kind)(**inner, dtype=policy)
    layer = getattr(keras.layers, LAYERS[case.name].keras)(**arguments, dtype=policy)
    layer.build((None, *case.shape))
    (leaf,) = network.plan.leaves()
    values = {name_of(variable): variable for variable in layer.weights}
    assert list(values) == list(leaf.weights), "Keras is given them in this order"
    assert {name: tuple(variable.shape) for name, variable in values.items()} == dict(leaf.weights)
    trained = {name_of(variable) for variable in layer.trainable_variables}
    assert {name for name in values if name not in leaf.untrained} == trained
    for name, variable in values.items():
        variable.assign(network.weights[leaf.key, name].numpy()[replicate])
    return layer


def of_all_cases(compiled: Callable[..., Compiled], dtype: str) -> Compiled:
    """Each case is a network of one program, the weights of normalisations somewhere else than where they start."""
    examples, networks, measures = [], [], []
    for name, case in zip(NETWORKS, CASES, strict=True):
        examples.append(f'x_{name}: "{case.task or f"normal({list(case.shape)})"}"')
        networks.append(f"{name}: {{input: x_{name}, layers: [{case.text}]}}")
        measures.append(f"m_{name}: E(sum({name}))")
    held = compiled(f"""
dtype: {dtype}
task: {{example: {{{", ".join(examples)}}}}}
architecture: {{{", ".join(networks)}}}
measures: {{{", ".join(measures)}}}
""", REPLICATES)  # fmt: skip
    for network in held.networks.values():
        for place, variable in network.weights.items():
            if place[1] in ("gamma", "beta", "scale", "moving_mean", "moving_variance"):
                variable.assign(np.abs(np.random.default_rng(len(place[1])).normal(size=variable.shape)) + 0.1)
    return held


@pytest.fixture(scope="module")
def every_case(compiled: Callable[..., Compiled]) -> Callable[..., tuple[Compiled, list[Any], list[Any]]]:
    """Inputs and outputs of all cases in a number type, as a plain graph or by XLA, which is given the same inputs."""
    programs = cache(lambda dtype: of_all_cases(compiled, dtype))

    @cache
    def made(dtype: str, xla: bool = False) -> tuple[Compiled, list[Any], list[Any]]:
        held = programs(dtype)

        @tf.function(jit_compile=xla, autograph=False)
        def run(keys: Any, inputs: list[Any]) -> tuple[list[Any], list[Any]]:
            lowering = held.context.lowering(
                keys, tf.range(BATCH, dtype=tf.int64), BATCH, held.seeds.draws, step=tf.constant(0)
            )
            given, out = [], []
            for number in range(len(CASES)):
                plan, axes = held.networks[NETWORKS[number]].plan, (REPLICATE, EXAMPLE)
                value = Value(inputs[number], axes) if inputs else lowering(plan.input)
                given.append(lowering.broadcast_to_axes(value, axes, len(plan.input.type.shape)))
                value = held.context.apply(lowering, plan.name, value)
                out.append(lowering.broadcast_to_axes(value, axes, len(plan.output.shape)))
            return given, out

        found = run(held.seeds.keys["train"], made(dtype)[1] if xla else [])
        given, out = ([tensor.numpy() for tensor in each] for each in found)
        return held, given, out

    return made


def test_every_layer_of_the_table_has_a_case() -> None:
    assert {case.name for case in CASES} == {row.name for row in LAYERS.values() if row.keras}


EACH = pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{n}-{case.name}" for n, case in enumerate(CASES)])


@EACH
def test_layers_are_keras_own_with_the_same_weights(every_case: Any, number: int) -> None:
    case, (held, inputs, outputs) = CASES[number], every_case("float64")
    given, out, network = inputs[number], outputs[number], held.networks[NETWORKS[number]]
    assert given.shape == (REPLICATES, BATCH, *case.shape)
    plan, (leaf,) = network.plan, network.plan.leaves()
    assert out.shape == (REPLICATES, BATCH, *plan.output.shape)
    for replicate in range(REPLICATES):
        layer = plain(case, network, replicate)
        expected = np.asarray(layer(given[replicate], training=False))
        assert expected.shape[1:] == leaf.output.shape
        np.testing.assert_allclose(out[replicate], expected, rtol=1e-10, atol=1e-12)
        assert plan.parameters == sum(prod(variable.shape) for variable in layer.trainable_variables)
    assert plan.flops == 2 * case.macs


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("replicates", [1, 2])
def test_pooled_convolutions_are_keras_own(compiled: Callable[..., Compiled], replicates: int, activation: str) -> None:
    """In values and in the gradients of kernel and bias, whether or not the pooling is done before the bias is added."""
    convolution = f"{{conv2d: {{filters: 5, kernel_size: 3, padding: same, activation: {activation}}}}}"
    pool = "{max_pool2d: {pool_size: 2, padding: same}}"
    text = body(
        f"{convolution}, {pool}",
        "[5, 6, 2]",
        more="loss: {l: sum(f)}\ntraining: {optimizer: {sgd: {learning_rate: 1.0}}, batch: 4, steps: 1}",
    )
    held = compiled(text, replicates)
    kernel, bias = held.networks["f"].weights.values()
    bias.assign(np.random.default_rng(0).normal(size=bias.shape))
    before = [variable.numpy() for variable in (kernel, bias)]
    given, out = applied(held)
    held.train(1)
    for replicate in range(replicates):
        layers = (
            keras.layers.Conv2D(5, 3, padding="same", activation=activation, dtype="float64"),
            keras.layers.MaxPool2D(2, padding="same", dtype="float64"),
        )
        layers[0].build((None, 5, 6, 2))
        layers[0].set_weights([start[replicate] for start in before])
        with tf.GradientTape() as tape:
            expected = layers[1](layers[0](given[replicate]))
            total = tf.reduce_sum(expected) / BATCH
        np.testing.assert_array_equal(out[replicate], expected)
        for held_, start, gradient in zip(
            (kernel, bias), before, tape.gradient(total, [w.value for w in layers[0].weights]), strict=True
        ):
            np.testing.assert_allclose(start[replicate] - held_.numpy()[replicate], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", sorted(COMMUTING_WITH_MAX - {None}))
def test_pooling_may_go_before_activations_that_rise(activation: str) -> None:
    values = np.random.default_rng(0).normal(size=(2, 1000)).astype(np.float32)
    function = keras.activations.get(activation)
    np.testing.assert_array_equal(function(values.max(axis=0)), np.max(function(tf.constant(values)), axis=0))


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@EACH
def test_layers_in_bfloat16_are_keras_own_under_its_policy(every_case: Any, number: int, xla: bool) -> None:
    """To four units in the last place of bfloat16, twice as many where each turn rounds: products sum in other orders before."""
    held, inputs, outputs = every_case("bfloat16", xla)
    given, out, network = inputs[number], outputs[number], held.networks[NETWORKS[number]]
    assert all(variable.dtype == "float32" for variable in network.weights.values())
    assert out.dtype == np.float32
    if not xla:  # which may leave a rounding out, and be more exact
        np.testing.assert_array_equal(out, out.astype(tf.bfloat16.as_numpy_dtype).astype(np.float32))
    for replicate in range(REPLICATES):
        layer = plain(CASES[number], network, replicate, "mixed_bfloat16")
        expected = np.asarray(tf.cast(layer(given[replicate], training=False), tf.float32))
        units = 2**-6 if LAYERS[CASES[number].name].loops else 2**-7
        np.testing.assert_allclose(out[replicate], expected, rtol=2**-6, atol=units * np.abs(expected).max())


def test_xla_gives_the_same_outputs(compiled: Callable[..., Compiled]) -> None:
    """All kinds of weights in one program: dense, convolutional, recurrent, normalised, looked up."""
    layers = (
        "{conv1d: {filters: 4, kernel_size: 3}}, {gru: {units: 3, return_sequences: true}}, layer_normalization, "
        "batch_normalization, {lstm: 3}, {dense: 2}"
    )
    held = compiled(body(layers, "[7, 2]"), REPLICATES)
    np.testing.assert_allclose(applied(held, True)[1], applied(held, False)[1], rtol=1e-10)


def test_networks_of_blocks_are_written_out(compiled: Callable[..., Compiled]) -> None:
    """Repeats with skips and shared weights, `each`, a function as a layer, a last unit without its axis."""
    text = """
dtype: float64
functions: {"bend(a)": a * W + tanh(a)}
task: {draw: {W: normal()}, example: {x: "normal([2, 3])"}}
architecture:
  f:
    input: x
    each: 2
    layers:
      - repeat: {name: res, times: 2, skip: true, layers: [bend, {dense: {units: 3, name: in}}]}
      - repeat: {name: tied, times: 3, share: true, layers: [{dense: {units: 3, activation: tanh}}]}
      - dense: 1
measures: {m: E(sum(f)), k: "sum(f.tied[0].dense.kernel)", all: squared_norm(f.weights)}
"""
    held = compiled(text, REPLICATES)
    given, out = applied(held)
    w = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
    assert sorted({layer for layer, _ in w}) == ["dense_1", "res[0].in", "res[1].in", "tied[0].dense_1"]
    x, factor = given, held.seeds.draws["W"].numpy()[:, None, None, None]

    def dense(x: Any, layer: str) -> Any:
        return np.einsum("rbki,rij->rbkj", x, w[layer, "kernel"]) + w[layer, "bias"][:, None, None]

    for block in range(2):
        x = x + dense(x * factor + np.tanh(x), f"res[{block}].in")
    for _ in range(3):
        x = np.tanh(dense(x, "tied[0].dense_1"))
    np.testing.assert_allclose(out, dense(x, "dense_1")[..., 0], rtol=1e-11)
    assert out.shape == (REPLICATES, BATCH, 2)
    measures = held.evaluate()
    np.testing.assert_allclose(measures["k"], w["tied[0].dense_1", "kernel"].sum(axis=(1, 2)))
    squares = sum((value**2).reshape(REPLICATES, -1).sum(axis=1) for value in w.values())
    np.testing.assert_allclose(measures["all"], squares)


def test_a_network_applies_again_with_the_same_weights(compiled: Callable[..., Compiled]) -> None:
    text = """
dtype: float64
task: {draw: {c: "normal([3, 4])"}, example: {x: "normal([4])"}}
architecture: {f: {input: x, layers: [{dense: {units: 5, activation: tanh}}, {dense: 2}]}}
outputs: {rows: "[f(c[i] * j) for i < 3, j < 2]", twice: "f(2 * x) - f"}
measures: {rows: E(rows), twice: "quantile(twice, 0)", once: "E(f(c[1]))"}
training: {optimizer: {sgd: 0}, batch: 2, steps: 1, evaluate: {examples: 6}}
loss: {l: sum(f)}
"""
    held = compiled(text, REPLICATES)
    w = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(6, dtype=tf.int64), 6, held.seeds.draws)
    x, c = lowering(held.context.bindings["x"]).tensor.numpy(), held.seeds.draws["c"].numpy()

    def f(x: Any, r: int) -> Any:
        hidden = np.tanh(x @ w["dense_1", "kernel"][r] + w["dense_1", "bias"][r])
        return hidden @ w["dense_2", "kernel"][r] + w["dense_2", "bias"][r]

    found = held.evaluate()
    for r in range(REPLICATES):
        np.testing.assert_allclose(
            found["rows"][r], np.stack([f(c[r] * j, r) for j in range(2)], axis=1), rtol=1e-10, atol=1e-12
        )
        np.testing.assert_allclose(found["twice"][r], (f(2 * x[r], r) - f(x[r], r)).min(axis=0), rtol=1e-10)
        np.testing.assert_allclose(found["once"][r], f(c[r, 1], r), rtol=1e-10)


# -- how weights start -----------------------------------------------------------------------------------------------------

SHAPE = (40, 60)
# Mean and standard deviation of each initialiser on a kernel [40, 60]; the rest is fixed.
STARTS = {
    "glorot_uniform": ("glorot_uniform", 0, np.sqrt(2 / 100)), "glorot_normal": ("glorot_normal", 0, np.sqrt(2 / 100)),
    "he_uniform": ("he_uniform", 0, np.sqrt(2 / 40)), "he_normal": ("he_normal", 0, np.sqrt(2 / 40)),
    "lecun_uniform": ("lecun_uniform", 0, np.sqrt(1 / 40)), "lecun_normal": ("lecun_normal", 0, np.sqrt(1 / 40)),
    "variance_scaling": ("{variance_scaling: {scale: 3, mode: fan_out, distribution: uniform}}", 0, np.sqrt(3 / 60)),
    "constant": ("{constant: {value: 0.5}}", 0.5, 0), "zeros": ("zeros", 0, 0), "ones": ("ones", 1, 0),
    "identity": ("{identity: {gain: 2}}", 2 * 40 / 2400, None), "orthogonal": ("{orthogonal: {gain: 2}}", 0, None),
    "number": ("-0.25", -0.25, 0), "normal": ('"normal(1, 1 / sqrt(fan_in))"', 1, np.sqrt(1 / 40)),
    "uniform": ('"uniform(-1 / fan_out, 0)"', -1 / 120, 1 / 60 / np.sqrt(12)),
    "truncated_normal": ('"truncated_normal(0, 2)"', 0, 2 * stats.truncnorm(-2, 2).std()),
}  # fmt: skip


def test_every_initialiser_of_the_table_has_a_case() -> None:
    assert STARTS.keys() >= INITIALIZERS.keys()


def test_initialisers_have_the_mean_and_deviation_they_say(compiled: Callable[..., Compiled]) -> None:
    layers = ", ".join(
        f"{{dense: {{units: 60, name: {name}, kernel_initializer: {text}}}}}, {{dense: 40}}"
        for name, (text, _, _) in STARTS.items()
    )
    held = compiled(body(layers, "[40]"), 2)
    for name, (_, mean, deviation) in STARTS.items():
        kernel = held.networks["f"].weights[name, "kernel"].numpy()
        assert kernel.shape == (2, *SHAPE)
        if deviation is None:
            for matrix in kernel:
                expected = 2 * np.eye(*SHAPE) @ np.eye(*SHAPE).T if name == "identity" else 4 * np.eye(40)
                product = matrix @ np.eye(*SHAPE).T if name == "identity" else matrix @ matrix.T
                np.testing.assert_allclose(product, expected, atol=1e-5)
        else:
            assert abs(kernel.mean() - mean) <= 4.5 * deviation / np.sqrt(kernel.size)
            assert abs(kernel.std() - deviation) <= 0.06 * deviation
        random = name not in ("constant", "zeros", "ones", "identity", "number")
        assert random == (not np.array_equal(kernel[0], kernel[1])), name


def test_the_fans_are_keras_own() -> None:
    for shape in ((5,), (4, 3), (3, 4, 2), (5, 5, 3, 8)):
        keras_fans = keras.src.initializers.random_initializers.compute_fans(shape)
        assert fans(shape) == tuple(keras_fans)


def test_weights_start_by_names_alone(programs: Any) -> None:
    """The same for a replicate whatever else varies; others for other replicates, layers, networks and seeds."""
    text = (
        body("{dense: {units: 5, name: a}}, {dense: {units: 5, name: b}}, {lstm: 2}", "[3, 5]")
        + """
variants:
  one: {}
  two: {measures: {more: E(sum(x))}, task: {example: {y: normal()}}, constants: {q: 2}, architecture: {g: {input: x, layers: [{dense: 5}]}}}
  three: {seed: 1}
"""
    )
    one, two, three = (Compiled(program, range(3), False).networks for program in programs(text).values())
    alone = Compiled(programs(text)["one"], [2], False).networks["f"]
    for place, variable in one["f"].weights.items():
        value = variable.numpy()
        np.testing.assert_array_equal(value, two["f"].weights[place].numpy())
        np.testing.assert_array_equal(value[2:], alone.weights[place].numpy())
        if place[1] != "bias":
            assert not np.allclose(value[0], value[1])
            assert not np.allclose(value, three["f"].weights[place].numpy())
    a, b, g = (
        network.weights[place, "kernel"].numpy()
        for network, place in ((one["f"], "a"), (one["f"], "b"), (two["g"], "dense_1"))
    )
    assert not np.allclose(a, b)
    assert not np.allclose(a, g)


def test_the_forget_gates_bias_starts_at_one(compiled: Callable[..., Compiled]) -> None:
    held = compiled(body("{lstm: {units: 3, return_sequences: true}}, {lstm: {units: 3, unit_forget_bias: false}}"), 2)
    first, second = (held.networks["f"].weights[layer, "bias"].numpy() for layer in ("lstm_1", "lstm_2"))
    np.testing.assert_array_equal(first, [[0] * 3 + [1] * 3 + [0] * 6] * 2)
    assert (second == 0).all()
    layer = keras.layers.LSTM(3)
    layer.build((None, 4, 2))
    np.testing.assert_array_equal(first[0], next(v.numpy() for v in layer.weights if v.path.endswith("bias")))


def test_recurrent_kernels_start_as_said(compiled: Callable[..., Compiled]) -> None:
    held = compiled(body("{lstm: {units: 3, recurrent_initializer: zeros}}"), 2)
    assert (held.networks["f"].weights["lstm_1", "recurrent_kernel"].numpy() == 0).all()


def test_constraints_are_kept_for_each_replicate_alone(compiled: Callable[..., Compiled]) -> None:
    layers = (
        "{dense: {units: 4, name: a, kernel_constraint: {max_norm: 0.3}, bias_constraint: non_neg}}, "
        "{lstm: {units: 4, recurrent_constraint: unit_norm, return_sequences: true}}, "
        "{dense: {units: 2, name: b, kernel_constraint: {min_max_norm: {min_value: 0.5, max_value: 0.6}}}}"
    )
    more = 'loss: {l: "squared_norm(f - 1)"}\ntraining: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}\n'
    held = compiled(body(layers, more=more.replace("squared_norm(f - 1)", "sum((f - 1) ^ 2)")), 2)
    before = held.networks["f"].weights["a", "kernel"].numpy()
    held.train(2)
    w = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
    norms = np.linalg.norm(w["a", "kernel"], axis=1)
    assert (np.linalg.norm(before, axis=1) > 0.31).any()
    assert (norms < 0.3 + 1e-6).all()
    assert (w["a", "bias"] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(w["lstm_1", "recurrent_kernel"], axis=1), 1, atol=1e-6)
    third = np.linalg.norm(w["b", "kernel"], axis=1)
    assert ((third > 0.5 - 1e-6) & (third < 0.6 + 1e-6)).all()


# -- layers that differ in training ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_dropout_is_seeded_by_names(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(body("{dropout: 0.25}", "[6, 3]"), 2)
    index = tf.range(BATCH, dtype=tf.int64)
    x, y = applied(held, xla, training=1)
    keys = tf.constant(
        [key(0, "e", replicate, "train", "layer", "f", "dropout_1") for replicate in range(2)], tf.uint32
    )
    kept = words(keys, index, 18).numpy().reshape(2, BATCH, 6, 3) >= 2**32 // 4
    assert 0.6 < kept.mean() < 0.9
    np.testing.assert_allclose(y, np.where(kept, x / 0.75, 0), rtol=1e-14)
    np.testing.assert_array_equal(*applied(held, xla))


def test_dropout_drops_its_share_and_differs_everywhere(compiled: Callable[..., Compiled]) -> None:
    held = compiled(
        body("{dropout: 0.3}, {dropout: 0.3}", "[40]").replace("normal([40])", "ones([40]) + 0 * normal()"), 3
    )
    count = 800
    _, y = applied(held, count=count, training=1)
    once = compiled(body("{dropout: 0.3}", "[40]").replace("normal([40])", "ones([40]) + 0 * normal()"), 3)
    _, z = applied(once, count=count, training=1)
    kept = (z > 0).astype(float)
    assert abs(kept.mean() - 0.7) < 4 * np.sqrt(0.21 / kept.size)
    assert abs((y > 0).mean() - 0.49) < 4 * np.sqrt(0.25 / y.size)
    assert abs(y.mean() - 1) < 0.02
    for a, b in ((kept[0], kept[1]), (kept[:, 1:], kept[:, :-1]), (kept[..., 1:], kept[..., :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / np.sqrt(a.size)


def test_gaussian_noise_is_normal_and_differs_between_applications(compiled: Callable[..., Compiled]) -> None:
    held = compiled(body("{gaussian_noise: 0.5}", "[40]"), 2)
    x, y = applied(held, count=500, training=1)
    assert stats.kstest(((y - x) / 0.5).ravel(), "norm").pvalue > 1e-4
    _, again = applied(held, count=500, training=2)
    assert abs(np.corrcoef((y - x).ravel(), (again - x).ravel())[0, 1]) < 4.5 / np.sqrt(x.size)
    assert stats.kstest(((again - x) / 0.5).ravel(), "norm").pvalue > 1e-4
    np.testing.assert_array_equal(y, applied(held, count=500, training=1)[1])


def test_training_draws_new_noise_at_every_step_and_measures_none(compiled: Callable[..., Compiled]) -> None:
    """The gradient of sum(dropout(x · 1)) with x = 1 shows the mask: SGD of rate 1 subtracts the kept share over 1 - rate."""
    text = """
dtype: float64
task: {example: {x: "[1 + 0 * normal() for i < 16]"}}
architecture: {f: {input: x, layers: [{dense: {units: 16, kernel_initializer: zeros}}, {dropout: 0.5}]}}
loss: {l: sum(f)}
training: {optimizer: {sgd: 1}, batch: 2, steps: 3, evaluate: {examples: 4}}
measures: {m: E(f)}
"""
    held = compiled(text, 2)
    place = tf.constant(
        [key(0, "e", replicate, "train", "layer", "f", "dropout_1") for replicate in range(2)], tf.uint32
    )
    total = np.zeros((2, 16))
    for step in range(3):
        held.train(1)
        kept = words(place, tf.range(2 * step, 2 * step + 2, dtype=tf.int64), 16).numpy() >= 2**31
        total = total - (kept / 0.5).mean(axis=1)
        np.testing.assert_allclose(held.networks["f"].weights["dense_1", "bias"].numpy(), total)
    np.testing.assert_allclose(held.evaluate()["m"], 17 * total, rtol=1e-12)


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_batch_normalisation_trains_like_keras(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Steps of SGD through a normalised network, each replicate beside plain Keras layers in training mode."""
    layers = (
        "{dense: {units: 3, name: d}}, {batch_normalization: {momentum: 0.8, name: n}}, {dense: {units: 2, name: e}}"
    )
    more = 'loss: {l: "sum((f - 1) ^ 2)"}\ntraining: {optimizer: {sgd: 0.125}, batch: 5, steps: 3, evaluate: {examples: 7}}\n'
    held = compiled(body(layers, "[4, 2]", measure="E(f)", more=more), 2, xla)
    lowering = held.context.lowering(held.seeds.keys["train"], tf.range(15, dtype=tf.int64), 15, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(7, dtype=tf.int64), 7, held.seeds.draws)
    test = lowering(held.context.bindings["x"]).tensor.numpy()
    models = []
    for r in range(2):
        model = keras.Sequential(
            [
                keras.layers.Dense(3, dtype="float64"),
                keras.layers.BatchNormalization(momentum=0.8, dtype="float64"),
                keras.layers.Dense(2, dtype="float64"),
            ]
        )
        model.build((None, 4, 2))
        for name, layer in zip("dne", model.layers, strict=True):
            for variable in layer.weights:
                variable.assign(held.networks["f"].weights[name, variable.path.rsplit("/", 1)[-1]].numpy()[r])
        models.append(model)
    for step in range(3):
        held.train(1)
        for r, model in enumerate(models):
            with tf.GradientTape() as tape:
                out = model(x[r, 5 * step : 5 * step + 5], training=True)
                loss = tf.reduce_sum(tf.square(out - 1)) / 5
            for variable, slope in zip(
                model.trainable_variables,
                tape.gradient(loss, [v.value for v in model.trainable_variables]),
                strict=True,
            ):
                variable.assign(variable.value - 0.125 * slope)
    measured = held.evaluate()["m"]
    for r, model in enumerate(models):
        for name, layer in zip("dne", model.layers, strict=True):
            for variable in layer.weights:
                found = held.networks["f"].weights[name, variable.path.rsplit("/", 1)[-1]].numpy()[r]
                np.testing.assert_allclose(found, np.asarray(variable.value), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(measured[r], np.asarray(model(test[r], training=False)).mean(axis=0), rtol=1e-8)
    moving = held.networks["f"].weights["n", "moving_mean"].numpy()
    assert not np.allclose(moving, 0)
    assert not np.allclose(moving[0], moving[1])


# -- whitening -------------------------------------------------------------------------------------------------------------

WHITEN = """
dtype: float64
task:
  draw: {A: "normal([3, 3])"}
  example: {x: "[matmul(A, normal([3])) + 0.5 for i < 4]"}
architecture: {f: {input: x, layers: [{whiten: {examples: 50}}, {dense: {units: 3, name: d}}, {whiten: {examples: 30, name: second}}]}}
measures: {m: "E(outer(f[0], f[0]))"}
replicates: 2
"""


def test_whitening_multiplies_by_the_inverse_root_of_the_uncentred_correlations(
    compiled: Callable[..., Compiled],
) -> None:
    held = compiled(WHITEN, 2)
    lowering = held.context.lowering(held.seeds.keys["train"], tf.range(50, dtype=tf.int64), 50, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()
    assert x.shape == (2, 50, 4, 3)
    w = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
    for r in range(2):
        rows = x[r].reshape(-1, 3)
        first = w["whiten_1", "matrix"][r]
        np.testing.assert_allclose(first, first.T, atol=1e-10)
        np.testing.assert_allclose(first @ (rows.T @ rows / len(rows)) @ first, np.eye(3), atol=1e-9)
        assert (np.linalg.eigvalsh(first) > 0).all()
        below = x[r, :30].reshape(-1, 3) @ first @ w["d", "kernel"][r] + w["d", "bias"][r]
        second = w["second", "matrix"][r]
        np.testing.assert_allclose(second @ (below.T @ below / len(below)) @ second, np.eye(3), atol=1e-8)
        _, out = applied(held, count=30)
        np.testing.assert_allclose(out[r].reshape(-1, 3), below @ second, rtol=1e-8, atol=1e-9)
    assert held.program.networks[0].parameters == 12


def test_whitening_is_set_before_step_0_and_stays(compiled: Callable[..., Compiled]) -> None:
    text = WHITEN.replace(
        "architecture: {", "architecture: {free: {parameter: [2], initializer: ones}, "
    )  # has no layers
    text += 'loss: {l: "sum(f ^ 2) + sum(free)"}\ntraining: {optimizer: {sgd: 0.01}, batch: 4, steps: 2}\n'
    held = compiled(text, 2)
    before = held.networks["f"].weights["second", "matrix"].numpy()
    held.train(2)
    np.testing.assert_array_equal(before, held.networks["f"].weights["second", "matrix"].numpy())
    alone = Compiled(held.program, [1], True).networks["f"].weights["second", "matrix"].numpy()
    np.testing.assert_allclose(alone[0], before[1], rtol=1e-9)


def test_directions_that_hold_nothing_are_left_out(compiled: Callable[..., Compiled]) -> None:
    text = WHITEN.replace("matmul(A, normal([3])) + 0.5", "[1, 1, 2] * normal()").replace(
        ", {dense: {units: 3, name: d}}, {whiten: {examples: 30, name: second}}", ""
    )
    matrix = compiled(text, 1).networks["f"].weights["whiten_1", "matrix"].numpy()[0]
    direction = np.asarray([1, 1, 2]) / np.sqrt(6)
    assert np.isfinite(matrix).all()
    np.testing.assert_allclose(matrix, np.outer(direction, direction) * np.trace(matrix), atol=1e-8)


# -- sequences, whole numbers, ints ----------------------------------------------------------------------------------------


RECURRENT = ("lstm", "gru", "simple_rnn")


def test_recurrent_layers_train_in_both_forms(compiled: Callable[..., Compiled]) -> None:
    """One program has a network of each kind."""
    networks = ", ".join(f"{kind}: {{input: x, layers: [{{{kind}: 3}}]}}" for kind in RECURRENT)
    losses = ", ".join(f'{kind}: "sum(({kind} - 1) ^ 2)"' for kind in RECURRENT)
    text = (
        f"{NORMAL.format(shape='[6, 3]')}\narchitecture: {{{networks}}}\nloss: {{{losses}}}\nmeasures: {{m: E(sum(x))}}\n"
        "training: {optimizer: {adam: 0.05}, batch: 4, steps: 5}\n"
    )

    def weights(held: Compiled) -> dict[tuple[str, ...], Any]:
        return {
            (name, *place): variable.numpy()
            for name, network in held.networks.items()
            for place, variable in network.weights.items()
        }

    ends = []
    for xla in (False, True):
        held = compiled(text, 2, xla)
        start = weights(held)
        assert {place[0] for place in start} == set(RECURRENT) and len(start) == 3 * len(RECURRENT)
        assert held.train(5) == [None, None]
        ends.append(weights(held))
        assert all(not np.allclose(start[place], ends[-1][place]) for place in start)
    for place in ends[0]:
        np.testing.assert_allclose(ends[0][place], ends[1][place], rtol=1e-8, atol=1e-10, err_msg=str(place))

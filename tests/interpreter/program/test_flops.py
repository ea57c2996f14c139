"""What things cost: every row of the tables against the graphs that TensorFlow makes of it, counted by its profiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import LOWERINGS
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.types import Shape
from dlspec.spec.passes.cost import cost
from dlspec.spec.tables.flops import (
    ACTIVATION_WORK,
    EXTRA_UPDATES,
    FREE_ARGUMENTS,
    OPERATION_WORK,
    UPDATES,
    update,
)
from dlspec.spec.tables.keras_parameters import ACTIVATIONS
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.optimizers import OPTIMIZERS

Counted = Callable[..., int]


def test_nothing_is_left_out_of_the_tables_and_nothing_left_over() -> None:
    assert OPERATION_WORK.keys() == OPERATIONS.keys()
    assert ACTIVATION_WORK.keys() == ACTIVATIONS.keys()
    assert UPDATES.keys() == OPTIMIZERS.keys()
    arguments = {name for row in OPTIMIZERS.values() for name in row.parameters}
    assert EXTRA_UPDATES.keys() | FREE_ARGUMENTS == arguments and not EXTRA_UPDATES.keys() & FREE_ARGUMENTS


# -- operations --------------------------------------------------------------------------------------------------------

KERNELS = {
    **dict.fromkeys(
        (
            "inverse",
            "solve",
            "cond",
            "singular_values",
            "det",
            "svd_u",
            "svd_v",
            "eigenvalues",
            "eigenvectors",
            "qr_q",
            "qr_r",
            "cholesky",
            "pinv",
            "lstsq",
            "spectral_norm",
            "nuclear_norm",
            "fft_real",
            "fft_imag",
        ),
        "TensorFlow has one kernel for the whole",
    ),
    **dict.fromkeys(("sort", "argsort", "top_k", "argtop_k"), "comparisons within one kernel"),
    **dict.fromkeys(("range", "linspace", "unique", "zeros", "ones", "eye"), "computed before anything runs"),
    "prod": "its gradient's shapes are not known when it is traced; 4 by hand: two running products, two products",
    "line_image": "counted to the leading term: of its pixels, not its rows and columns",
}
"""Operations whose work the profiler does not see, and why."""
LARGE: dict[str, tuple[list[Shape], dict[str, Any]]] = {
    "matmul": ([(300, 400), (400, 300)], {"ranks": (2, 2)}), "dot": ([(70,), (70,)], {}), "outer": ([(50,), (70,)], {}),
    "transpose": ([(50, 70)], {}), "diagonal": ([(70, 70)], {}), "trace": ([(70, 70)], {}),
    "diff": ([(500, 3)], {"axis": -2}), "cumsum": ([(50, 7)], {"axis": -2}), "cumprod": ([(50, 7)], {"axis": -2}),
    "reverse": ([(50, 7)], {"axis": -2}), "roll": ([(50, 7)], {"axis": -2, "by": 1}), "reshape": ([(50, 7)], {"shape": (350,), "rank": 2}),
    "repeat": ([(50, 7)], {"times": 100, "rank": 2}), "concat": ([(70,), (50,)], {"rank": 1}), "one_hot": ([(50, 7)], {"size": 5}),
    "scatter": ([(70,), (70,)], {"size": 130}), "step_of": ([(50, 7), (130,)], {"rank": 2}), "floor_to": ([(50, 7), (130,)], {"rank": 2}),
    "cross_entropy": ([(700,), ()], {}), "softmax": ([(700,)], {}), "log_softmax": ([(700,)], {}), "argmax": ([(5, 100)], {"axis": -1}),
    "argmin": ([(5, 100)], {"axis": -1}), "power": ([(50, 7), (50, 7)], {}),
}  # fmt: skip
"""Shapes that the arguments of an operation have here, and its static arguments."""


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in KERNELS])
def test_an_operation_costs_what_its_graph_has(name: str, counted: Counted) -> None:
    row, work = OPERATIONS[name], OPERATION_WORK[name]
    arguments = [argument for argument in row.arguments if not argument.static]
    whole = {"axis": [-2, -1]} if row.family == "reductions" else {}
    shapes, static = LARGE.get(name, ([(50, 7)] * len(arguments), whole))
    kinds = [{"bool": tf.bool, "int": tf.int32}.get(argument.kind, tf.float32) for argument in arguments]
    kinds += [kinds[-1]] * (len(shapes) - len(kinds))

    def value(*tensors: Any) -> Any:
        if name == "power" and len(tensors) == 1:  # as it is written: to a number
            tensors = (*tensors, tf.constant(3.0))
        return LOWERINGS[name](*tensors, **static)

    def backward(place: int) -> Callable[..., Any]:
        def made(*tensors: Any) -> Any:
            *tensors, upstream = tensors
            with tf.GradientTape() as tape:
                tape.watch(tensors[place])
                found = value(*tensors)
            return found, tape.gradient(found, tensors[place], output_gradients=upstream)

        return made

    specs = [tf.TensorSpec(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    forward = tf.function(value, autograph=False).get_concrete_function(*specs)
    result = tuple(forward.outputs[0].shape)
    entries = work.entries(shapes, result)
    assert counted(forward) == pytest.approx(work.forward * entries, rel=0.02)
    if not forward.outputs[0].dtype.is_floating:
        return
    for place, kind in enumerate(kinds):
        if kind == tf.float32:
            given = specs
            if (name, place) == ("power", 0):
                given = specs[:1]
            both = tf.function(backward(place), autograph=False).get_concrete_function(*given, tf.TensorSpec(result))
            if len(both.outputs) == 1:
                assert not work.passes, f"no upstream gradient passes '{name}'"
                continue
            alone = counted(tf.function(value, autograph=False).get_concrete_function(*given))
            assert counted(both) - alone == pytest.approx(work.backwards(place) * entries, rel=0.02), place


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_costs_what_its_graph_has(name: str, counted: Counted) -> None:
    @tf.function(autograph=False)
    def both(x: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = keras.activations.get(name)(x)
        return y, tape.gradient(y, x, output_gradients=upstream)

    spec = tf.TensorSpec((2, 100))
    forward = counted(tf.function(keras.activations.get(name), autograph=False).get_concrete_function(spec))
    work = ACTIVATION_WORK[name]
    assert forward == 200 * work.forward
    found = counted(both.get_concrete_function(spec, spec)) - forward
    assert found == pytest.approx(200 * work.backward[0], rel=0.02)


# -- optimisers --------------------------------------------------------------------------------------------------------

ASKED: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in OPTIMIZERS),
    ("sgd", {"momentum": 0.9}), ("sgd", {"momentum": 0.9, "nesterov": True}), ("adam", {"amsgrad": True}),
    ("rmsprop", {"momentum": 0.9}), ("rmsprop", {"centered": True}), ("adam", {"use_ema": True}), ("sgd", {"weight_decay": 0.1}),
    ("adamw", {"weight_decay": 0.1}), ("sgd", {"clipvalue": 0.1}), ("sgd", {"clipnorm": 0.1}), ("adam", {"global_clipnorm": 0.1}),
    ("adam", {"weight_decay": 0.1, "clipvalue": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), ASKED, ids=[f"{name}-{'-'.join(more)}" for name, more in ASKED])
def test_an_optimiser_costs_and_keeps_what_keras_does(name: str, arguments: dict[str, Any], counted: Counted) -> None:
    """All its other arguments at their defaults, as in a plan, which holds each."""
    optimizer = getattr(keras.optimizers, OPTIMIZERS[name].keras)(**arguments)
    variable = keras.Variable(np.ones((100, 10), np.float32))
    optimizer.build([variable])

    @tf.function(autograph=False)
    def step(gradient: Any) -> Any:
        optimizer.apply([gradient], [variable])

    defaults = {key: p.default for key, p in OPTIMIZERS[name].parameters.items() if not p.required}
    found = update(name, {**defaults, **arguments})
    assert counted(step.get_concrete_function(tf.TensorSpec((100, 10)))) == pytest.approx(
        1000 * found.operations, rel=0.03
    )
    assert sum(tuple(kept.shape) == (100, 10) for kept in optimizer.variables) == found.slots


# -- layers ------------------------------------------------------------------------------------------------------------

SEQUENCE, IMAGE, VECTOR = "normal([20, 12])", "normal([12, 12, 6])", "normal([40])"
NETWORKS = {
    "dense": (VECTOR, "dense: {units: 30, activation: relu}"), "conv1d": (SEQUENCE, "conv1d: {filters: 8, kernel_size: 3, padding: same}"),
    "conv2d": (IMAGE, "conv2d: {filters: 8, kernel_size: 3, strides: 2, padding: same, activation: tanh}"),
    "conv1d_transpose": (SEQUENCE, "conv1d_transpose: {filters: 8, kernel_size: 3, strides: 2, padding: same, activation: relu}"),
    "conv2d_transpose": (IMAGE, "conv2d_transpose: {filters: 8, kernel_size: 3, strides: 2, padding: same}"),
    "depthwise_conv2d": (IMAGE, "depthwise_conv2d: {kernel_size: 3, depth_multiplier: 2, padding: same}"),
    "separable_conv2d": (IMAGE, "separable_conv2d: {filters: 8, kernel_size: 3, padding: same}"),
    "up_sampling2d": (IMAGE, "up_sampling2d: {size: [2, 3], interpolation: bilinear}"), "zero_padding2d": (IMAGE, "zero_padding2d: 2"),
    "rms_normalization": ("normal([20, 200])", "rms_normalization"), "group_normalization": (IMAGE, "group_normalization: 2"),
    "positional_embedding": (SEQUENCE, "positional_embedding"),
    "multi_head_attention": (SEQUENCE, "multi_head_attention: {num_heads: 3, causal: true, dropout: 0.1}"),
    "max_pool1d": (SEQUENCE, "max_pool1d: 2"), "max_pool2d": (IMAGE, "max_pool2d: {pool_size: 3, strides: 2}"),
    "average_pool1d": (SEQUENCE, "average_pool1d: 4"), "average_pool2d": (IMAGE, "average_pool2d: [2, 3]"),
    "global_max_pool1d": (SEQUENCE, "global_max_pool1d"), "global_max_pool2d": (IMAGE, "global_max_pool2d"),
    "global_average_pool1d": (SEQUENCE, "global_average_pool1d"), "global_average_pool2d": (IMAGE, "global_average_pool2d"),
    "flatten": (IMAGE, "flatten"), "reshape": (VECTOR, "reshape: [5, 8]"), "repeat_vector": (VECTOR, "repeat_vector: 70"),
    "activation": (VECTOR, "activation: softplus"), "leaky_relu": (VECTOR, "leaky_relu: 0.1"),
    "layer_normalization": ("normal([20, 200])", "layer_normalization"), "batch_normalization": (IMAGE, "batch_normalization"),
    "embedding": ("integer(50, [9])", "embedding: {input_dim: 50, output_dim: 30}"),
    "dropout": (VECTOR, "dropout: 0.2"), "whiten": (SEQUENCE, "whiten: {examples: 100}"),
}  # fmt: skip
"""An example and a layer on it, times a number that is learnt, so that upstream gradients go through the layer.

Of a convolution within its borders the profiler counts the gradient as if it had none, so here they are padded.
"""
DRAWN = ("gaussian_noise",)
"""Layers of which nearly all is drawing numbers, which the plan does not count."""
LOOPS = ("simple_rnn", "lstm", "gru", "bidirectional")
"""Layers that loop, where the profiler counts one turn; Keras can unroll them."""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_layer_costs_what_a_training_step_with_it_has(
    name: str, program: Callable[[str], Program], executed: Counted
) -> None:
    example, layer = NETWORKS[name]
    one = program(f"""
task: {{example: {{x: '{example}'}}}}
architecture:
  s: {{input: '[1]', layers: [{{dense: {{units: 1, use_bias: false}}}}]}}
  f:
    input: {"x" if name == "embedding" else "s * x"}
    layers:
      - {layer}
loss: {{l: sum(f * f)}}
training: {{optimizer: sgd, batch: 16, steps: 1}}
measures: {{m: E(s)}}
""")
    assert cost(one).step == pytest.approx(executed(one), rel=0.02)


def test_every_layer_is_compared() -> None:
    assert {*NETWORKS, *LOOPS, *DRAWN} == LAYERS.keys()


@pytest.mark.parametrize("more", [{}, {"return_sequences": True}], ids=["last", "sequence"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_layer_that_loops_costs_what_it_does_unrolled(
    name: str, more: dict[str, bool], program: Callable[[str], Program], counted: Counted
) -> None:
    row, both = LAYERS[name], name == "bidirectional"
    loop = keras.layers.LSTM if both else getattr(keras.layers, row.keras)
    layer = loop(20, unroll=True, **more)
    model = keras.Sequential([keras.Input((12, 7)), keras.layers.Bidirectional(layer, "sum") if both else layer])

    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(model(x))
        return tape.gradient(loss, [x, *[variable.value for variable in model.trainable_variables]])

    inner = {p.name: p.default for p in LAYERS["lstm" if both else name].parameters.values()} | {"units": 20, **more}
    given, config = (12, 7), {"layer": {"class_name": "LSTM", "config": inner}, "merge_mode": "sum"} if both else inner
    forward, backward = row.work(given, row.output(given, config), config)
    found = 16 * (3 * row.flops(given, config) + forward + backward)
    assert found == pytest.approx(counted(step.get_concrete_function(tf.TensorSpec((16, 12, 7)))), rel=0.05)

"""Number types: what is rounded to bfloat16 and what is not, and how exact products of float32 are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.tf32 import tf32_mode
from dlspec.interpreter.program.export import export
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.dtypes import DTYPES

BODY = """
dtype: DTYPE
functions: {"bend(a)": "a / 3"}
task: {draw: {v: "normal([4])"}, example: {x: "normal([4])", y: "dot(v, x) / 3"}}
architecture: {f: {input: x, layers: LAYERS}}
loss: {squared: (f - y)^2}
training: {optimizer: {sgd: {learning_rate: 0.0625, momentum: 0.5}}, batch: 16, steps: 400, evaluate: {every: 100, examples: 256}}
measures: {error: E((f - y)^2), slope: "E(gradient((f - y)^2, f.weights))", each: "E(squared_norm(gradient(f, f.weights)))"}
replicates: 2
"""
DENSE = "[dense: {units: 8, activation: tanh, name: hidden}, dense: {units: 1, name: last}]"
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
NARROW = tf.bfloat16.as_numpy_dtype
UNIT = 2.0**-8
"""The largest relative error of one rounding to bfloat16."""


def body(dtype: str = "bfloat16", layers: str = DENSE) -> str:
    return BODY.replace("DTYPE", dtype).replace("LAYERS", layers)


def rounded(x: Any) -> Any:
    """To bfloat16 and back: NumPy's rounding, to nearest and even."""
    return np.asarray(x, np.float32).astype(NARROW).astype(np.float32)


def weights(held: Compiled) -> dict[str, Any]:
    return {f"{layer}.{name}": variable.numpy() for (layer, name), variable in held.networks["f"].weights.items()}


@lru_cache(maxsize=8)
def forward_pass(held: Compiled, count: int) -> Callable[..., Any]:
    """A compiled function: so many training examples, from a first one on, and what each network makes of them."""

    @tf.function(jit_compile=held.xla, autograph=False)
    def run(keys: Any, drawn: Any, first: Any) -> Any:
        lowering = held.context.lowering(keys, first + tf.range(count, dtype=tf.int64), count, drawn)
        return [lowering(held.context.bindings[name]).tensor for name in ("x", "y")] + [
            held.context.apply(lowering, network, None).tensor for network in held.networks
        ]

    return run


def values_of_networks(held: Compiled, first: int, count: int) -> list[Any]:
    """Inputs, labels and each network's outputs of training examples: [R, B, …]."""
    run = forward_pass(held, count)
    return [value.numpy() for value in run(held.seeds.keys["train"], held.seeds.draws, tf.constant(first, tf.int64))]


def examples(held: Compiled, first: int, count: int) -> tuple[Any, Any, Any]:
    """Inputs, labels and outputs of training examples: [R, B, …]."""
    x, y, f = values_of_networks(held, first, count)
    return x, y, f


def forward(w: dict[str, Any], x: Any) -> tuple[Any, Any]:
    """The dense network by hand: inputs, weights, and what leaves each product, bias and activation rounded."""
    kernel, bias = rounded(w["hidden.kernel"]), rounded(w["hidden.bias"])[:, None]
    hidden = rounded(np.tanh(rounded(rounded(np.einsum("rbi,rij->rbj", rounded(x), kernel)) + bias)))
    last = rounded(np.einsum("rbi,rij->rbj", hidden, rounded(w["last.kernel"]))) + rounded(w["last.bias"])[:, None]
    return hidden, rounded(last)[..., 0]


@FORMS
def test_a_forward_pass_is_numpys_with_every_rounding(reused: Callable[..., Compiled], xla: bool) -> None:
    """To three roundings of the largest value; the same pass in float32 is further off than that somewhere."""
    held, exact = reused(body(), 2, xla), reused(body("float32"), 2, xla)
    x, y, found = examples(held, 0, 64)
    wide = examples(exact, 0, 64)
    np.testing.assert_array_equal(x, wide[0])
    np.testing.assert_array_equal(y, wide[1])
    for name, value in weights(held).items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, weights(exact)[name])
    _, expected = forward(weights(held), x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=3 * UNIT * np.abs(expected).max())
    if not xla:  # which may leave a rounding out, and be more exact
        np.testing.assert_array_equal(found, rounded(found))
    gap = np.abs(found - wide[2]).max()
    assert 0 < gap < 8 * UNIT * np.abs(expected).max()


@FORMS
def test_steps_are_numpys_with_float32_weights(reused: Callable[..., Compiled], xla: bool) -> None:
    """Three steps of SGD with momentum: gradients to two hundredths of the largest, weights never rounded."""
    held = reused(body(), 2, xla)
    w = weights(held)
    before, speed = dict(w), {name: np.zeros_like(value) for name, value in w.items()}
    for step in range(3):
        x, y, _ = examples(held, 16 * step, 16)
        hidden, guess = forward(w, x)
        upstream = rounded(2 * (guess - y))
        below = rounded(upstream[..., None] * rounded(w["last.kernel"])[:, None, :, 0]) * (1 - hidden**2)
        slopes = {
            "hidden.kernel": np.einsum("rbi,rbj->rij", rounded(x), rounded(below)), "hidden.bias": rounded(below).sum(axis=1),
            "last.kernel": np.einsum("rbj,rb->rj", hidden, upstream)[..., None], "last.bias": upstream.sum(axis=1, keepdims=True),
        }  # fmt: skip
        for name in w:
            speed[name] = 0.5 * speed[name] - 0.0625 * slopes[name] / 16
            w[name] = w[name] + speed[name]
    assert held.train(3) == [None, None]
    for name, value in weights(held).items():
        moved = np.abs(w[name] - before[name]).max()
        np.testing.assert_allclose(value, w[name], rtol=0, atol=0.02 * moved, err_msg=name)
        assert value.dtype == np.float32 and not np.array_equal(value, rounded(value))
    assert all(
        variable.dtype == "float32" for _, group in held.train_step.optimizers[0].groups.values() for variable in group
    )


@FORMS
def test_measures_are_float64_and_both_ways_to_a_gradient_agree(reused: Callable[..., Compiled], xla: bool) -> None:
    held, exact = reused(body(), 2, xla), reused(body("float32"), 2, xla)
    found, wide = held.evaluate(), exact.evaluate()
    for name, value in found.items():
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, wide[name], rtol=0, atol=0.03 * np.abs(wide[name]).max(), err_msg=name)
    assert not np.allclose(found["error"], wide["error"], rtol=1e-6)


@FORMS
def test_it_learns_what_float32_learns(reused: Callable[..., Compiled], xla: bool) -> None:
    """The error ends where float32's does, but for the rounding of what the network gives."""
    held, exact = reused(body(), 2, xla), reused(body("float32"), 2, xla)
    start = held.evaluate()["error"]
    for made in (held, exact):
        made.train(400)
    found, wide = held.evaluate()["error"], exact.evaluate()["error"]
    assert (found < 0.1 * start).all()
    np.testing.assert_allclose(found, wide, rtol=0.2, atol=20 * UNIT**2)


MIXED = (
    "[whiten: {examples: 64}, dense: {units: 6, use_bias: false}, batch_normalization: {}, bend, dropout: 0.3, gaussian_noise: 0.1, "
    "repeat: {name: block, times: 2, skip: true, layers: [layer_normalization: {}, dense: {units: 6, activation: relu}]}, dense: 1]"
)


@pytest.fixture(scope="module")
def statistics(compiled: Callable[..., Compiled]) -> tuple[Any, Any]:
    """Of such a network in float32, a plain graph: the whitening matrix, and the moving variance after training."""
    exact = compiled(body("float32", MIXED), 2)
    matrix = exact.networks["f"].weights["whiten_1", "matrix"].numpy()
    assert exact.train(30) == [None, None]
    return matrix, exact.networks["f"].weights["batch_normalization_1", "moving_variance"].numpy()


@FORMS
def test_all_that_a_network_may_hold_trains(
    compiled: Callable[..., Compiled], statistics: tuple[Any, Any], xla: bool
) -> None:
    """Whitening, normalisation, noise, functions, skips: what leaves the network is rounded, statistics are float32's."""
    held = compiled(body(layers=MIXED), 2, xla)
    matrix = held.networks["f"].weights["whiten_1", "matrix"].numpy()
    np.testing.assert_allclose(matrix, statistics[0], rtol=0.02, atol=0.02)
    assert held.train(30) == [None, None]
    _, _, found = examples(held, 0, 8)
    assert np.isfinite(found).all() and (xla or np.array_equal(found, rounded(found)))
    moving = held.networks["f"].weights["batch_normalization_1", "moving_variance"].numpy()
    assert moving.dtype == np.float32
    np.testing.assert_allclose(moving, statistics[1], rtol=0.1)


MODES = {"clipped": "clipped: {clip: 0.1}", "scaled": "scaled.hidden: {scale: 2}", "stopped": "stopped: stop", "frozen": "frozen.hidden: freeze"}  # fmt: skip
"""A gradient mode, by the network that has it."""


def test_modes_change_no_forward_value(compiled: Callable[..., Compiled]) -> None:
    """One program has a network for each mode."""
    networks = ", ".join(f"{name}: {{input: x, layers: {DENSE}}}" for name in MODES)
    losses = ", ".join(f"{name}: ({name} - y)^2" for name in MODES)
    start, end = body().split("architecture:")[0], "training:" + body().split("training:")[1].split("measures:")[0]
    text = f"{start}architecture: {{{networks}}}\nloss: {{{losses}}}\n{end}measures: {{m: E(y)}}\nreplicates: 2\n"
    plain, held = compiled(text, 2), compiled(text + f"gradient: {{{', '.join(MODES.values())}}}\n", 2)
    outputs, expected = (values_of_networks(made, 0, 16)[2:] for made in (held, plain))
    assert len(outputs) == len(MODES)
    for output, value in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(output, value)
    assert held.train(2) == [None, None]


def test_kept_weights_compute_in_keras_as_they_did_here(reused: Callable[..., Compiled], tmp_path: Path) -> None:
    import keras

    held = reused(body(), 2)
    held.train(5)
    x, _, expected = examples(held, 0, 16)
    write(held, 1, tmp_path / "kept")
    model = keras.saving.load_model(tmp_path / "kept" / "f.keras")
    assert all(variable.dtype == "float32" for variable in model.weights)
    found = np.asarray(tf.cast(model(x[1]), tf.float32))[:, 0]
    np.testing.assert_allclose(found, expected[1], rtol=0, atol=2 * UNIT * np.abs(expected).max())


# -- products of float32 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "precision"), [("float32", "HIGHEST"), ("tf32", "DEFAULT"), ("bfloat16", "HIGHEST")])
def test_a_compiled_program_says_how_exact_its_products_are(
    dtype: str, precision: str, program: Callable[[str], Program], tmp_path: Path
) -> None:
    """XLA rounds products of float32 on a GPU only where they ask for DEFAULT."""
    layers = "[reshape: [2, 2, 1], conv2d: {filters: 2, kernel_size: 2}, flatten, dense: 3, dense: 1]"
    export(Compiled(program(body(dtype, layers)), [0, 1], True, portable=True), "stablehlo", tmp_path / "out", "cpu")
    text = (tmp_path / "out" / "program.stablehlo.mlir").read_text("utf-8")
    other = {"HIGHEST": "DEFAULT", "DEFAULT": "HIGHEST"}[precision]
    lines = [line for line in text.splitlines() if "dot_general" in line or "stablehlo.convolution" in line]
    assert len(lines) >= 4
    for line in lines:
        assert precision in line and other not in line
        assert ("bf16" in line) == (dtype == "bfloat16")


def test_on_a_cpu_tf32_gives_the_bits_of_float32(program: Callable[[str], Program]) -> None:
    states = []
    for dtype in ("float32", "tf32"):
        with tf32_mode(dtype):
            held = Compiled(program(body(dtype)), [0, 1], True)
            held.train(5)
            states.append([*held.saved()[0], *held.evaluate().values()])
    assert all(one.tobytes() == other.tobytes() for one, other in zip(*states, strict=True))


def test_programs_of_one_precision_run_side_by_side_and_of_two_take_turns() -> None:
    """Each looks at TensorFlow's switch while all of its kind are inside: it is as it asked."""
    inside, seen = threading.Barrier(3), []

    def run(dtype: str) -> None:
        with tf32_mode(dtype):
            inside.wait(60)  # all three of a kind, and none of the other
            seen.append((dtype, tf.config.experimental.tensor_float_32_execution_enabled()))
            inside.wait(60)

    threads = [threading.Thread(target=run, args=(dtype,)) for dtype in ("tf32", "float32") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(seen) == [("float32", False)] * 3 + [("tf32", True)] * 3


def test_an_error_inside_lets_the_next_in() -> None:
    with pytest.raises(KeyError), tf32_mode("tf32"):
        raise KeyError
    with tf32_mode("float32"):
        assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_the_table_says_what_numpy_says_of_its_types() -> None:
    for row in DTYPES.values():
        kind = np.dtype(tf.as_dtype(row.layers).as_numpy_dtype)
        assert kind.itemsize == row.bytes
        one = np.ones((), kind)
        assert one + kind.type(row.epsilon) > one and one + kind.type(row.epsilon / 2) == one

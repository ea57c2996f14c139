"""Repeated blocks: what is added, projected or put side by side, and what each repetition ends with, beside NumPy and Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.print_network import shapes
from dlspec.spec.passes.trained_weights import trained

LAYERS = """[
    {repeat: {name: up, times: 2, skip: project, activation: relu, layers: [{dense: {units: 5, bias_initializer: normal()}}]}},
    {repeat: {name: grow, times: 2, skip: concat, layers: [{dense: {units: 3, activation: tanh}}]}},
    {repeat: {name: ends, times: 2, skip: add, activation: bend, layers: [dense: 11]}},
    {repeat: {name: down, times: 1, skip: project, layers: [{conv1d: {filters: 2, kernel_size: 3, strides: 2, padding: same}}]}},
    {repeat: {name: plain, times: 2, activation: sigmoid, layers: [dense: 2]}}]"""
BODY = """
dtype: float64
functions: {"bend(a)": a + tanh(a)}
task: {data: {test: 9}, example: {x: "normal([6, 4])"}}
architecture: {f: {input: x, layers: LAYERS}}
loss: {l: "sum(f^2)"}
training: {optimizer: {sgd: 0.01}, batch: 4, steps: 2}
measures: {m: E(f)}
"""


def body(layers: str = LAYERS) -> str:
    return BODY.replace("LAYERS", layers)


def expected(w: dict[tuple[str, str], Any], x: Any) -> Any:
    """The network by hand on one replicate's [B, 6, 4]."""

    def dense(x: Any, layer: str) -> Any:
        return x @ w[layer, "kernel"] + w[layer, "bias"]

    x = np.maximum(dense(x, "up[0].dense_1") + dense(x, "up[0].projection"), 0)
    x = np.maximum(dense(x, "up[1].dense_1") + x, 0)
    for block in range(2):
        x = np.concatenate([x, np.tanh(dense(x, f"grow[{block}].dense_1"))], axis=-1)
    for block in range(2):
        total = dense(x, f"ends[{block}].dense_1") + x
        x = total + np.tanh(total)
    shortcut = x[:, ::2] @ w["down[0].projection", "kernel"][0] + w["down[0].projection", "bias"]
    padded = np.pad(x, ((0, 0), (0, 1), (0, 0)))
    windows = np.stack([padded[:, start : start + 3] for start in (0, 2, 4)], axis=1)
    x = np.einsum("btki,kio->bto", windows, w["down[0].conv1d_1", "kernel"]) + w["down[0].conv1d_1", "bias"] + shortcut
    for block in range(2):
        x = 1 / (1 + np.exp(-dense(x, f"plain[{block}].dense_1")))
    return x


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_blocks_are_what_they_say(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(body(), 2, xla)
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(9, dtype=tf.int64), 9, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()
    weights = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
    found = held.evaluate()["m"]
    for r in range(2):
        by_hand = expected({place: value[r] for place, value in weights.items()}, x[r])
        np.testing.assert_allclose(found[r], by_hand.mean(axis=0), rtol=1e-10)
    assert held.train(2) == [None, None]
    for place, variable in held.networks["f"].weights.items():
        assert not np.allclose(variable.numpy(), weights[place]), place


def test_kept_networks_are_keras_own(compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    held = compiled(body(LAYERS.replace("bend", "softsign")), 2)
    write(held, 1, tmp_path / "kept")
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(9, dtype=tf.int64), 9, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()[1]
    model = keras.saving.load_model(tmp_path / "kept" / "f.keras")
    np.testing.assert_allclose(held.evaluate()["m"][1], np.mean(model(x), axis=0), rtol=1e-9)


@pytest.mark.parametrize("frozen", ["", 'gradient: {"f.up[0].dense_1": freeze}\n'], ids=["trained", "frozen"])
def test_blocks_cost_what_a_step_has(
    frozen: str, program: Callable[[str], Program], executed: Callable[..., int]
) -> None:
    wide = LAYERS.replace("units: 5", "units: 50").replace("11", "56").replace("units: 3", "units: 3")
    one = program(body(wide).replace("float64", "float32") + frozen)
    assert cost(one).step == pytest.approx(executed(one), rel=0.02)


def test_the_plan_names_the_way_through_the_layers(program: Callable[[str], Program]) -> None:
    (plan,) = program(body()).networks
    assert shapes(plan) == "[6, 4] → 6×5 → 6×5 → 6×3 → 6×3 → 6×11 → 6×11 → 3×2 → 3×2 → 3×2"
    keys = [leaf.key for leaf in plan.leaves()]
    assert keys[:5] == ["up[0].dense_1", "up[0].projection", "up[0].activation", "up[1].dense_1", "up[1].activation"]


def test_words_of_the_same_meaning_have_one_digest(programs: Callable[[str], dict[str, Program]]) -> None:
    words = {
        "yes": "true",
        "add": "add",
        "project": "project",
        "concat": "concat",
        "ended": "true, activation: relu",
        "linear": "true, activation: linear",
    }
    variants = ", ".join(
        f"{name}: {{architecture: {{f: {{layers: [{{repeat: {{times: 2, skip: {word}, layers: [dense: 4]}}}}, flatten]}}}}}}"
        for name, word in words.items()
    )
    digests = {name: one.digest for name, one in programs(body("[flatten]") + f"variants: {{{variants}}}\n").items()}
    assert len({digests[name] for name in ("yes", "add", "project", "linear")}) == 1
    assert len(set(digests.values())) == 3


def test_a_gradient_goes_past_a_block_that_stops_it(compiled: Callable[..., Compiled]) -> None:
    """y = x · k + stop(x · k · s): the first kernel is trained along the shortcut, and the block's is not."""
    for skip in ("true", "{true, activation: linear}"):
        layers = (
            "[{dense: {units: 4, use_bias: false, name: first}}, {repeat: {name: b, times: 1, skip: SKIP, layers: "
            "[{dense: {units: 4, use_bias: false, name: s}}]}}]"
        ).replace("SKIP", skip.strip("{}"))
        held = compiled(body(layers).replace("sum(f^2)", "sum(f)") + 'gradient: {"f.b[0].s": stop}\n', 2)
        assert trained(held.program) == {("f", "first", "kernel")}
        lowering = held.context.lowering(held.seeds.keys["train"], tf.range(4, dtype=tf.int64), 4, held.seeds.draws)
        x = lowering(held.context.bindings["x"]).tensor.numpy()
        before = {place: variable.numpy() for place, variable in held.networks["f"].weights.items()}
        held.train(1)
        slope = np.repeat(x.sum(axis=2).mean(axis=1)[..., None], 4, axis=-1)
        np.testing.assert_allclose(
            before["first", "kernel"] - held.networks["f"].weights["first", "kernel"].numpy(), 0.01 * slope, rtol=1e-6
        )
        np.testing.assert_array_equal(
            before["b[0].s", "kernel"], held.networks["f"].weights["b[0].s", "kernel"].numpy()
        )


def test_bounds_of_ints_meet_behind_a_block(program: Callable[[str], Program]) -> None:
    """An embedding takes what two ways of ints give side by side, and refuses their sum where it is too large."""
    text = body("[{repeat: {times: 1, skip: SKIP, layers: [twice]}}, {embedding: {input_dim: 7, output_dim: 2}}]")
    text = text.replace('"bend(a)": a + tanh(a)', '"twice(a)": "[clip(2 * a[i], 0, 6) for i < 4]"').replace(
        "normal([6, 4])", "integer(4, [4])"
    )
    assert program(text.replace("SKIP", "concat")).networks[0].output.shape == (8, 2)
    with pytest.raises(StudyError, match="`x` is 0 … 9"):
        program(text.replace("SKIP", "add"))

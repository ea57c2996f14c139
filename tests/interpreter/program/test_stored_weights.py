"""Weights of a type of their own: what an update changes is rounded once, and small steps are lost, as in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.results.precision_text import precision
from dlspec.spec.ir.plan import Program

Array = np.ndarray[Any, Any]
TYPES = {"bfloat16": ml_dtypes.bfloat16, "float16": np.float16, "float32": np.float32}
SLOPE = """
WEIGHTS
task: {example: {x: "1 + 0 * normal()"}}
architecture: {w: {parameter: [4], initializer: "[1.0, 1.0, 3.0, 0.1]"MORE}}
loss: {l: "FORCE"}
training: {optimizer: OPTIMIZER, batch: 2, steps: 40}
measures: {w: wVALUES}
"""


def slope(weights: str, optimizer: str, force: str = "-sum(w)", more: str = "", values: str = "") -> str:
    text = SLOPE.replace("WEIGHTS", weights.replace("; ", "\n")).replace("OPTIMIZER", optimizer)
    return text.replace("FORCE", force).replace("MORE", more).replace("VALUES", values)


def kept(x: Array, name: str) -> Array:
    with np.errstate(over="ignore"):
        return x.astype(np.float32).astype(TYPES[name]).astype(np.float32)


def weights(compiled: Compiled) -> Array:
    return np.asarray(compiled.networks["w"].weights["parameter", "value"].numpy())


@pytest.mark.parametrize("xla", [False, True])
def test_steps_of_less_than_half_a_gap_are_lost(compiled: Callable[..., Compiled], xla: bool) -> None:
    """1 + 2^-9 is 1 in bfloat16, 1 + 2^-8 is a tie that goes to the even 1; of float32 all steps are kept."""
    for exponent, moves in ((-9, False), (-8, False), (-7, True)):
        made = compiled(slope("weights: bfloat16", f"{{sgd: 2^{exponent}}}"), xla=xla)
        made.train(40)
        found = weights(made)[0]
        assert (found[:2] == (1 + 40 * 2.0**-7 if moves else 1)).all(), exponent
        assert found[3] > 0.1, "the gap there is smaller"
    made = compiled(slope("weights: float32", "{sgd: 2^-9}"), xla=xla)
    made.train(40)
    np.testing.assert_array_equal(weights(made)[0, :2], 1 + 40 * 2.0**-9)


@pytest.mark.parametrize(
    ("name", "state", "xla"),
    [
        *((name, state, True) for name in ("bfloat16", "float16") for state in ("", "; state: float32")),
        ("bfloat16", "", False),
        ("float16", "; state: float32", False),
    ],
)
def test_weights_and_moments_are_rounded_once_an_update(
    compiled: Callable[..., Compiled], name: str, state: str, xla: bool
) -> None:
    """Factors are powers of 2: each product is exact, and float32 sums are the same in any form."""
    made = compiled(
        slope(
            f"weights: {name}{state}", "{sgd: {learning_rate: 2^-4, momentum: 0.75}}", "sum((w - [0, 0.3, 1, 2])^2) / 2"
        ),
        2,
        xla,
    )
    w = np.array([1, 1, 3, kept(np.float32(0.1), name)], np.float32)
    v = np.zeros(4, np.float32)
    target = np.array([0, 0.3, 1, 2], np.float32)
    np.testing.assert_array_equal(weights(made), [w, w])
    for _ in range(40):
        v = v * np.float32(0.75) - (w - target) * np.float32(2.0**-4)
        w = kept(w + v, name)
        v = v if state else kept(v, name)
        made.train(1)
        np.testing.assert_array_equal(weights(made), [w, w])


def test_constraints_come_before_the_rounding(compiled: Callable[..., Compiled]) -> None:
    """The bound is no number of bfloat16: the weights are the nearest of it."""
    text = 'functions: {box(w): "minimum(w, 1.003)"}\n' + slope(
        "weights: bfloat16", "{sgd: 0.5}", more=", constraint: box"
    )
    made = compiled(text)
    assert weights(made)[0, 2] == 1
    made.train(3)
    np.testing.assert_array_equal(weights(made)[0], 1)


@pytest.mark.parametrize("xla", [False, True])
def test_updates_of_gradients_that_are_not_finite_are_left_out(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The gradient is step^2: times 4096 it leaves float16 from step 4 on. Rows are left out each by itself."""
    head = "weights: float16; loss_scale: 4096; task: {draw: {big: integer(2)}, example: {x: '1 + 0 * normal()'}}"
    text = slope(
        head, "{adam: 2^-6}", "-sum(w) * (step^2 if big > 0 else 1)", values=", skipped: left_out, big: 1.0 * big"
    )
    made = compiled(text.replace('\ntask: {example: {x: "1 + 0 * normal()"}}', ""), 6, xla)
    made.train(3)
    early, moments = weights(made), [v.numpy() for v in made.train_step.optimizers[0].moments()]
    assert (made.evaluate()["skipped"] == 0).all()
    made.train(1)
    made.train(6)
    found, big = made.evaluate(), made.evaluate()["big"] > 0
    assert 0 < big.sum() < 6
    np.testing.assert_array_equal(found["skipped"], np.where(big, 6, 0))
    assert (weights(made)[~big] != early[~big]).all()
    assert made.step == 10
    third = compiled(text.replace('\ntask: {example: {x: "1 + 0 * normal()"}}', ""), 6, xla)
    third.train(4)
    np.testing.assert_array_equal(weights(made)[big], weights(third)[big])
    for now, then in zip(
        made.train_step.optimizers[0].moments(), third.train_step.optimizers[0].moments(), strict=True
    ):
        np.testing.assert_array_equal(now.numpy()[big], then.numpy()[big])
    assert moments
    saved = made.saved()
    made.train(2)
    after = made.evaluate()["skipped"]
    made.restore(10, saved)
    made.train(2)
    np.testing.assert_array_equal(made.evaluate()["skipped"], after)


@pytest.mark.parametrize("xla", [False, True])
def test_where_nothing_is_trained_nothing_is_left_out(compiled: Callable[..., Compiled], xla: bool) -> None:
    head = "weights: bfloat16; loss_scale: 2^8; gradient: {w: freeze}"
    made = compiled(slope(head, "{sgd: 1}", values=", skipped: left_out"), 2, xla)
    made.train(3)
    np.testing.assert_array_equal(weights(made), [[1, 1, 3, kept(np.float32(0.1), "bfloat16")]] * 2)
    assert made.evaluate()["skipped"].tolist() == [0, 0]


def test_without_a_scale_small_gradients_of_float16_vanish(compiled: Callable[..., Compiled]) -> None:
    """With `loss_scale: 1` a gradient of 1e-8 is 0 in float16; scaled by 2^15 it is there."""
    steps = []
    for scale in ("1", "2^15"):
        made = compiled(slope(f"weights: float16; loss_scale: {scale}", "{sgd: 2^20}", "-1e-8 * sum(w)"))
        made.train(1)
        steps.append(weights(made)[0, 0] - 1)
    assert steps[0] == 0
    assert steps[1] == pytest.approx(1e-8 * 2**20, rel=2e-3, abs=2**-11)


def test_moving_averages_are_rounded_as_what_optimizers_keep(compiled: Callable[..., Compiled]) -> None:
    for state, exact in (("", False), ("; state: float32", True)):
        made = compiled(
            slope(f"weights: bfloat16{state}", "{sgd: {learning_rate: 0.5, use_ema: true, ema_momentum: 0.99}}")
        )
        made.train(3)
        averages = made.evaluate()["w"]
        assert bool((kept(averages, "bfloat16") != averages).any()) is exact


def test_what_is_rounded_is_told(program: Callable[[str], Program]) -> None:
    words = precision(program(slope("weights: float16; loss_scale: 1024; state: float32", "{sgd: 1}")))
    for part in ("weights kept in float16, rounded once", "optimisers keep in float32", "scaled by 1024"):
        assert part in words
    assert precision(program(slope("weights: float32; state: float32", "{sgd: 1}"))) == precision(
        program(slope("", "{sgd: 1}"))
    )

"""What lies behind `round` or `sign` alone gets a gradient of 0 and is not trained: that is warned of, and a mode takes the warning away."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.tables.flops import FLAT
from dlspec.spec.tables.operations import OPERATIONS

BASE: dict[str, Any] = {
    "functions": {"q(z)": "round(4 * z) / 4", "turn(s, e)": "round(s) + e", "bend(s, e)": "tanh(s) + e"},
    "task": {"example": {"x": "normal([4])", "y": "round(sum(x))"}},
    "architecture": {
        "f": {"input": "x", "layers": [{"dense": 3}]},
        "g": {"input": "q(f)", "layers": [{"dense": {"units": 8, "activation": "tanh"}}, {"dense": 1}]},
    },
    "loss": {"l": "(g - y)^2"},
    "training": {"optimizer": "sgd", "batch": 4, "steps": 2},
    "measures": {"m": "E((g - y)^2)"},
}


def warnings(**parts: Any) -> list[str]:
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": {**BASE, **parts}}})
    return [item.message for item in spec.resolve(spec.parse(Source("flat.yaml", text))).warnings]


def alone(loss: str) -> dict[str, Any]:
    return {"loss": {"l": loss}, "architecture": {"g": {"input": "x", "layers": [{"dense": 1}]}}}


@pytest.mark.parametrize(
    ("loss", "origin"),
    [
        ("(round(g) - y)^2", "round(g)"), ("(floor(3 * g) - y)^2", "floor("), ("(ceil(g) - y)^2", "ceil(g)"), ("abs(sign(g) - y)", "sign(g)"),
        ("(floor_to(g, range(-3, 4)) - y)^2", "floor_to(g"), ("(g // 0.5 - y)^2", "g // 0.5"),
        ("(with_weights(g, g.weights, q(g.weights)) - y)^2", "round(4 * z)"), ("sum(scan(turn, g, x))", "round(s)"),
    ],
)  # fmt: skip
def test_a_loss_behind_what_is_flat_trains_nothing(loss: str, origin: str) -> None:
    (found,) = warnings(**alone(loss))
    assert found.startswith("'g' is not trained: the loss depends on it only through") and origin in found


@pytest.mark.parametrize(
    "loss",
    [
        "(g - round(g))^2", "(g % 1 - y)^2", "abs(g)", "(g + stop(round(g) - g) - y)^2", "(relu(g) - y)^2", "(clip(g, -1, 1) - y)^2",
        "(g - sign(y))^2", "sum(scan(bend, g, x))", "(with_weights(g, g.weights, g.weights + q(g.weights)) - y)^2", "g * sign(g)",
    ],
)  # fmt: skip
def test_one_way_that_is_not_flat_is_enough(loss: str) -> None:
    assert warnings(**alone(loss)) == []


def test_what_stands_before_something_flat_is_told_beside_what_is_trained() -> None:
    """Codes without the straight-through estimator (van den Oord et al. 2017): what reads them learns, what makes them does not."""
    (found,) = warnings()
    assert found.startswith("'f' is not trained") and "round(4 * z)" in found
    assert warnings(gradient={"q": "forward_only"}) == []
    assert warnings(gradient={"q": {"surrogate": "z"}}) == []
    assert warnings(gradient={"f": "freeze"}) == []
    layers = {"f": {"input": "x", "layers": [{"dense": 3}, "q", {"dense": 1}]}}
    (found,) = warnings(architecture=layers, loss={"l": "(f - y)^2"}, measures={"m": "E(f)"})
    assert found.startswith("'f.dense_1' is not trained")
    assert warnings(architecture=layers, loss={"l": "(f - y)^2"}, measures={"m": "E(f)"}, gradient={"q": "forward_only"}) == []  # fmt: skip


def test_phases_say_where_it_is_so() -> None:
    phases = {"soft": {"steps": 2, "gradient": {"q": "forward_only"}}, "hard": {"steps": 2}}
    training = {"optimizer": "sgd", "batch": 4, "phases": phases}
    (found,) = warnings(training=training)
    assert found.startswith("in the phase 'hard': 'f' is not trained")


def test_what_is_flat_has_a_difference_quotient_of_zero() -> None:
    """Over the table, by NumPy: real elementwise operations of one or two numbers, away from their jumps."""
    points, rows = np.random.default_rng(0).uniform(0.1, 0.9, (2, 64)), 0
    for name, row in OPERATIONS.items():
        if row.result.kind == "bool" or not row.elementwise or not 1 <= len(row.values) <= 2:
            continue
        first, *others = points[: len(row.values)]
        with np.errstate(all="ignore"):
            here, there = (row.numpy(first + step, *others) for step in (0.0, 1e-6))
        known = np.isfinite(here) & np.isfinite(there)
        flat = bool(known.any() and (np.abs(there - here)[known] < 1e-12).mean() > 0.75)
        assert flat == (name in FLAT), name
        rows += 1
    assert rows > 30


@pytest.mark.parametrize(("weight", "told"), [("1", 0), ("0", 1), ("0 * 3", 1), ("step", 0)])
def test_a_term_of_weight_0_trains_nothing(weight: str, told: int) -> None:
    """Beside a term behind `round` one that is left out by its weight does not count as training."""
    loss = {"round": "(round(g) - y)^2", "smooth": {"of": "(g - y)^2", "weight": weight}}
    assert len(warnings(**{**alone(""), "loss": loss})) == told


FLAT_GRADIENTS = {
    "norm(E(gradient(round(g), g.weights)))": "the gradient in 'm' reaches no weights: `round(g)` is flat",
    "E(norm(gradient(floor(2 * g), g.weights)))": "`floor(2 * g)` is flat", "E(norm(gradient(sign(g), x)))": "no gradient of `sign(g)` reaches 'x': `sign(g)` is flat",
    "E(norm(directional([round(g), ceil(g)], x, x)))": "is flat", "E(norm(gradient(round(x[0]), x)))": "is flat",
}  # fmt: skip


@pytest.mark.parametrize(("measure", "says"), FLAT_GRADIENTS.items())
def test_a_gradient_behind_what_is_flat_is_0_and_said_to_be(measure: str, says: str) -> None:
    (found,) = warnings(**alone("(g - y)^2"), measures={"m": measure})
    assert says in found


def test_a_statistic_behind_what_is_flat_is_told_of_too() -> None:
    statistic = {"gradient_norm": {"of": "(round(g) - y)^2", "weights": "g.weights"}}
    (found,) = warnings(**alone("(g - y)^2"), measures={"m": statistic})
    assert "the gradient in 'm' reaches no weights: `round(g)` is flat" in found


@pytest.mark.parametrize(
    "measure", ["norm(E(gradient(round(g) + g, g.weights)))", "E(norm(gradient(round(x[0]) * x[0], x)))", "E(round(g))"]
)
def test_where_another_way_is_steep_nothing_is_said(measure: str) -> None:
    assert not warnings(**alone("(g - y)^2"), measures={"m": measure})


def test_with_a_mode_it_is_a_gradient() -> None:
    """`q` rounds, and passes the upstream gradient on."""
    parts = {**alone("(g - y)^2"), "measures": {"m": "norm(E(gradient(q(g), g.weights)))"}}
    assert len(warnings(**parts)) == 1 and not warnings(**parts, gradient={"q": "forward_only"})

"""Steps of several updates: beside the same recursion by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.train_step import UpdateStep

PLAYERS = """
dtype: float64
task: {example: {x: "[1.0]"}}
architecture:
  a: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: ones}]}
  b: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: ones}]}
"""
TRAINING = "training: {optimizer: {sgd: {learning_rate: '0.1 / (step + 1)'}}, batch: 3, steps: 100"
MEASURES = "measures: {m: a, n: b}\n"
TURNS = f"""{PLAYERS}loss: {{d: (a - 2 * b)^2 / 2, e: (b + a)^2 / 2}}
{TRAINING}, updates: {{d: {{networks: [a], loss: [d], times: 2}}, e: {{networks: [b], loss: [e]}}}}}}
{MEASURES}"""
AT_ONCE = f"""{PLAYERS}loss: {{d: {{of: (a - 2 * b)^2 / 2, trains: a}}, e: {{of: (b + a)^2 / 2, trains: [b]}}}}
{TRAINING}}}
{MEASURES}"""


def values(compiled: Compiled) -> tuple[float, float]:
    found = compiled.evaluate()
    return float(found["m"][0]), float(found["n"][0])


@pytest.mark.parametrize("xla", [False, True])
def test_players_take_turns_as_by_hand(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Each update sees what the ones before it left; `step` in a learning rate counts whole rounds."""
    made = compiled(TURNS, xla=xla)
    made.train(100)
    a = b = 1.0
    for step in range(100):
        rate = 0.1 / (step + 1)
        for _ in range(2):
            a -= rate * (a - 2 * b)
        b -= rate * (b + a)
    np.testing.assert_allclose(values(made), (a, b), rtol=1e-12)


def test_terms_train_whom_they_name_all_at_once(compiled: Callable[..., Compiled]) -> None:
    """Within one update all weights change together, each down the terms that name its network."""
    made = compiled(AT_ONCE)
    made.train(100)
    a = b = 1.0
    for step in range(100):
        rate = 0.1 / (step + 1)
        a, b = a - rate * (a - 2 * b), b - rate * (b + a)
    np.testing.assert_allclose(values(made), (a, b), rtol=1e-12)


FRESH = """
task: {DATAexample: {x: "[1.0]", y: normal()}}
architecture: {a: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}}
loss: {l: (a - y)^2 / 2}
training: {optimizer: {sgd: {learning_rate: 1}}, batch: 4, steps: 5, updates: {u: {networks: [a], loss: [l], times: TIMES}}}
measures: {w: a, spread: E((y - a)^2)}
"""


@pytest.mark.parametrize("data", ["", "data: {train: 12, test: 8}, "])
def test_each_time_an_update_sees_other_examples(
    compiled: Callable[..., Compiled], data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of rate 1 sets the weight to the mean of its batch: no two are alike, and the first is that of the step without updates."""
    plain = compiled(
        FRESH.replace("DATA", data).replace(", updates: {u: {networks: [a], loss: [l], times: TIMES}}", "")
    )
    once, thrice = (compiled(FRESH.replace("DATA", data).replace("TIMES", n)) for n in ("1", "3"))
    seen: list[list[float]] = []
    for made in (plain, once, thrice):
        found = []
        for _ in range(3):
            made.train(1)
            found.append(float(made.evaluate()["w"][0]))
        seen.append(found)
    assert seen[0] == seen[1]
    assert not set(seen[0]) & set(seen[2])
    assert len(set(seen[2])) == 3
    places: list[Any] = []

    def told(update: UpdateStep, inputs: Any, step: Any, indices: Any, taken: Any) -> Any:
        places.append(taken.numpy())
        return finite

    finite = tf.ones([1, 1], tf.bool)
    monkeypatch.setattr(UpdateStep, "__call__", told)
    step = thrice.train_step
    for number in (2, 3):
        step._again(step.updates[0], 0, thrice.train_inputs, number, finite)
    assert [list(taken) for taken in places] == [list(range(first, first + 4)) for first in (16, 20, 24, 28)]


GAN = """
dtype: float64
task: {data: {train: 8, test: 4}, example: {x: "normal([2])", z: "normal([3])"}}
architecture:
  G: {input: z, layers: [dense: {units: 4, activation: tanh, name: one}, dense: {units: 2, name: two}]}
  D: {input: x, layers: [dense: {units: 4, activation: tanh, name: one}, dense: {units: 1, name: two}]}
loss: {critic: "logistic(1, D(x)) + logistic(-1, D(G))", fool: "logistic(1, D(G))"}
training:
  optimizer: {adam: {learning_rate: 0.01}}
  batch: 8
  steps: 30
  updates:
    D: {networks: [D], loss: [critic]}
    G: {networks: [G], loss: [fool], optimizer: {sgd: {learning_rate: 0.05, momentum: 0.5}}}
measures: {m: E(D)}
"""


def test_two_networks_are_trained_as_a_loop_by_hand_trains_them(compiled: Callable[..., Compiled]) -> None:
    """The whole finite set is the batch, so that a loop in NumPy sees the same: with Adam's and momentum's own states."""
    made = compiled(GAN, xla=True)
    lowering = made.context.lowering(made.train_inputs.keys, np.arange(8), 8, made.seeds.draws, step=0, update=0)
    x, z = (
        lowering(t_ref).tensor.numpy()[0] for t_ref in (made.program.examples[0].term, made.program.examples[1].term)
    )
    weights = {
        name: {place: v.numpy()[0] for place, v in network.weights.items()} for name, network in made.networks.items()
    }
    d, g = weights["D"], weights["G"]
    moments = {place: (np.zeros_like(v), np.zeros_like(v)) for place, v in d.items()}
    speeds = {place: np.zeros_like(v) for place, v in g.items()}

    def forward(w: Any, v: Any) -> tuple[Any, Any]:
        hidden = np.tanh(v @ w["one", "kernel"] + w["one", "bias"])
        return hidden, hidden @ w["two", "kernel"] + w["two", "bias"]

    def backward(w: Any, v: Any, hidden: Any, upstream: Any) -> tuple[dict[Any, Any], Any]:
        inner = upstream @ w["two", "kernel"].T * (1 - hidden**2)
        own = {
            ("two", "kernel"): hidden.T @ upstream, ("two", "bias"): upstream.sum(0),
            ("one", "kernel"): v.T @ inner, ("one", "bias"): inner.sum(0),
        }  # fmt: skip
        return own, inner @ w["one", "kernel"].T

    def slope(sign: int, score: Any) -> Any:
        return -sign / (1 + np.exp(sign * score)) / 8

    for step in range(30):
        hidden_x, real = forward(d, x)
        made_up = forward(g, z)[1]
        hidden_g, fake = forward(d, made_up)
        one, two = backward(d, x, hidden_x, slope(1, real))[0], backward(d, made_up, hidden_g, slope(-1, fake))[0]
        for place in d:
            gradient, (m, v) = one[place] + two[place], moments[place]
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            rate = 0.01 * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            d[place] = d[place] - rate * m / (np.sqrt(v) + 1e-7)
        hidden, made_up = forward(g, z)
        hidden_g, fake = forward(d, made_up)
        upstream = backward(d, made_up, hidden_g, slope(1, fake))[1]
        for place, gradient in backward(g, z, hidden, upstream)[0].items():
            speeds[place] = 0.5 * speeds[place] - 0.05 * gradient
            g[place] = g[place] + speeds[place]
    made.train(30)
    for name, network in made.networks.items():
        for place, variable in network.weights.items():
            np.testing.assert_allclose(variable.numpy()[0], weights[name][place], rtol=1e-9, err_msg=f"{name} {place}")


GAME = """
dtype: float64
architecture: {x: {parameter: [], initializer: 1}, y: {parameter: [], initializer: 1}}
loss: {down: LOSS}
training: {optimizer: OPTIMIZER, batch: 1, steps: 100UPDATES}
measures: {m: x, n: y}
"""
SIMULTANEOUS = 'down: {of: x * y, trains: x}, up: {of: "-x * y", trains: y}'
IN_TURN = 'down: x * y, up: "-x * y"'


def game(loss: str, optimizer: str, updates: str = "") -> str:
    return GAME.replace("down: LOSS", loss).replace("OPTIMIZER", optimizer).replace("UPDATES", updates)


@pytest.mark.parametrize("xla", [False, True])
def test_a_bilinear_game_diverges_at_once_and_turns_about_in_turn(compiled: Callable[..., Compiled], xla: bool) -> None:
    """x y: gradient descent of both at once leaves the equilibrium, its distance grows by √(1 + η²) a step; in turn it stays at a distance."""
    rate = 0.2
    at_once = compiled(game(SIMULTANEOUS, f"{{sgd: {rate}}}"), xla=xla)
    updates = ", updates: {one: {networks: [x], loss: [down]}, two: {networks: [y], loss: [up]}}"
    in_turn = compiled(game(IN_TURN, f"{{sgd: {rate}}}", updates), xla=xla)
    most = 0.0
    for step in range(1, 101):
        at_once.train(1)
        in_turn.train(1)
        np.testing.assert_allclose(np.hypot(*values(at_once)), 2**0.5 * (1 + rate**2) ** (step / 2), rtol=1e-10)
        most = max(most, float(np.hypot(*values(in_turn))))
    assert np.hypot(*values(at_once)) > 10
    assert most < 1.7  # x² - η x y + y² is the same after every round
    x, y = values(in_turn)
    np.testing.assert_allclose(x**2 - rate * x * y + y**2, 2 - rate, rtol=1e-10)


def test_players_at_once_have_optimisers_of_their_own(compiled: Callable[..., Compiled]) -> None:
    """A map from network to optimiser: one with momentum beside Adam, as by hand in NumPy over 100 steps."""
    made = compiled(
        game(SIMULTANEOUS, "{x: {sgd: {learning_rate: 0.05, momentum: 0.5}}, y: {adam: {learning_rate: 0.1}}}")
    )
    made.train(100)
    x = y = 1.0
    speed = first = second = 0.0
    for step in range(1, 101):
        down, up = y, -x
        speed = 0.5 * speed - 0.05 * down
        first, second = 0.9 * first + 0.1 * up, 0.999 * second + 0.001 * up**2
        corrected = 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        x, y = x + speed, y - corrected * first / (np.sqrt(second) + 1e-7)
    np.testing.assert_allclose(values(made), (x, y), rtol=1e-9)

"""Optimisers: replicates side by side move as Keras' own optimiser moves each of them alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.tables.optimizers import OPTIMIZERS

STEPS, BATCH = 4, 8
BODY = """
dtype: {dtype}
task:
  draw: {{t: "normal([3])"}}
  example: {{x: "normal([3])"}}
architecture:
  f: {{input: x, layers: [{{dense: {{units: 3, kernel_initializer: "normal(0, 1)"}}}}]}}
loss: {{square: "sum((f - t) ^ 2)"}}
training: {{optimizer: {optimizer}, batch: 8, steps: 4, evaluate: {{examples: 5}}}}
measures: {{m: E(f), w: "f.dense.kernel"}}
replicates: 3
"""
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "sgd": [
        {"learning_rate": 0.125},
        {"learning_rate": 0.125, "momentum": 0.75},
        {"learning_rate": 0.125, "momentum": 0.5, "nesterov": True},
    ],
    "adam": [
        {},
        {"learning_rate": 0.25, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125},
        {"amsgrad": True},
        {"clipvalue": 0.25},
    ],
    "adamw": [{}, {"learning_rate": 0.125, "weight_decay": 0.5}],
    "rmsprop": [{}, {"rho": 0.5, "momentum": 0.5, "centered": True}],
    "adagrad": [{"learning_rate": 0.5, "initial_accumulator_value": 0.25}],
    "adadelta": [{"learning_rate": 1.0}],
    "adamax": [{"learning_rate": 0.25}],
    "nadam": [{"learning_rate": 0.25}],
    "lion": [{"learning_rate": 0.0625, "beta_1": 0.5}],
    "lamb": [{"learning_rate": 0.0625}],
}
MIXED: list[tuple[str, dict[str, Any]]] = [
    ("adam", {"clipnorm": 0.125}), ("sgd", {"learning_rate": 0.125, "global_clipnorm": 0.25}),
]  # fmt: skip
CASES = [(name, given) for name, many in ARGUMENTS.items() for given in many] + MIXED


def written(name: str, given: dict[str, Any]) -> str:
    """The optimiser as the document writes it."""
    return f"{{{name}: {{{', '.join(f'{key}: {str(value).lower()}' for key, value in given.items())}}}}}"


def inputs(held: Compiled) -> np.ndarray[Any, Any]:
    """The inputs of all steps: [R, STEPS · B, 3]."""
    lowering = held.context.lowering(
        held.seeds.keys["train"], tf.range(STEPS * BATCH, dtype=tf.int64), STEPS * BATCH, held.seeds.draws
    )
    return np.asarray(lowering(held.context.bindings["x"]).tensor.numpy())


def side_by_side(cases: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """One experiment with a network, a term of the loss and an optimiser for each case: f_0, f_1, …"""
    text = BODY.format(dtype="float64", optimizer="{OPTIMIZERS}")
    start, end = text.index("architecture:"), text.index("training:")
    names = [f"f_{place}" for place in range(len(cases))]
    layers = 'input: x, layers: [{dense: {units: 3, kernel_initializer: "normal(0, 1)"}}]'
    networks = ", ".join(f"{name}: {{{layers}}}" for name in names)
    losses = ", ".join(f'{name}: "sum(({name} - t) ^ 2)"' for name in names)
    optimizers = ", ".join(f"{name}: {written(*case)}" for name, case in zip(names, cases, strict=True))
    text = f"{text[:start]}architecture: {{{networks}}}\nloss: {{{losses}}}\n{text[end:]}"
    return text.replace("OPTIMIZERS", optimizers).replace('{m: E(f), w: "f.dense.kernel"}', "{m: E(f_0)}")


def alone(optimizer: Any, held: Compiled, replicate: int, network: str) -> list[dict[str, Any]]:
    """Kernel and bias after each step of the plain Keras optimiser, with gradients by hand."""
    x, target = inputs(held)[replicate], held.seeds.draws["t"].numpy()[replicate]
    start = {name: variable.numpy()[replicate] for (_, name), variable in held.networks[network].weights.items()}
    variables = {name: keras.Variable(value, dtype="float64") for name, value in start.items()}
    optimizer.build(list(variables.values()))
    path = []
    for step in range(STEPS):
        batch = x[step * BATCH : (step + 1) * BATCH]
        kernel, bias = (variables[name].value.numpy() for name in ("kernel", "bias"))
        upstream = 2 * (batch @ kernel + bias - target) / BATCH
        slopes = {"kernel": batch.T @ upstream, "bias": upstream.sum(axis=0)}
        optimizer.apply([tf.constant(slopes[name]) for name in variables], list(variables.values()))
        path.append({name: variable.value.numpy() for name, variable in variables.items()})
    return path


def test_every_optimiser_of_the_table_has_a_case() -> None:
    assert ARGUMENTS.keys() == OPTIMIZERS.keys()


def mixes(name: str, given: dict[str, Any]) -> bool:
    return name == "lamb" or "clipnorm" in given or "global_clipnorm" in given


@pytest.mark.parametrize("mixing", [False, True], ids=["together", "one by one"])
def test_stacked_replicates_move_as_each_would_alone(program: Callable[[str], Any], mixing: bool) -> None:
    cases = [case for case in CASES if mixes(*case) == mixing]
    plan = program(side_by_side(cases))
    groups = [list(batch.numbers) for batch in split_into_batches(CellRequest.of(plan, "cpu"), range(3))]
    assert groups == ([[0], [1], [2]] if mixing else [[0, 1, 2]])
    held = Compiled(plan, groups[0], False)
    for group in groups:
        held.begin(plan, group)
        paths = {}
        for network, (name, given) in zip(held.networks, cases, strict=True):
            made = getattr(keras.optimizers, OPTIMIZERS[name].keras)
            paths[network] = [alone(made(**given), held, place, network) for place in range(len(group))]
        start = {name: network.weights["dense_1", "kernel"].numpy() for name, network in held.networks.items()}
        for step in range(STEPS):
            held.train(1)
            for (network, path), case in zip(paths.items(), cases, strict=True):
                for (_, weight), variable in held.networks[network].weights.items():
                    expected = np.stack([alone[step][weight] for alone in path])
                    np.testing.assert_allclose(
                        variable.numpy(),
                        expected,
                        rtol=1e-4,  # plain Keras takes 0.999 for a float32; to the last digits NumPy has it below
                        atol=1e-5,
                        err_msg=f"{case}: {weight} at step {step + 1}",
                    )
        for (name, network), case in zip(held.networks.items(), cases, strict=True):
            moved = np.abs(start[name] - network.weights["dense_1", "kernel"].numpy()) > 1e-7
            assert moved.mean() > 0.7, case


def test_xla_moves_the_same(compiled: Callable[..., Compiled]) -> None:
    text, ends = side_by_side([(name, {"learning_rate": 0.125}) for name in ("adam", "rmsprop")]), []
    for xla in (False, True):
        held = compiled(text, 3, xla)
        start = [network.weights["dense_1", "kernel"].numpy() for network in held.networks.values()]
        held.train(STEPS)
        ends.append([network.weights["dense_1", "kernel"].numpy() for network in held.networks.values()])
        assert len(start) == 2 and not any(map(np.array_equal, start, ends[-1]))
    for graph, own in zip(*ends, strict=True):
        np.testing.assert_allclose(own, graph, rtol=1e-10)


def test_a_learning_rate_may_use_the_step(compiled: Callable[..., Compiled]) -> None:
    held = compiled(
        BODY.format(dtype="float64", optimizer='{sgd: {learning_rate: "0.5 / (1 + step) if step < 2 else 0"}}'), 2
    )
    rates = iter([0.5, 0.25, 0.0, 0.0])
    x, target = inputs(held), held.seeds.draws["t"].numpy()
    for step in range(STEPS):
        w = {name: variable.numpy() for (_, name), variable in held.networks["f"].weights.items()}
        batch = x[:, step * BATCH : (step + 1) * BATCH]
        upstream = 2 * (np.einsum("rbi,rij->rbj", batch, w["kernel"]) + w["bias"][:, None] - target[:, None]) / BATCH
        held.train(1)
        expected = w["kernel"] - next(rates) * np.einsum("rbi,rbj->rij", batch, upstream)
        np.testing.assert_allclose(
            held.networks["f"].weights["dense_1", "kernel"].numpy(), expected, rtol=1e-6, atol=1e-12
        )


def test_each_network_may_have_an_optimiser_of_its_own(compiled: Callable[..., Compiled]) -> None:
    text = (
        BODY.format(dtype="float64", optimizer="{f: {sgd: 0.125}, g: {sgd: 0}}")
        .replace('loss: {square: "sum((f - t) ^ 2)"}', 'loss: {square: "sum((f + g - t) ^ 2)"}')
        .replace("architecture:", "architecture:\n  g: {input: x, layers: [{dense: 3}]}")
    )
    held = compiled(text, 2)
    before = {name: network.weights["dense_1", "kernel"].numpy() for name, network in held.networks.items()}
    held.train(1)
    after = {name: network.weights["dense_1", "kernel"].numpy() for name, network in held.networks.items()}
    np.testing.assert_array_equal(before["g"], after["g"])
    assert (before["f"] != after["f"]).all()


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_measures_see_the_moving_average_and_the_loss_does_not(compiled: Callable[..., Compiled], xla: bool) -> None:
    plain = compiled(BODY.format(dtype="float64", optimizer="{sgd: {learning_rate: 0.125}}"), 2, xla)
    held = compiled(
        BODY.format(dtype="float64", optimizer="{sgd: {learning_rate: 0.125, use_ema: true, ema_momentum: 0.75}}"),
        2,
        xla,
    )
    kernel = held.networks["f"].weights["dense_1", "kernel"]
    average = None
    np.testing.assert_allclose(held.evaluate()["w"], kernel.numpy())
    for _ in range(3):
        held.train(1)
        plain.train(1)
        np.testing.assert_allclose(kernel.numpy(), plain.networks["f"].weights["dense_1", "kernel"].numpy(), rtol=1e-12)
        average = kernel.numpy() if average is None else 0.75 * average + 0.25 * kernel.numpy()
        np.testing.assert_allclose(held.evaluate()["w"], average, rtol=1e-7)
    assert not np.allclose(held.evaluate()["m"], plain.evaluate()["m"])


@pytest.mark.parametrize(("name", "xla"), [("sgd", False), ("adam", True)])
def test_an_undefined_gradient_is_not_clipped_to_the_limit(
    compiled: Callable[..., Compiled], name: str, xla: bool
) -> None:
    """The weights become undefined, and so the replicate is told as diverged: elsewhere they move by the limit."""
    held = compiled(BODY.format(dtype="float64", optimizer=written(name, {"clipvalue": 0.25})), 3, xla)
    ((_, group),) = held.train_step.optimizers[0].groups.values()
    wrong = np.asarray([True, False, True])
    given = [
        tf.constant(np.where(wrong.reshape([3] + [1] * (len(v.shape) - 1)), np.nan, np.ones(v.shape))) for v in group
    ]
    tf.function(lambda: held.train_step.optimizers[0].update([given], 1), jit_compile=xla, autograph=False)()
    for variable in group:
        undefined = np.isnan(variable.numpy().reshape(3, -1))
        assert (undefined == wrong[:, None]).all()


class ByHand:
    """One weight w under the loss w², step after step in NumPy: a rule a row, with the arguments that are no power of a half."""

    def __init__(self) -> None:
        self.w, self.m, self.v, self.kept, self.t = 1.0, 0.0, 0.0, 1.0, 0

    def moments(self, g: float) -> None:
        self.m, self.v = 0.9 * self.m + (1 - 0.9) * g, 0.999 * self.v + (1 - 0.999) * g**2

    def sgd(self, g: float) -> float:
        self.m = 0.9 * self.m - 0.1 * g
        return 0.9 * self.m - 0.1 * g

    def adam(self, g: float) -> float:
        self.moments(g)
        return -0.1 * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t) * self.m / (np.sqrt(self.v) + 1e-7)

    def adamw(self, g: float) -> float:
        self.w -= self.w * 0.3 * 0.1
        return self.adam(g)

    def rmsprop(self, g: float) -> float:
        self.v, self.m = 0.9 * self.v + (1 - 0.9) * g**2, 0.9 * self.m + (1 - 0.9) * g
        return -0.1 * g / np.sqrt(self.v - self.m**2 + 1e-7)

    def adagrad(self, g: float) -> float:
        self.v += g**2 if self.t > 1 else 0.1 + g**2
        return -0.1 * g / np.sqrt(self.v + 1e-7)

    def adadelta(self, g: float) -> float:
        self.v = 0.95 * self.v + (1 - 0.95) * g**2
        delta = -np.sqrt(self.m + 1e-7) * g / np.sqrt(self.v + 1e-7)
        self.m = 0.95 * self.m + (1 - 0.95) * delta**2
        return 0.1 * delta

    def adamax(self, g: float) -> float:
        self.m, self.v = 0.9 * self.m + (1 - 0.9) * g, max(0.999 * self.v, abs(g))
        return -0.1 * self.m / ((1 - 0.9**self.t) * (self.v + 1e-7))

    def nadam(self, g: float) -> float:
        self.moments(g)
        now, following = (0.9 * (1 - 0.5 * 0.96**t) for t in (self.t, self.t + 1))
        self.kept *= now
        ahead = following * self.m / (1 - self.kept * following) + (1 - now) * g / (1 - self.kept)
        return -0.1 * ahead / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-7)

    def lion(self, g: float) -> float:
        step = -0.1 * np.sign(0.9 * self.m + (1 - 0.9) * g)
        self.m = 0.99 * self.m + (1 - 0.99) * g
        return step

    def lamb(self, g: float) -> float:
        self.moments(g)
        r = self.m / (1 - 0.9**self.t) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-7)
        return -0.1 * abs(self.w) / abs(r) * r


OF_ONE_WEIGHT = {
    "sgd": "momentum: 0.9, nesterov: true, ",
    "adamw": "weight_decay: 0.3, ",
    "rmsprop": "centered: true, ",
}
KERAS_OWN = {"nadam": 1e-7}
"""Where Keras writes a number into its code, which it rounds to float32 whatever the type is: the 0.96 of Nadam."""


def test_in_float64_every_optimiser_is_numpys_to_the_last_digits(compiled: Callable[..., Compiled]) -> None:
    """Keras holds rates in float32, and takes 0.999 for 0.999000013: Adam's first step was off by 7e-6 of itself."""
    layers = "[{dense: {units: 1, use_bias: false, kernel_initializer: ones}}]"
    asked = (f"f_{name}: {{{name}: {{{OF_ONE_WEIGHT.get(name, '')}learning_rate: 0.1}}}}" for name in OPTIMIZERS)
    held = compiled(f"""
dtype: float64
task: {{example: {{x: "0 * normal([1]) + 1"}}}}
architecture: {{{", ".join(f"f_{name}: {{input: x, layers: {layers}}}" for name in OPTIMIZERS)}}}
loss: {{{", ".join(f"l_{name}: f_{name}^2" for name in OPTIMIZERS)}}}
training: {{optimizer: {{{", ".join(asked)}}}, batch: 2, steps: 3}}
measures: {{m: E(f_sgd)}}
""")  # fmt: skip
    by_hand = {name: ByHand() for name in OPTIMIZERS}
    for _ in range(3):
        held.train(1)
        for name, one in by_hand.items():
            one.t, g = one.t + 1, 2 * one.w
            step = getattr(one, name)(g)
            one.w += step
            found = held.networks[f"f_{name}"].weights["dense_1", "kernel"].numpy().item()
            assert found == pytest.approx(one.w, rel=KERAS_OWN.get(name, 1e-13), abs=0), (name, one.t)

"""Gradient modes: the forward values never change, and each backward pass is that of NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Lowering, Training
from dlspec.interpreter.lower.backward_modes import TRANSFERS, with_backward_mode
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Mode, Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.trained_weights import trained
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES, GradientMode

BATCH, RATE = 8, 0.5

# One SGD step of rate RATE from known weights shows the averaged gradient.
STAIRCASE = "floor_to(r, [-1, -0.5, 0, 0.5, 1])"
BODY = """
dtype: float64
functions: {{{functions}}}
task:
  example:
    x: normal([3])
    y: normal()
architecture: {{{networks}}}
outputs: {{{outputs}}}
loss: {{{losses}}}
gradient: {{{gradient}}}
training: {{optimizer: {{sgd: 0.5}}, batch: 8, steps: 3, evaluate: {{examples: 20}}}}
measures: {{m: E(y)}}
replicates: 2
"""
HIDDEN = '{dense: {units: 4, activation: tanh, kernel_initializer: "normal(0, 0.7)", name: hidden}}, '


@dataclass(frozen=True)
class Case:
    """A way from a score f to the loss (guess - y)^2, with functions u and smooth, and the gradient modes on it."""

    guess: str
    gradient: str = ""
    u: str = STAIRCASE
    hidden: str = HIDDEN


def study(cases: Sequence[Case]) -> str:
    """A study with a network, its functions and a term of the loss for each case: the names end in the case's place."""

    def numbered(text: str, place: int) -> str:
        return re.sub(r"\b(f|u|smooth)\b", rf"\g<1>{place}", text)

    functions, networks, outputs, losses, modes = [], [], [], [], []
    for place, case in enumerate(cases):
        functions += [f'u{place}(r): "{case.u}"', f'smooth{place}(r): "r ^ 3 / 9"']
        networks.append(f"f{place}: {{input: x, layers: [{case.hidden}{{dense: {{units: 1, name: top}}}}]}}")
        outputs.append(f'guess{place}: "{numbered(case.guess, place)}"')
        losses.append(f'squared{place}: "(guess{place} - y)^2"')
        modes += [numbered(case.gradient, place)] if case.gradient else []
    parts = {"functions": functions, "networks": networks, "outputs": outputs, "losses": losses, "gradient": modes}
    return BODY.format(**{name: ", ".join(texts) for name, texts in parts.items()})


def examples(held: Compiled, count: int = BATCH) -> dict[str, np.ndarray[Any, Any]]:
    """The first training examples: [R, B, …]."""
    lowering = held.context.lowering(held.seeds.keys["train"], tf.range(count, dtype=tf.int64), count, held.seeds.draws)
    return {item.name: lowering(item.term).tensor.numpy() for item in held.program.examples}


def weights(held: Compiled, network: str = "f0") -> dict[str, np.ndarray[Any, Any]]:
    """A network's weights by name: [R, …]."""
    return {f"{layer}.{name}": variable.numpy() for (layer, name), variable in held.networks[network].weights.items()}


@dataclass(frozen=True)
class Step:
    """The first step of training: its examples, a network's weights before it, and the averaged gradient by what it did to them."""

    given: dict[str, np.ndarray[Any, Any]]
    weights: dict[str, np.ndarray[Any, Any]]
    gradient: dict[str, np.ndarray[Any, Any]]


def first_steps(held: Compiled) -> list[Step]:
    """The first step as each of the networks sees it, in their order."""
    given, before = examples(held), [weights(held, network) for network in held.networks]
    held.train(1)
    after = [weights(held, network) for network in held.networks]
    return [
        Step(given, old, {name: (old[name] - new[name]) / RATE for name in old})
        for old, new in zip(before, after, strict=True)
    ]


def floor_to(r: Any) -> Any:
    steps = np.asarray([-1, -0.5, 0, 0.5, 1])
    return steps[np.maximum(np.searchsorted(steps, r, side="right") - 1, 0)]


def forward(w: dict[str, Any], x: Any) -> tuple[Any, Any]:
    """The hidden units and the score: [R, B, 4], [R, B]."""
    hidden = np.tanh(np.einsum("rbi,rij->rbj", x, w["hidden.kernel"]) + w["hidden.bias"][:, None])
    return hidden, np.einsum("rbj,rj->rb", hidden, w["top.kernel"][..., 0]) + w["top.bias"]


def backward(
    w: dict[str, Any], x: Any, message: Any, hidden_message: Callable[[Any], Any] = lambda m: m
) -> dict[str, Any]:
    """The averaged gradient that a message [R, B] at the score makes; what reaches the hidden units may be changed."""
    hidden, _ = forward(w, x)
    below = hidden_message(message[..., None] * w["top.kernel"][:, None, :, 0]) * (1 - hidden**2)
    return {
        "top.kernel": np.einsum("rb,rbj->rj", message, hidden)[..., None] / BATCH,
        "top.bias": message.mean(axis=1, keepdims=True),
        "hidden.kernel": np.einsum("rbj,rbi->rij", below, x) / BATCH,
        "hidden.bias": below.mean(axis=1),
    }


def close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


def written(row: GradientMode) -> str:
    """A mode as a study writes it."""
    value = "tanh(r)" if row.takes_expression else "0.1" if row.takes_constant else None
    return row.name if value is None else f"{{{row.name}: {value}}}"


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_forward_values_are_the_same_to_the_bit_under_every_mode(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Every mode on every target, each in a network of the same weights: the terms of the loss, where gradients are taken."""
    targets = {"u": "function", "f": "network", "f.hidden": "layer"}
    modes = {kind: [row for row in GRADIENT_MODES.values() if kind in row.targets] for kind in targets.values()}
    # What passes to an input needs one of the output's shape, which the network and its layer have not.
    entries = [(to, row) for to, kind in targets.items() for row in modes[kind] if to == "u" or row.route != "carrier"]
    held = compiled(study([Case("u(f) + f", f"{to}: {written(row)}") for to, row in entries]), 2)
    for network in held.networks.values():
        for place, variable in network.weights.items():
            variable.assign(held.networks["f0"].weights[place])

    @tf.function(jit_compile=xla, autograph=False)
    def run(keys: Any) -> Any:
        index = tf.range(BATCH, dtype=tf.int64)
        training = Training(lambda *_: None, index)
        lowering = held.context.lowering(keys, index, BATCH, held.seeds.draws, step=tf.constant(0), training=training)
        return held.context.losses(lowering, held.program.loss)

    first, *others = (values.numpy() for values in run(held.seeds.keys["train"]))
    assert len(others) == len(entries) - 1
    assert np.unique(first).size == 2 * BATCH
    for values in others:
        np.testing.assert_array_equal(values, first)


PASSING = [row for row in GRADIENT_MODES.values() if row.route != "nowhere"]


def test_each_row_that_passes_a_gradient_on_has_a_transfer_and_each_transfer_a_row() -> None:
    assert TRANSFERS.keys() == {row.name for row in PASSING}


CLOSED_FORMS: dict[str, Callable[[Any, float], Any]] = {
    **dict.fromkeys(("exact", "freeze", "forward_only", "surrogate"), lambda upstream, _: upstream),
    "scale": lambda upstream, factor: upstream * factor,
    "clip": lambda upstream, limit: np.clip(upstream, -limit, limit),
}
"""Each transfer in NumPy."""


@pytest.mark.parametrize("row", PASSING, ids=lambda row: row.name)
def test_a_transfer_is_its_closed_form(row: GradientMode) -> None:
    upstream = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    upstream[0, 0] = [0, np.nan, np.inf]
    passed = TRANSFERS[row.name](tf.constant(upstream), 0.25 if row.takes_constant else None)
    assert (passed.dtype, passed.shape) == (tf.float32, upstream.shape)
    np.testing.assert_array_equal(passed.numpy(), CLOSED_FORMS[row.name](upstream, 0.25))


@pytest.mark.parametrize("row", PASSING, ids=lambda row: row.name)
def test_a_transfer_that_is_averaged_before_is_linear(row: GradientMode) -> None:
    """Else the row says `per_example`, and the batch is averaged behind it."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 5, 3))
    constant = 0.25 if row.takes_constant else None

    def passed(upstream: Any) -> Any:
        return TRANSFERS[row.name](tf.constant(upstream), constant).numpy()

    linear = np.allclose(passed(first + 2 * second), passed(first) + 2 * passed(second), rtol=1e-12)
    assert linear == (not row.per_example)


@pytest.mark.parametrize("row", PASSING, ids=lambda row: row.name)
def test_a_transfer_costs_what_its_graph_has(row: GradientMode, counted: Callable[..., int]) -> None:
    constant = 0.25 if row.takes_constant else None
    transfer = tf.function(lambda upstream: TRANSFERS[row.name](upstream, constant), autograph=False)
    assert counted(transfer.get_concrete_function(tf.TensorSpec((5, 3)))) == row.backward_flops * 15


# Every mode fits every target here: inputs and outputs are of one shape.
ROWS_BODY = """
dtype: float64
functions: {{u(r): tanh(r), v(r): 2 * r}}
task: {{example: {{x: "normal([3])", y: normal()}}}}
architecture:
  f:
    input: x
    layers: [{{dense: {{units: 3, activation: tanh, name: hidden}}}}, {{dense: {{units: 3, name: top}}}}]
  g: {{input: u(f), layers: [{{dense: {{units: 3, name: only}}}}, v]}}
outputs: {{guess: sum(g)}}
loss: {{squared: "(guess - y)^2"}}
{gradient}
training: {{optimizer: {{sgd: 0.5}}, batch: 8, steps: 3}}
measures: {{error: E((guess - y)^2)}}
"""
KINDS = {
    "u": "function",
    "f": "network",
    "g": "network",
    "f.hidden": "layer",
    "f.top": "layer",
    "g.only": "layer",
    "g.apply": "layer",
}
ROWS = [(row, target) for target, kind in KINDS.items() for row in GRADIENT_MODES.values() if kind in row.targets]


def given(row: GradientMode, target: str) -> str:
    """A mode on a target, as the study writes it."""
    return f"gradient: {{{target}: {written(row)}}}"


@pytest.fixture(scope="module")
def without_modes(compiled: Callable[..., Compiled]) -> Any:
    return values_and_gradients(compiled(ROWS_BODY.format(gradient="")))[0]


def values_and_gradients(held: Compiled) -> tuple[Any, set[tuple[str, str, str]]]:
    """The losses of a batch, and the weights that a gradient comes to: network, layer, name."""
    index = tf.range(BATCH, dtype=tf.int64)
    weights = {
        (network, *place): variable.value
        for network, own in held.networks.items()
        for place, variable in own.weights.items()
    }
    with tf.GradientTape() as tape:
        tape.watch(list(weights.values()))
        training = Training(lambda *_: None, index)
        lowering = held.context.lowering(
            held.seeds.keys["train"], index, BATCH, held.seeds.draws, step=tf.constant(0), training=training
        )
        (losses,) = held.context.losses(lowering, held.program.loss)
    gradients = tape.gradient(losses, weights)
    return losses.numpy(), {place for place, value in gradients.items() if value is not None and np.any(value.numpy())}


@pytest.mark.parametrize(("row", "target"), ROWS, ids=[f"{row.name}-{target}" for row, target in ROWS])
def test_what_a_row_says_is_what_the_backward_pass_does(
    compiled: Callable[..., Compiled], executed: Callable[..., int], without_modes: Any, row: GradientMode, target: str
) -> None:
    """Forward values stay as they are to the bit, gradients come to the weights that are trained, and a step costs its operations."""
    held = compiled(ROWS_BODY.format(gradient=given(row, target)))
    values, reached = values_and_gradients(held)
    np.testing.assert_array_equal(values, without_modes)
    assert reached == trained(held.program)
    # Sums over a batch count one addition too many or too few: less than one operation for each entry of a gradient.
    assert executed(held.program) == pytest.approx(cost(held.program).step, abs=30)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "stop": lambda m: 0 * m,
    "{scale: 3}": lambda m: 3 * m,
    "{scale: -0.3}": lambda m: -0.3 * m,
    "{clip: 0.3}": lambda m: np.clip(m, -0.3, 0.3),
}
"""What modes do to a message."""
LAYER_CHANGES: dict[str, Callable[[Any], Any]] = {
    "stop": lambda m: 0 * m,
    "{scale: 2}": lambda m: 2 * m,
    "{clip: 0.05}": lambda m: np.clip(m, -0.05, 0.05),
}
SIGNS = ["1 if r >= 0 else -1", "1.0 if r >= 0 else -1.0", "r >= 0"]
IN_BOTH_FORMS = {
    "forward only": Case("u(f)", "u: forward_only"),
    "surrogate": Case("u(f)", "u: {surrogate: tanh(2 * r) + r ^ 2}"),
    **{values: Case("2 * u(f) - 1", "u: forward_only", values) for values in SIGNS},
}
AS_A_GRAPH = {
    "exact": Case("f"),
    "staircase": Case("u(f)"),
    "isotron": Case("u(f)", "u: forward_only", hidden=""),
    **{f"f: {mode}": Case("f", f"f: {mode}") for mode in CHANGES},
    **{f"smooth: {mode}": Case("smooth(f)", f"smooth: {mode}") for mode in CHANGES},
    **{f"f.hidden: {mode}": Case("f", f"f.hidden: {mode}") for mode in LAYER_CHANGES},
    "all frozen": Case("f", "f: freeze"),
    "top frozen": Case("f", "f.top: freeze"),
    "stopped factor": Case("f * stop(f)"),
}


@pytest.fixture(scope="module")
def steps(compiled: Callable[..., Compiled]) -> dict[bool, dict[str, Step]]:
    """The first step of each case by name, in the plain graph and under XLA: one compiled program a form."""
    by_form = {False: IN_BOTH_FORMS | AS_A_GRAPH, True: IN_BOTH_FORMS}
    return {
        xla: dict(zip(cases, first_steps(compiled(study(list(cases.values())), 2, xla)), strict=True))
        for xla, cases in by_form.items()
    }


FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
Steps = dict[bool, dict[str, Step]]


def test_exact_is_the_derivative(steps: Steps) -> None:
    step = steps[False]["exact"]
    _, score = forward(step.weights, step.given["x"])
    close(step.gradient, backward(step.weights, step.given["x"], 2 * (score - step.given["y"])))


def test_a_staircase_has_no_gradient(steps: Steps) -> None:
    assert all((value == 0).all() for value in steps[False]["staircase"].gradient.values())


@FORMS
def test_forward_only_passes_the_message_as_it_is(steps: Steps, xla: bool) -> None:
    step = steps[xla]["forward only"]
    _, score = forward(step.weights, step.given["x"])
    close(step.gradient, backward(step.weights, step.given["x"], 2 * (floor_to(score) - step.given["y"])))


@FORMS
@pytest.mark.parametrize("values", SIGNS)
def test_a_function_of_ints_passes_the_message_as_one_of_reals(steps: Steps, xla: bool, values: str) -> None:
    """Behind it stand operations of ints: were its value an int, no gradient would come back through them."""
    step = steps[xla][values]
    low = 0 if values == "r >= 0" else -1
    guess = 2 * np.where(forward(step.weights, step.given["x"])[1] >= 0, 1, low) - 1
    close(step.gradient, backward(step.weights, step.given["x"], 2 * 2 * (guess - step.given["y"])))


def test_forward_only_on_a_linear_score_is_the_isotron(steps: Steps) -> None:
    """mean((u(w · x) - y) x) times 2, the loss being (u - y)²."""
    step = steps[False]["isotron"]
    x, w = step.given["x"], step.weights["top.kernel"][..., 0]
    gap = floor_to(np.einsum("rbi,ri->rb", x, w)) - step.given["y"]
    np.testing.assert_allclose(step.gradient["top.kernel"][..., 0], 2 * np.mean(gap[..., None] * x, axis=1), rtol=1e-10)
    np.testing.assert_allclose(step.gradient["top.bias"][..., 0], 2 * gap.mean(axis=1), rtol=1e-10)


@FORMS
def test_a_surrogate_is_hard_forwards_and_soft_backwards(steps: Steps, xla: bool) -> None:
    step = steps[xla]["surrogate"]
    _, score = forward(step.weights, step.given["x"])
    slope = 2 * (1 - np.tanh(2 * score) ** 2) + 2 * score
    close(step.gradient, backward(step.weights, step.given["x"], 2 * (floor_to(score) - step.given["y"]) * slope))


@pytest.mark.parametrize("mode", CHANGES)
def test_messages_are_changed_per_example_before_averaging(steps: Steps, mode: str) -> None:
    for target in ("f", "smooth"):
        step = steps[False][f"{target}: {mode}"]
        _, score = forward(step.weights, step.given["x"])
        guess, slope = (score, 1) if target == "f" else (score**3 / 9, score**2 / 3)
        message = CHANGES[mode](2 * (guess - step.given["y"])) * slope
        assert mode == "stop" or (np.abs(2 * (guess - step.given["y"])) > 0.3).any()
        close(step.gradient, backward(step.weights, step.given["x"], message))


@pytest.mark.parametrize("mode", LAYER_CHANGES)
def test_a_layers_mode_changes_what_it_and_those_below_get(steps: Steps, mode: str) -> None:
    step = steps[False][f"f.hidden: {mode}"]
    _, score = forward(step.weights, step.given["x"])
    message = 2 * (score - step.given["y"])
    close(step.gradient, backward(step.weights, step.given["x"], message, LAYER_CHANGES[mode]))


def test_freezing_keeps_weights_and_lets_messages_pass(steps: Steps) -> None:
    assert all((value == 0).all() for value in steps[False]["all frozen"].gradient.values())
    step = steps[False]["top frozen"]
    _, score = forward(step.weights, step.given["x"])
    expected = backward(step.weights, step.given["x"], 2 * (score - step.given["y"]))
    close(step.gradient, expected | {name: 0 * value for name, value in expected.items() if name.startswith("top")})


def test_stop_as_an_operation(steps: Steps) -> None:
    step = steps[False]["stopped factor"]
    _, score = forward(step.weights, step.given["x"])
    close(step.gradient, backward(step.weights, step.given["x"], 2 * (score**2 - step.given["y"]) * score))


SLOPES: dict[str, Callable[[Any], Any]] = {
    "forward_only": lambda s: 1 + 0 * s,
    "{surrogate: a ^ 3}": lambda s: 3 * s**2,
    "{scale: 2}": lambda s: 0 * s,
}
"""What a mode on sign passes for the derivative."""
CHAIN = """
dtype: float64
functions: {bend(a): tanh(a) * W, hard0(a): sign(a), hard1(a): sign(a), hard2(a): sign(a)}
task:
  draw: {W: normal()}
  example: {x: "normal([2, 3])", y: normal()}
architecture:
  f0: {input: x, each: 2, layers: [{dense: 3}, bend, hard0, {dense: 1}]}
  f1: {input: x, each: 2, layers: [{dense: 3}, bend, hard1, {dense: 1}]}
  f2: {input: x, each: 2, layers: [{dense: 3}, bend, hard2, {dense: 1}]}
loss: {first: (sum(f0) - y)^2, second: (sum(f1) - y)^2, third: (sum(f2) - y)^2}
training: {optimizer: {sgd: 0.5}, batch: 8, steps: 3}
measures: {m: E(y)}
"""


def test_functions_as_layers_under_each_have_their_mode(compiled: Callable[..., Compiled]) -> None:
    modes = ", ".join(f"hard{place}: {mode}" for place, mode in enumerate(SLOPES))
    held = compiled(f"{CHAIN}gradient: {{{modes}}}\n", 2)
    factor = held.seeds.draws["W"].numpy()[:, None, None, None]
    for slope, step in zip(SLOPES.values(), first_steps(held), strict=True):
        x, w = step.given["x"], step.weights
        first = np.einsum("rbki,rij->rbkj", x, w["dense_1.kernel"]) + w["dense_1.bias"][:, None, None]
        soft = np.tanh(first) * factor
        out = np.einsum("rbkj,rj->rbk", np.sign(soft), w["dense_2.kernel"][..., 0]) + w["dense_2.bias"][:, None]
        message = 2 * (out.sum(-1) - step.given["y"])
        back = message[..., None, None] * w["dense_2.kernel"][:, None, None, :, 0] * slope(soft)
        below = np.einsum("rbki,rbkj->rij", x, back * factor * (1 - np.tanh(first) ** 2)) / BATCH
        np.testing.assert_allclose(step.gradient["dense_1.kernel"], below, rtol=1e-9, atol=1e-12)
        above = np.einsum("rb,rbkj->rj", message, np.sign(soft)) / BATCH
        np.testing.assert_allclose(step.gradient["dense_2.kernel"][..., 0], above, rtol=1e-9, atol=1e-12)


def test_terms_of_the_loss_are_weighted(compiled: Callable[..., Compiled]) -> None:
    text = study([Case("f")]).replace(
        'squared0: "(guess0 - y)^2"', 'a: {of: "(f0 - y)^2", weight: 0.25 + step}, b: {of: f0, weight: 3}'
    )
    held = compiled(text, 2)
    for place in range(2):
        given = {name: value[:, place * BATCH :] for name, value in examples(held, (place + 1) * BATCH).items()}
        (step,) = first_steps(held)
        _, score = forward(step.weights, given["x"])
        message = 2 * (0.25 + place) * (score - given["y"]) + 3
        close(step.gradient, backward(step.weights, given["x"], message))


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("count", [1, 4, 37])
def test_an_undefined_message_is_not_clipped_to_the_limit(jit: bool, count: int) -> None:
    message = np.resize([np.nan, 2.0, -np.inf, 0.125], count).astype(np.float32)

    @tf.function(jit_compile=jit, autograph=False)
    def received(given: Any) -> Any:
        with tf.GradientTape() as tape:
            start = given * 0 + 1
            tape.watch(start)
            end = with_backward_mode(Mode("clip", value=0.5), start, Lowering(tf.float32, {}, {}, {}))
        return tape.gradient(end, start, output_gradients=given)

    np.testing.assert_array_equal(received(tf.constant(message)).numpy(), np.clip(message, -0.5, 0.5))


OUTPUT_LOSSES = {
    "layer": "(sum(f.hidden) - y)^2",
    "both": "(sum(f) - y)^2 + sum(f.hidden^2)",
    "on another": "(sum(f.hidden) + sum(f(2 * g)) - y)^2",
}


@pytest.mark.parametrize("loss", OUTPUT_LOSSES.values(), ids=OUTPUT_LOSSES)
@pytest.mark.parametrize(
    "row", [row for row in GRADIENT_MODES.values() if "network" in row.targets], ids=lambda row: row.name
)
def test_what_a_layer_gives_costs_what_its_step_has(
    program: Callable[[str], Program], executed: Callable[..., int], row: GradientMode, loss: str
) -> None:
    """Its backward pass goes through the layers up to it, whatever passes by the network's own output."""
    body = f"""
task: {{example: {{x: "normal([30])", y: normal()}}}}
architecture:
  g: {{input: x, layers: [dense: 30]}}
  f: {{input: g, layers: [{{dense: {{units: 40, name: hidden}}}}, dense: 30]}}
{given(row, "f")}
loss: {{squared: "{loss}"}}
training: {{optimizer: {{sgd: 0.01}}, batch: 64, steps: 3}}
measures: {{m: E(y)}}
"""
    made = program(body)
    assert cost(made).step == pytest.approx(executed(made), rel=0.05)

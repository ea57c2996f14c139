"""Statistics of gradients against NumPy: exact where every input and target is there, and without bias where not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.results.replicates import Replicate
from dlspec.spec.passes import example_blocks as blocks
from dlspec.spec.passes import memory

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])

PARITY = """
dtype: float64
constants: {d: 4}
task:
  data: DATA
  draw: {s: "bernoulli(0.5, [d])", w: "2 * s - 1"}
  example: {x: "rademacher([d])", y: "prod(1 - s * (1 - x))", z: "y + dot(w, x)"}
architecture:
  f: {input: x, layers: [{dense: {units: 3, activation: tanh, name: hidden}}, {dense: {units: 1, name: top}}]}
measures:
  STATISTICS
replicates: 2
"""


def body(data: str, **statistics: str) -> str:
    lines = "\n  ".join(f"{name}: {text}" for name, text in statistics.items())
    return PARITY.replace("DATA", data).replace("STATISTICS", lines)


def slopes(held: Compiled, x: Any) -> tuple[Any, Any]:
    """f and ∂f/∂w for inputs [R, B, d] or [B, d]: [R, B], [R, B, P]."""
    w = {f"{layer}.{name}": variable.numpy() for (layer, name), variable in held.networks["f"].weights.items()}
    x = np.broadcast_to(x, (2, *np.shape(x)[-2:]))
    h = np.tanh(np.einsum("rbi,rij->rbj", x, w["hidden.kernel"]) + w["hidden.bias"][:, None])
    f = np.einsum("rbj,rj->rb", h, w["top.kernel"][..., 0]) + w["top.bias"]
    below = w["top.kernel"][:, None, :, 0] * (1 - h**2)
    parts = [np.einsum("rbi,rbj->rbij", x, below).reshape(2, x.shape[1], -1), below, h, np.ones((*h.shape[:2], 1))]
    return f, np.concatenate(parts, axis=-1)


CUBE = np.asarray(list(itertools.product([1, -1], repeat=4)))[:, ::-1]
TARGETS = (1 - CUBE) // 2


@FORMS
def test_the_variance_over_all_targets_and_inputs_is_exact(compiled: Callable[..., Compiled], xla: bool) -> None:
    of = "{gradient_variance: {of: (f - z)^2, weights: f.weights, over: s, draws: all}}"
    held = compiled(body("{enumerate: x}", variance=of), 2, xla)
    f, each = slopes(held, CUBE)
    means = []
    for s in TARGETS:
        z = np.prod(1 - s * (1 - CUBE), axis=-1) + CUBE @ (2 * s - 1)
        means.append((2 * (f - z)[..., None] * each).mean(axis=1))
    means = np.asarray(means)
    expected = ((means - means.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0)
    found = held.evaluate()
    assert found.keys() == {"variance"}
    np.testing.assert_allclose(found["variance"], expected, rtol=1e-9)


def test_sampled_variances_are_unbiased_and_their_floor_is_their_spread(
    program: Callable[[str], Any],
) -> None:
    """Over 150 replicates of the same weights: the mean is the exact one, and the floor twice the deviation."""
    fixed = "architecture:\n  f: {input: x, layers: [{dense: {units: 1, kernel_initializer: 0.3, name: top}}]}\n"
    exact = body("{enumerate: x}", v="{gradient_variance: {of: (f - y)^2, weights: f.weights, over: s, draws: all}}")
    given = body(
        "fresh", v="{gradient_variance: {of: (f - y)^2, weights: f.weights, over: s, draws: 60, examples: 32}}"
    )

    def evaluated(text: str, numbers: int) -> Any:
        start = text.index("architecture")
        changed = text[:start] + fixed + text[text.index("measures") :]
        return Compiled(program(changed), range(numbers), True).evaluate()

    truth = float(evaluated(exact, 1)["v"][0])
    found = evaluated(given, 150)
    error = found["v"].std(ddof=1) / np.sqrt(150)
    assert abs(found["v"].mean() - truth) < 4 * error
    assert 0.6 < np.mean(found["v_floor"]) / (2 * found["v"].std(ddof=1)) < 1.6


@FORMS
def test_ratios_over_every_input_are_exact(compiled: Callable[..., Compiled], xla: bool) -> None:
    inner = "of: (f - y)^2, weights: f.weights"
    held = compiled(
        body("{enumerate: x}", r=f"{{gradient_snr: {{{inner}}}}}", n=f"{{gradient_noise: {{{inner}}}}}"), 2, xla
    )
    f, each = slopes(held, CUBE)
    s = held.seeds.draws["s"].numpy()
    y = np.prod(1 - s[:, None] * (1 - CUBE), axis=-1)
    g = 2 * (f - y)[..., None] * each
    signal, power = (g.mean(axis=1) ** 2).sum(axis=-1), (g**2).sum(axis=-1).mean(axis=1)
    found = held.evaluate()
    np.testing.assert_allclose(found["n"], power - signal, rtol=1e-9)
    np.testing.assert_allclose(found["r"], signal / (power - signal), rtol=1e-8)


def compared(means: Any, group: int) -> Any:
    """The mean of ⟨d, d'⟩² over pairs of differences within groups of blocks [R, K, P]: [R]."""
    count = means.shape[1] // 2
    apart = (means[:, : 2 * count : 2] - means[:, 1 : 2 * count : 2]) / np.sqrt(2)
    held = [range(first, min(first + group // 2, count)) for first in range(0, count, group // 2)]
    pairs = [pair for some in held for pair in itertools.combinations(some, 2)]
    return np.mean([np.einsum("rp,rp->r", apart[:, i], apart[:, j]) ** 2 for i, j in pairs], axis=0)


@pytest.mark.parametrize(("each", "xla"), [(1, False), (3, True)])
def test_ratios_over_examples_are_those_of_their_blocks(
    compiled: Callable[..., Compiled], xla: bool, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of one example in chunks that 203 does not fill, and of several with a backward pass each."""
    monkeypatch.setattr(blocks, "MAX_PER_EXAMPLE_BYTES", 2**16 if each == 1 else 0)
    monkeypatch.setattr(memory, "CHUNK_BYTES", 100 * 19 * 4 * 6 * 2)
    inner = "of: (f - y)^2, weights: f.weights, examples: 203"
    held = compiled(body("fresh", r=f"{{gradient_snr: {{{inner}}}}}", n=f"{{gradient_noise: {{{inner}}}}}"), 2, xla)
    number = 203 // each
    count = number * each
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(count, dtype=tf.int64), count, held.seeds.draws)
    x, y = lowering(held.context.bindings["x"]).tensor.numpy(), lowering(held.context.bindings["y"]).tensor.numpy()
    f, slope = slopes(held, x)
    means = (2 * (f - y)[..., None] * slope).reshape(2, number, each, -1).mean(axis=2)
    products = np.einsum("rap,rbp->rab", means, means)
    signal = products[:, ~np.eye(number, dtype=bool)].mean(axis=1)
    noise = each * means.var(axis=1, ddof=1).sum(axis=-1)
    floor = 2 * np.sqrt(2 / (number * (number - 1)) * compared(means, 16 if each == 1 else 4))
    found = held.evaluate()
    np.testing.assert_allclose(found["n"], noise, rtol=1e-9)
    np.testing.assert_allclose(found["r"], signal / noise, rtol=1e-7)
    np.testing.assert_allclose(found["r_floor"], floor / noise, rtol=1e-7)


KNOWN = """
task: {example: {z: normal()}}
architecture: {mu: {input: "[1]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: 0}]}}
measures:
  few: {gradient_snr: {of: (mu + z - 1)^2, weights: mu.weights, examples: 640}}
  many: {gradient_snr: {of: (mu + z - 1)^2, weights: mu.weights, examples: 6400}}
  few_noise: {gradient_noise: {of: (mu + z - 1)^2, weights: mu.weights, examples: 640}}
  many_noise: {gradient_noise: {of: (mu + z - 1)^2, weights: mu.weights, examples: 6400}}
replicates: 300
"""


@pytest.mark.parametrize(("alone", "each"), [(2**16, 1), (0, {"few": 10, "many": 16})], ids=["one", "blocks"])
def test_errors_fall_with_the_root_of_examples(
    compiled: Callable[..., Compiled], alone: int, each: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """g = 2 (z - 1) has the mean -2 and the variance 4: the ratio is 1, its floor 2 √2 / K for K blocks."""
    monkeypatch.setattr(blocks, "MAX_PER_EXAMPLE_BYTES", alone)
    numbers = 300
    found = compiled(KNOWN, numbers, True).evaluate()
    for name, examples in (("few", 640), ("many", 6400)):
        size = each if each == 1 else each[name]
        number = examples // size
        error = 4 * np.sqrt(2 / (number - 1))
        noise = found[f"{name}_noise"]
        assert abs(noise.mean() - 4) < 4 * error / np.sqrt(numbers)
        assert 0.8 < noise.std(ddof=1) / error < 1.2
        # The ratio's own error: of the mean 2 · √(4 / n) / 2, of the variance √(2 / K); its mean is 1 + O(1 / K).
        spread = np.sqrt(4 / examples + 2 / number)
        assert 0.8 < found[name].std(ddof=1) / spread < 1.2
        assert abs(found[name].mean() - 1) < 4 * spread / np.sqrt(numbers) + 3 / number
        floor = 2 * np.sqrt(2) / (size * number)
        assert 0.8 < np.mean(found[f"{name}_floor"]) / floor < 1.2
    assert np.median(found["few_floor"]) / np.median(found["many_floor"]) > 6


def test_the_error_of_a_variance_falls_with_the_root_of_draws(compiled: Callable[..., Compiled]) -> None:
    """The mean of (mu - s z)² has the gradient -2 s E z = -2 s at mu = 0, over s of variance 1: 4."""
    text = """
task: {draw: {s: normal()}, example: {z: "1 + normal()"}}
architecture: {mu: {input: "[1]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: 0}]}}
measures:
  few: {gradient_variance: {of: (mu - s * z)^2, weights: mu.weights, over: s, draws: 40, examples: 64}}
  many: {gradient_variance: {of: (mu - s * z)^2, weights: mu.weights, over: s, draws: 400, examples: 64}}
replicates: 200
"""
    found = compiled(text, 200, True).evaluate()
    for name in ("few", "many"):
        assert abs(found[name].mean() - 4) < 4 * found[name].std(ddof=1) / np.sqrt(200)
    assert 2.4 < found["few"].std() / found["many"].std() < 4.2
    assert 2.4 < found["few_floor"].mean() / found["many_floor"].mean() < 4.2


def test_the_floor_of_a_gradient_without_signal_covers_it(compiled: Callable[..., Compiled]) -> None:
    """The label is a coin toss of its own: the ratio is 0, and 95 % of estimates lie within two standard errors of it."""
    text = body("fresh", r="{gradient_snr: {of: c * f, weights: f.top.kernel, examples: 640}}")
    held = compiled(text.replace('z: "y', 'c: rademacher(), z: "y'), 200, True)
    found = held.evaluate()
    assert 0.9 <= np.mean(np.abs(found["r"]) <= found["r_floor"]) <= 1
    assert np.mean(np.abs(found["r"]) <= found["r_floor"] / 4) < 0.6


@FORMS
def test_one_gradient_for_all_examples_is_without_noise(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The noise is 0, not what rounding leaves of it; a ratio to it is infinite, and known exactly."""
    of = "of: f - 0.7 * y, weights: f.top.bias, examples: 1000"
    found = compiled(
        body("fresh", n=f"{{gradient_noise: {{{of}}}}}", r=f"{{gradient_snr: {{{of}}}}}"), 2, xla
    ).evaluate()
    assert found["n"].tolist() == [0, 0]
    assert found["r"].tolist() == [np.inf, np.inf]
    assert found["r_floor"].tolist() == [0, 0]


def test_a_gradient_that_vanishes_has_no_ratio_and_ends_nothing(
    program: Callable[[str], Any], replicates: Callable[..., list[Replicate]]
) -> None:
    """`relu` of what is negative is dead: its ratio is 0 / 0, and training goes on."""
    text = """
task:
  example: {x: normal()}
architecture:
  f: {input: "[x]", layers: [{dense: {units: 1, kernel_initializer: 0, bias_initializer: -1, activation: relu}}]}
loss: {l: (f - 1)^2}
training: {optimizer: sgd, batch: 4, steps: 3, evaluate: {every: 1, examples: 8}}
measures: {r: {gradient_snr: {of: (f - 1)^2, weights: f.weights, examples: 64}}}
"""
    (replicate,) = replicates(program(text))
    assert replicate.status == "done"
    assert replicate.steps == [0, 1, 2, 3]
    assert np.isnan(replicate.curves["r"]).all()
    assert np.asarray(replicate.curves["r_floor"]).tolist() == [0, 0, 0, 0]

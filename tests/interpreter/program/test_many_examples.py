"""Statistics of gradients over more examples than are summed at once: the mean is of all of them, and each counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.gradient_estimators.gradients import Gradients
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir import terms as t
from dlspec.spec.passes import memory
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
MU = 'mu: {input: "[1]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: 0.5}]}'
FRESH = f"""
dtype: DTYPE
task: {{draw: {{s: normal()}}, example: {{z: "1 + normal()"}}}}
architecture: {{{MU}}}
measures:
  few: {{gradient_variance: {{of: (mu - s * z)^2, weights: mu.weights, over: s, draws: 40, examples: 2000}}}}
  many: {{gradient_variance: {{of: (mu - s * z)^2, weights: mu.weights, over: s, draws: 40, examples: 5000}}}}
"""
ENUMERATED = f"""
task:
  data: {{enumerate: x}}
  draw: {{s: "rademacher([2])"}}
  example: {{x: "bernoulli(0.5, [12])"}}
architecture: {{{MU}}}
measures:
  v: {{gradient_variance: {{of: "(mu - dot(s, x[0:2]))^2", weights: mu.weights, over: s, draws: all}}}}
"""
WHOLE = f"""
task: {{data: {{test: TOTAL}}, draw: {{s: normal()}}, example: {{z: 1.0 * integer(16384)}}}}
architecture: {{{MU.replace('"[1]"', '"[z]"')}}}
measures:
  mean: E(gradient(mu, mu.dense.kernel))
  v: {{gradient_variance: {{of: mu + s, weights: mu.weights, over: s, draws: 4, examples: 64}}}}
"""


@FORMS
@pytest.mark.parametrize("total", [MAX_SUMMED_EXAMPLES, 50 * MAX_SUMMED_EXAMPLES + 1], ids=["at the cap", "above it"])
def test_sums_that_float32_cannot_hold_are_exact(compiled: Callable[..., Compiled], xla: bool, total: int) -> None:
    """The gradient of mu is z, a whole number below 2¹⁴: 1,024 of them add up within float32's 24 bits, more do not."""
    program = compiled(WHOLE.replace("TOTAL", str(total)), 4, xla)
    keys, drawn = program.seeds.keys["test"], program.seeds.draws
    z = program.context.lowering(keys, tf.range(total, dtype=tf.int64), total, drawn)(
        program.context.bindings["z"]
    ).tensor.numpy()
    expected = z.astype(np.int64).sum(axis=1)
    assert (expected < 2**24).all() if total == MAX_SUMMED_EXAMPLES else (expected > 2**28).all()
    (term,) = [m.term for m in program.program.measures if isinstance(m.term, t.GradientStatistic)]
    gradients = Gradients(program.context, term)
    mean = tf.function(gradients.mean, jit_compile=xla, autograph=False)
    of_statistic = mean(keys, drawn, tf.constant(0), tf.constant(0, tf.int64), total)
    for found in (program.evaluate()["mean"], of_statistic.numpy()):
        np.testing.assert_allclose(np.ravel(found) * total, expected, rtol=1e-13)


@FORMS
@pytest.mark.parametrize("chunk_bytes", [None, 3000], ids=["chunks of the cap", "chunks that memory allows"])
def test_the_mean_is_that_of_all_examples(
    compiled: Callable[..., Compiled], xla: bool, chunk_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of (mu - s z)² it is 2 (mu - s · the mean of z): below, at and above the cap, and where the last chunk is not full."""
    if chunk_bytes is not None:
        monkeypatch.setattr(memory, "CHUNK_BYTES", chunk_bytes)
    program = compiled(FRESH.replace("DTYPE", "float64"), 2, xla)
    first, counts = (
        7,
        (
            MAX_SUMMED_EXAMPLES - 1,
            MAX_SUMMED_EXAMPLES,
            MAX_SUMMED_EXAMPLES + 1,
            2 * MAX_SUMMED_EXAMPLES,
            2 * MAX_SUMMED_EXAMPLES + 452,
        ),
    )
    size = first + max(counts)
    keys, drawn = program.seeds.keys["test"], program.seeds.draws
    z = program.context.lowering(keys, tf.range(size, dtype=tf.int64), size, drawn)(
        program.context.bindings["z"]
    ).tensor.numpy()
    (term,) = [m.term for m in program.program.measures if m.name == "few" and isinstance(m.term, t.GradientStatistic)]
    gradients = Gradients(program.context, term)

    @tf.function(jit_compile=xla, autograph=False)
    def means() -> Any:
        return [gradients.mean(keys, drawn, tf.constant(0), tf.constant(first, tf.int64), count) for count in counts]

    for count, mean in zip(counts, means(), strict=True):
        expected = 2 * (0.5 - drawn["s"].numpy() * z[:, first : first + count].mean(axis=1))
        np.testing.assert_allclose(mean.numpy()[:, 0], expected, rtol=1e-12, err_msg=f"{count} examples")


@FORMS
def test_a_variance_over_more_inputs_than_the_cap_is_exact(
    compiled: Callable[..., Compiled], xla: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over 2¹² inputs of mean 1/2 the gradient is 2 (mu - (s₁ + s₂) / 2): its variance over all signs is 2."""
    assert compiled(ENUMERATED, 1, xla).evaluate()["v"] == pytest.approx([2], rel=1e-6)
    monkeypatch.setattr(memory, "CHUNK_BYTES", 700 * 12 * 4)  # six chunks, of which the last is not full
    assert compiled(ENUMERATED, 1, xla).evaluate()["v"] == pytest.approx([2], rel=1e-6)


def test_a_variance_above_the_cap_is_unbiased(compiled: Callable[..., Compiled]) -> None:
    """The mean gradient is 2 (mu - s), of variance 4 over s: halves of 1,000 examples, and of 2,500 in three chunks."""
    replicates = 200
    measured = compiled(FRESH.replace("DTYPE", "float32"), replicates, True).evaluate()
    for name in ("few", "many"):
        # Of 40 normal draws the variance has the standard deviation 4 √(2 / 39), to which 1,000 examples add some per mille.
        error = 4 * np.sqrt(2 / 39)
        assert abs(measured[name].mean() - 4) < 4 * error / np.sqrt(replicates)
        assert 0.8 < measured[name].std(ddof=1) / error < 1.2

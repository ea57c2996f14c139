"""Functions whose bodies range over examples: means, quantiles and gradients of their arguments, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.passes.digests import measure_digest

BODY = """
dtype: float64
constants: {d: 3}
functions:
  ave(a): E(a)
  cov(a, b): E((a - E(a)) * (b - E(b)))
  push(v): E(x * dot(x, v))
  centred(a): a - E(a)
  var(a): cov(a, a)
  third(a): E(centred(a) ^ 3)
  middle(a, q): quantile(a, q)
  slope(a, w): gradient(a, w)
  size(a, w): E(squared_norm(slope(a, w)))
  full(a): E(gradient(a, f.weights))
  again(a): ave(ave(a) * a + a)
  hard(r): "floor_to(r, [-1, 0, 1])"
  hit(a): E(hard(a))
  moments(a): "[E(a ^ k) for k < 3]"
  unused(a, b): ave(b)
  ranked(a): E(a > quantile(a, 0.25))
gradient: {hard: forward_only}
task: {data: {test: 40}, draw: {w: "normal([d])"}, example: {x: "normal([d])", y: "x[0] + x[1]"}}
architecture: {f: {input: x, layers: [dense: 1]}}
measures:
  push: push(w)
  ave: ave(y)
  cov: cov(y, f)
  matrix: "cov(x[i], x[j]) for i < d, j < d"
  var: var(y * f)
  third: third(y)
  middle: middle(y, 0.5)
  size: size((f - y)^2, f.weights)
  kernel: E(slope(f * y, f.dense_1.kernel))
  full: full(f * y)
  again: again(y)
  hit: hit(y)
  straight: full(hard(f))
  mixed: ave(y) + var(f) * w[0]
  moments: moments(y)
  unused: unused(x, y)
  ranked: ranked(y)
  beside: "E(centred(y) * (y > ave(y)))"
replicates: 2
"""


def expected(held: Compiled) -> dict[str, Any]:
    """By hand, of the test examples."""
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(40, dtype=tf.int64), 40, held.seeds.draws)
    x, y = (
        lowering.broadcast_to_axes(lowering(item.term), ("replicate", "example"), len(item.type.shape)).numpy()
        for item in held.program.examples
    )
    w = held.seeds.draws["w"].numpy()
    kernel, bias = (variable.numpy() for variable in held.networks["f"].weights.values())
    f = np.einsum("rbi,rij->rb", x, kernel) + bias
    each = np.concatenate([x, np.ones((2, 40, 1))], axis=-1)

    def cov(a: Any, b: Any) -> Any:
        return ((a - a.mean(1, keepdims=True)) * (b - b.mean(1, keepdims=True))).mean(1)

    mean = y.mean(1, keepdims=True)
    return {
        "push": (x * np.einsum("rbi,ri->rb", x, w)[..., None]).mean(1), "ave": y.mean(1), "cov": cov(y, f),
        "matrix": np.stack([[cov(x[..., i], x[..., j]) for i in range(3)] for j in range(3)]).transpose(2, 0, 1),
        "var": cov(y * f, y * f), "third": ((y - mean) ** 3).mean(1), "middle": np.median(y, axis=1),
        "size": ((2 * (f - y)[..., None] * each) ** 2).sum(-1).mean(1), "full": (y[..., None] * each).mean(1),
        "kernel": (y[..., None] * x).mean(1)[..., None], "again": mean[:, 0] ** 2 + mean[:, 0],
        "hit": np.clip(np.floor(y), -1, 1).mean(1), "straight": each.mean(1),
        "mixed": y.mean(1) + cov(f, f) * w[:, 0], "moments": np.stack([(y**k).mean(1) for k in range(3)], axis=1),
        "unused": y.mean(1), "ranked": (y > np.quantile(y, 0.25, axis=1)[:, None]).mean(1),
        "beside": ((y - mean) * (y > mean)).mean(1),
    }  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_a_functions_argument_has_its_own_value_in_each_example(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(BODY, 2, xla)
    found, right = held.evaluate(), expected(held)
    assert found.keys() == right.keys()
    for name, value in right.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_it_means_what_it_means_written_out(program: Callable[[str], spec.Program]) -> None:
    called = program(BODY)
    written = program(BODY.replace("cov: cov(y, f)", "cov: E((y - E(y)) * (f - E(f)))"))
    digests = [[measure_digest(made, measure) for measure in made.measures] for made in (called, written)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("y * ave(y)", "one value per example"),
        ("ave(gradient(ave(y), f.weights))", "an average or a gradient"),
        ("E(slope(f, y))", "does not depend on 'y'"),
    ],
)
def test_what_is_still_wrong(program: Callable[[str], spec.Program], measure: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        program(BODY.replace("ave: ave(y)", f"ave: {measure}"))


def test_functions_without_parameters_are_what_they_stand_for(compiled: Callable[..., Compiled]) -> None:
    made = compiled(
        """
        dtype: float64
        functions: {"error()": "(f - y)^2", "rms()": "sqrt(E(error()))", "half()": "1 / 2"}
        task: {example: {x: "normal([3])", y: "sum(x) * half()"}}
        architecture: {f: {input: x, layers: [dense: 1]}}
        loss: {l: "error()"}
        training: {optimizer: {sgd: 0.1}, batch: 4, steps: 3}
        measures: {apart: "rms() - sqrt(E((f - y)^2))", same: "E(y) - 0.5 * E(sum(x))", moved: "norm(f.weights - initial(f.weights))"}
        """.replace("\n        ", "\n")
    )
    made.train(3)
    found = made.evaluate()
    np.testing.assert_allclose([found["apart"], found["same"]], 0, atol=1e-12)
    assert found["moved"] > 1e-3

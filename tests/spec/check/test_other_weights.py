"""Which values may stand for weights: those of layers of the same shapes, in their order, or a vector that is in none."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    constants: {n: 3}
    sweep: {n: [3, 4]}
    task: {draw: {v: "normal([4 * n + 1])"}, example: {x: "normal([2])", y: "x[0]"}}
    functions: {there(w): "with_weights((f - y)^2, f.weights, w)"}
    architecture:
      f: {input: x, layers: [dense: {units: n, name: hidden}, dense: {units: 1, name: head}]}
      g: {input: x, layers: [dense: {units: n}, dense: 1]}
      h: {input: x, layers: [dense: {units: n, use_bias: false}, dense: {units: 2}, dense: {units: n, use_bias: false}]}
      p: {parameter: [4 * n + 1], initializer: zeros}
    loss: {l: "there(f.weights + p) + g^2 + sum(h)^2"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
    measures: {m: "MEASURE"}
"""


@pytest.mark.parametrize(
    "weights",
    [
        "g.weights", "p", "p.weights", "f.weights + p.weights", "v * f.weights", "initial(g.weights) + norm(h.weights)",
        "concat(f.hidden.weights, g.weights[3 * n:])", "[k / n for k < 4 * n + 1]",
    ],
)  # fmt: skip
def test_what_has_the_length_of_weights_and_no_other_order_stands_for_them(weights: str) -> None:
    """Whether the weights of other layers are refused is `other_weights_in_another_order`, among the golden errors."""
    document = spec.parse(Source("t.yaml", STUDY.replace("MEASURE", f"E(there({weights}))").lstrip()))
    assert len(spec.resolve(document).experiments[0].programs) == 2

"""A dense layer on a one-hot input looks its rows up: the numbers are those of the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.digests import signature_digest

BODY = """
dtype: float64
task:
  draw: {{target: integer(5), first: "one_hot(integer(5), 5)"}}
  example: {{i: integer(5), hot: "one_hot(i, 5)", gain: "normal([3])"}}
architecture:
  f: {{input: "{input}", layers: [{{dense: {{units: 3, activation: tanh}}}}]}}
loss: {{gained: "-dot(f, gain) * (i != target)"}}
training: {{optimizer: {{adam: 0.05}}, batch: 8, steps: 40, evaluate: {{at: [0, 40], examples: 60}}}}
measures:
  error: E(dot(f, gain))
  other: E(sum(f({input} * 2)))
  slope: E(squared_norm(gradient(dot(f, gain), f.weights)))
  noise: {{gradient_noise: {{of: "dot(f, gain)", weights: f.weights, examples: 128}}}}
replicates: 2
"""


def measured(compiled: Callable[..., Compiled], given: str, xla: bool) -> tuple[Compiled, list[dict[str, Any]]]:
    held = compiled(BODY.format(input=given), 2, xla)
    before = held.evaluate()
    held.train(40)
    return held, [before, held.evaluate()]


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("given", ["one_hot(i, 5)", "hot", "one_hot(i, 8)", "one_hot(target, 5)"])
def test_rows_that_are_looked_up_are_those_of_the_product(
    compiled: Callable[..., Compiled], given: str, xla: bool
) -> None:
    held, found = measured(compiled, given, xla)
    product, wanted = measured(compiled, f"1 * {given}", xla)
    assert held.networks["f"].plan.index is not None
    assert product.networks["f"].plan.index is None
    for one, other in zip(found, wanted, strict=True):
        for name, value in other.items():
            np.testing.assert_allclose(one[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    assert not np.allclose(found[0]["error"], found[1]["error"])


@pytest.mark.parametrize("given", ["one_hot(i, 4)", "one_hot(i - 1, 5)", "first", "one_hot(i, 5) + hot"])
def test_what_may_be_no_one_hot_vector_is_multiplied(program: Callable[..., Program], given: str) -> None:
    assert program(BODY.format(input=given)).networks[0].index is None


def test_a_vector_that_is_drawn_once_a_replicate_is_not_drawn_again(compiled: Callable[..., Compiled]) -> None:
    found = measured(compiled, "first", True)[1]
    np.testing.assert_allclose(found[1]["slope"], measured(compiled, "1 * first", True)[1][1]["slope"], rtol=1e-9)


def test_a_look_up_costs_no_product(program: Callable[..., Program]) -> None:
    gather_batch, product = (program(BODY.format(input=given)) for given in ("hot", "1 * hot"))
    assert gather_batch.networks[0].flops == 0
    assert product.networks[0].flops == 2 * 5 * 3
    # Forwards and backwards a product each, and the scaling; backwards the rows are summed, instead.
    assert cost(product).step - cost(gather_batch).step == 8 * (2 * 30 + 5 - 3)
    assert cost(product).parameters == cost(gather_batch).parameters


def test_a_graph_that_looks_rows_up_is_none_for_an_index_that_may_lie_outside(program: Callable[..., Program]) -> None:
    # The draws of both have the same types, and draws are no part of a form.
    body = BODY.format(input="one_hot(target, 5)")
    inside, outside = program(body), program(body.replace("target: integer(5)", "target: integer(6)"))
    assert signature_digest(inside) != signature_digest(outside)

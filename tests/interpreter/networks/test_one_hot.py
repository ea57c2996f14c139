"""A dense layer on a one-hot input looks its rows up: the numbers are those of the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.signature_digests import signature_digest

HEAD = """
dtype: float64
task:
  draw: {target: integer(5), first: "one_hot(integer(5), 5)"}
  example: {i: integer(5), hot: "one_hot(i, 5)", gain: "normal([3])"}
training: {optimizer: {adam: 0.05}, batch: 8, steps: 40, evaluate: {at: [0, 40], examples: 60}}
replicates: 2
"""
NETWORK = '{name}: {{input: "{input}", layers: [{{dense: {{units: 3, activation: tanh}}}}]}}'
LOSS = '{name}: "-dot({name}, gain) * (i != target)"'
MEASURES = """
  error_{name}: E(dot({name}, gain))
  other_{name}: E(sum({name}({input} * 2)))
  slope_{name}: E(squared_norm(gradient(dot({name}, gain), {name}.weights)))
  noise_{name}: {{gradient_noise: {{of: "dot({name}, gain)", weights: {name}.weights, examples: 128}}}}
"""
LOOKED_UP = ("one_hot(i, 5)", "hot", "one_hot(i, 8)", "one_hot(target, 5)")
DRAWN_ONCE = "first"


def body(*given: str) -> str:
    """An experiment with a network, a term of the loss and measures for each input: f_0, f_1, …"""
    named = [{"name": f"f_{place}", "input": text} for place, text in enumerate(given)]
    networks, losses = (", ".join(text.format(**each) for each in named) for text in (NETWORK, LOSS))
    measures = "".join(MEASURES.strip("\n").format(**each) + "\n" for each in named)
    return f"{HEAD}architecture: {{{networks}}}\nloss: {{{losses}}}\nmeasures:\n{measures}"


def measured(compiled: Callable[..., Compiled], xla: bool, *given: str) -> tuple[Compiled, list[dict[str, Any]]]:
    held = compiled(body(*given), 2, xla)
    before = held.evaluate()
    held.train(40)
    return held, [before, held.evaluate()]


@pytest.fixture(scope="module")
def products(compiled: Callable[..., Compiled]) -> list[dict[str, Any]]:
    """What the products measure, in a plain graph: what rows that are looked up are held against, in either form."""
    product, found = measured(compiled, False, *(f"1 * {text}" for text in (*LOOKED_UP, DRAWN_ONCE)))
    assert all(network.plan.index is None for network in product.networks.values())
    return found


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_rows_that_are_looked_up_are_those_of_the_product(
    compiled: Callable[..., Compiled], products: list[dict[str, Any]], xla: bool
) -> None:
    """And a vector that is drawn once a replicate is not drawn again."""
    given = (*LOOKED_UP, DRAWN_ONCE)
    held, found = measured(compiled, xla, *given)
    looked_up = [network.plan.index is not None for network in held.networks.values()]
    assert looked_up == [True] * len(LOOKED_UP) + [False]
    for one, other in zip(found, products, strict=True):
        assert len(other) == 4 * len(given)
        for name, value in other.items():
            np.testing.assert_allclose(one[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    for place in range(len(given)):
        assert not np.allclose(found[0][f"error_f_{place}"], found[1][f"error_f_{place}"])


@pytest.mark.parametrize("given", ["one_hot(i, 4)", "one_hot(i - 1, 5)", "first", "one_hot(i, 5) + hot"])
def test_what_may_be_no_one_hot_vector_is_multiplied(program: Callable[..., Program], given: str) -> None:
    assert program(body(given)).networks[0].index is None


def test_a_look_up_costs_no_product(program: Callable[..., Program]) -> None:
    gather_batch, product = (program(body(given)) for given in ("hot", "1 * hot"))
    assert gather_batch.networks[0].flops == 0
    assert product.networks[0].flops == 2 * 5 * 3
    # Forwards and backwards a product each, and the scaling; backwards the rows are summed, instead.
    assert cost(product).step - cost(gather_batch).step == 8 * (2 * 30 + 5 - 3)
    assert cost(product).parameters == cost(gather_batch).parameters


def test_a_graph_that_looks_rows_up_is_none_for_an_index_that_may_lie_outside(program: Callable[..., Program]) -> None:
    # The draws of both have the same types, and draws are no part of a form.
    text = body("one_hot(target, 5)")
    inside, outside = program(text), program(text.replace("target: integer(5)", "target: integer(6)"))
    assert signature_digest(inside) != signature_digest(outside)

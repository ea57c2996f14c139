"""A function as a layer's activation: it comes behind the layer, forwards and backwards, in both forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.tables.keras_parameters import ACTIVATIONS

BODY = """
dtype: float64
constants: {c: 2}
functions: {sq(r): c * r^2 + b, tanh(r): 3 * r, nrm(v): norm(v), "two(p, q)": p + q}
task: {data: {test: 20}, draw: {b: "normal()"}, example: {x: "normal([3])"}}
architecture:
  f: {input: x, layers: [{dense: {units: 4, activation: sq, name: hidden}}, {activation: sin}, {dense: {units: 1, activation: tanh}}]}
measures:
  mean: E(f)
  slope: E(gradient(f, f.hidden.kernel))
replicates: 2
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_a_function_is_an_activation(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(BODY, 2, xla)
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(20, dtype=tf.int64), 20, held.seeds.draws)
    x = lowering(held.program.examples[0].term).tensor.numpy()
    kernel, bias, last, top = (variable.numpy() for variable in held.networks["f"].weights.values())
    before = np.einsum("rbi,rij->rbj", x, kernel) + bias[:, None]
    inner = 2 * before**2 + held.seeds.draws["b"].numpy()[:, None, None]
    f = 3 * (np.einsum("rbj,rj->rb", np.sin(inner), last[..., 0]) + top)
    message = 3 * last[:, None, :, 0] * np.cos(inner) * 4 * before
    found = held.evaluate()
    np.testing.assert_allclose(found["mean"], f.mean(1), rtol=1e-9)
    np.testing.assert_allclose(found["slope"], np.einsum("rbi,rbj->rij", x, message) / 20, rtol=1e-9)


def test_the_weights_are_those_of_the_layer(program: Callable[[str], spec.Program]) -> None:
    (plan,) = program(BODY).networks
    assert plan.parameters == 3 * 4 + 4 + 4 + 1
    keys = ["hidden", "hidden.activation", "activation_1", "dense_2", "dense_2.activation"]
    assert [layer.key for layer in plan.leaves()] == keys


WRONG: list[tuple[str, str, str]] = [
    ("{activation: sin}", "{activation: nrm}", "turns real"),
    ("activation: sq", "activation: nrm", "turns real"),
    ("activation: sq", "activation: two", "takes 2 arguments"),
    ("activation: sq", "activation: sqr", "unknown activation 'sqr'"),
    ("activation: sq", "activation: 3", "an activation is one of Keras"),
    ("{activation: sin}", "{repeat_vector: 3}, {lstm: {units: 2, activation: sq}}", "Keras' activations"),
    (
        "{activation: sin}",
        "{repeat_vector: 3}, {lstm: {units: 2, recurrent_activation: sq}}",
        "unknown activation 'sq'",
    ),
    ("measures:", "gradient: {f.hidden: {clip: 1}}\nmeasures:", "which this mode does not reach"),
    ("measures:", "gradient: {f.hidden: forward_only}\nmeasures:", "whose input is"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_is_no_activation(program: Callable[[str], spec.Program], old: str, new: str, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        program(BODY.replace(old, new, 1))
    assert said in caught.value.problems[0].message


@pytest.mark.parametrize(("mode", "factor"), [("stop", 0.0), ("{scale: 0.5}", 0.5), ("freeze", 0.0)])
def test_modes_of_the_layer_hold_below_its_activation(
    compiled: Callable[..., Compiled], mode: Any, factor: float
) -> None:
    exact = compiled(BODY, 2).evaluate()["slope"]
    found = compiled(BODY.replace("measures:", f"gradient: {{f.hidden: {mode}}}\nmeasures:", 1), 2).evaluate()["slope"]
    np.testing.assert_allclose(found, factor * exact, rtol=1e-12)


EACH = """
dtype: float64
task: {{data: {{test: 20}}, example: {{x: "normal([3])", e: "normal([3])"}}}}
architecture:
{networks}
functions:
{functions}
loss: {{l: "{loss} + 0 * e[0]"}}
training: {{optimizer: {{sgd: 0.01}}, batch: 4, steps: 1}}
measures:
{measures}
"""


@pytest.mark.parametrize(
    ("words", "xla"), [(tuple(ACTIVATIONS), False), (("softsign", "tanh"), True)], ids=["graph", "xla"]
)
def test_an_activation_has_derivatives_of_its_derivative(
    compiled: Callable[..., Compiled], words: Sequence[str], xla: bool
) -> None:
    """Beside differences of its gradient, in measures; in a loss that of the batch's gradient, which a step goes down, is finite."""
    names = {f"f{place}": activation for place, activation in enumerate(words)}
    layers = "[dense: {{units: 4, activation: {}, name: hidden}}, dense: 1]"
    differences = "(s{0}(x + 1e-5 * e) - s{0}(x - 1e-5 * e)) / 2e-5"
    text = EACH.format(
        networks="\n".join(f"  {name}: {{input: x, layers: {layers.format(word)}}}" for name, word in names.items()),
        functions="\n".join(f'  s{name}(u): "gradient({name}(u), u)"' for name in names),
        loss=" + ".join(f"squared_norm(B(gradient({name}, {name}.weights)))" for name in names),
        measures="\n".join(
            f'  {name}: "E(norm(hessian_vector({name}, x, e) - {differences.format(name)}))"' for name in names
        ),
    )
    held = compiled(text, 1, xla)
    found = held.evaluate()
    for name, activation in names.items():
        assert found[name][0] < 1e-6, (activation, found[name])
    held.train(1)
    assert all(np.isfinite(value.numpy()).all() for name in names for value in held.networks[name].weights.values())

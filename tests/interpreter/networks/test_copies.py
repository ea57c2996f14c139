"""Copies of a network beside as many networks with names of their own: the same outputs, gradients, updates and statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.tables.layers import LAYERS

from tests.interpreter.networks.written_layers import written_layer

pytestmark = pytest.mark.usefixtures("traced_once")
COPIES = 2
WITH_WEIGHTS = [
    row.name
    for row in LAYERS.values()
    if row.estimated_from
    or "normalization" in row.name
    or any(p.kind in ("initializer", "layer") for p in row.parameters.values())
]


def alone(made: Compiled, name: str, copy: int) -> str:
    """Gives the network beside that stands for a copy that one's weights, and says its name."""
    own = f"{name}{copy}"
    for place, variable in made.networks[own].weights.items():
        variable.assign(made.networks[name].weights[place].numpy()[:, copy])
    return own


def held_to(made: Compiled, name: str, rtol: float = 1e-9) -> None:
    """Holds the weights of all copies to those of the networks that stand beside."""
    for place, variable in made.networks[name].weights.items():
        beside = np.stack([made.networks[f"{name}{copy}"].weights[place].numpy() for copy in range(COPIES)], axis=1)
        np.testing.assert_allclose(variable.numpy(), beside, rtol=rtol, atol=1e-12, err_msg=f"{name} {place}")


@pytest.mark.parametrize("part", range(2))
def test_every_layer_with_weights_is_that_of_networks_with_names_of_their_own(
    compiled: Callable[..., Compiled], part: int
) -> None:
    rows = WITH_WEIGHTS[part::2]
    layers = {row: written_layer(row, "examples: 8" if row == "whiten" else "") for row in rows}
    own = [
        f"  {row}_{copy}: {{input: x_{row}, {f'copies: {COPIES}, ' if copy == '' else ''}layers: [{layer}]}}"
        for row, (layer, _) in layers.items()
        for copy in ("", *range(COPIES))
    ]
    losses = [
        f"  {row}: sum(({row}_ - 1)^2) + {' + '.join(f'sum(({row}_{k} - 1)^2)' for k in range(COPIES))}" for row in rows
    ]
    body = "\n".join([
        "dtype: float64",
        f"task: {{example: {{{', '.join(f'x_{row}: {given!r}' for row, (_, given) in layers.items())}}}}}",
        "architecture:", *own, "loss:", *losses,
        "training: {optimizer: {sgd: 0.01}, batch: 4, steps: 2}",
        "measures:",
        *(f"  {row}: E([sum({row}_[k]^2) for k < {COPIES}])" for row in rows),
        *(f"  {row}_{k}: E(sum({row}_{k}^2))" for row in rows for k in range(COPIES)),
    ])  # fmt: skip
    made = compiled(body, replicates=2)
    for row in rows:
        for copy in range(COPIES):
            alone(made, f"{row}_", copy)
    assert made.train(2) == [None, None]
    found = made.evaluate()
    for row in rows:
        beside = np.stack([found[f"{row}_{k}"] for k in range(COPIES)], axis=1)
        np.testing.assert_allclose(found[row], beside, rtol=1e-8, err_msg=row)
        held_to(made, f"{row}_", 1e-8)


LAYERS_OF = """[dense: {units: 4, name: hidden, activation: bend, kernel_constraint: {max_norm: 1.5}, bias_constraint: box},
    bend, layer_normalization: {name: norm}, repeat: {name: block, times: 2, skip: true, layers: [dense: {units: 4, kernel_constraint: box}]},
    dense: {units: 2, name: head, kernel_constraint: unit}]"""
STUDY = f"""
dtype: float64
functions: {{bend(u): u / (1 + abs(u)), box(w): "clip(w, -0.7, 0.7) * (1 - 1 / (step + 9))", unit(w): w / sqrt(sum(w^2))}}
task: {{draw: {{v: "normal([3])"}}, example: {{x: "normal([3])", u: "normal([3])", y: "x[0] * x[1]"}}}}
architecture:
  f_: {{input: x, copies: {COPIES}, layers: {LAYERS_OF}}}
  f_0: {{input: x, layers: {LAYERS_OF}}}
  f_1: {{input: x, layers: {LAYERS_OF}}}
outputs:
  l_: "[sum((f_[k] - y)^2) for k < {COPIES}]"
  l_0: sum((f_0 - y)^2)
  l_1: sum((f_1 - y)^2)
loss:
  l: sum(l_) + l_0 + l_1
  other: "sum(f_(u)^2) / 9 + (sum(f_0(u)^2) + sum(f_1(u)^2)) / 9"
  slope: "sum(gradient(sum(f_), f_.hidden)^2) + sum(gradient(sum(f_0), f_0.hidden)^2) + sum(gradient(sum(f_1), f_1.hidden)^2)"
training:
  optimizer: {{sgd: {{learning_rate: 0.05, momentum: 0.5, use_ema: true, ema_momentum: 0.5}}}}
  batch: 8
  phases: {{a: {{steps: 3}}, b: {{steps: 3}}}}
measures:
  l: E(l_)
  hidden: E([sum(f_.hidden[k]) for k < {COPIES}])
  inner: "E([sum(f_(u).block[0].dense_1[k]^2) for k < {COPIES}])"
  then: E([sum(after(a, f_)[k]^2) for k < {COPIES}])
  now: E([sum(current(f_)[k]^2) for k < {COPIES}])
  kernel: "[sum(f_.hidden.kernel[k]^2) for k < {COPIES}]"
  doubled: "E([sum(with_weights(f_, f_.weights, 2 * f_.weights)[k]^2) for k < {COPIES}])"
  moved: "E([sum(with_weights(f_, f_.hidden.kernel, [v[i] + 0 * h for c < {COPIES}, i < 3, h < 4])[k]^2) for k < {COPIES}])"
  input: "E([sum(gradient(sum(f_[0]^2), x)^2), sum(gradient(sum(f_[1]^2), x)^2)])"
  slopes: "E([norm(gradient(l_[0], f_.weights)), norm(gradient(l_[1], f_.weights))])"
  training: {{of: "E(sum(f_^2))", mode: training}}
  l_K: E(l_K)
  hidden_K: E(sum(f_K.hidden))
  inner_K: "E(sum(f_K(u).block[0].dense_1^2))"
  then_K: E(sum(after(a, f_K)^2))
  now_K: E(sum(current(f_K)^2))
  kernel_K: sum(f_K.hidden.kernel^2)
  doubled_K: "E(sum(with_weights(f_K, f_K.weights, 2 * f_K.weights)^2))"
  moved_K: "E(sum(with_weights(f_K, f_K.hidden.kernel, [v[i] + 0 * h for i < 3, h < 4])^2))"
  input_K: "E(sum(gradient(sum(f_K^2), x)^2))"
  slopes_K: E(norm(gradient(l_K, f_K.weights)))
  noise_K: {{gradient_noise: {{of: l_K, weights: f_K.hidden.kernel, examples: 64}}}}
  top_K: {{hessian_eigenvalues: {{of: l_K, weights: f_K.head.weights, examples: 8, largest: 1}}}}
  noise_of_K: {{gradient_noise: {{of: "l_[K]", weights: f_.hidden.kernel, examples: 64}}}}
  top_of_K: {{hessian_eigenvalues: {{of: "l_[K]", weights: f_.head.weights, examples: 8, largest: 1}}}}
  training_K: {{of: "E(sum(f_K^2))", mode: training}}
"""


def beside(text: str) -> str:
    """A study whose measures of one network beside, those with a K, are written out for each copy."""
    lines = []
    for line in text.splitlines():
        of_one = line.startswith("  ") and "_K:" in line
        lines += [line.replace("K", str(k)) for k in range(COPIES)] if of_one else [line]
    return "\n".join(lines)


def test_all_that_is_made_of_a_network_is_made_of_each_copy(compiled: Callable[..., Compiled]) -> None:
    made = compiled(beside(STUDY), replicates=2)
    for copy in range(COPIES):
        alone(made, "f_", copy)
    made.evaluate()
    assert made.train(6) == [None, None]
    found = made.evaluate()
    held_to(made, "f_")
    for name in (name for name in found if f"{name}_0" in found):
        own = np.stack([found[f"{name}_{k}"] for k in range(COPIES)], axis=1)
        np.testing.assert_allclose(found[name], own.sum(1) if name == "training" else own, rtol=1e-8, err_msg=name)
    for name in ("noise", "top"):
        for k in range(COPIES):
            np.testing.assert_allclose(found[f"{name}_of_{k}"], found[f"{name}_{k}"], rtol=1e-5, err_msg=name)


SEEDED = """
task: {example: {x: "normal([6])", y: "sign(x[0])"}}
architecture:
  f: {input: x, EXTRA layers: [dense: {units: 5, activation: relu}, dropout: 0.5, gaussian_noise: 0.1, dense: {units: 2, bias_initializer: "normal()"}]}
gradient: {f: {clip: 0.05}, f.dense_1: {scale: 0.5}}
loss: {l: "sum((f - y)^2)"}
training: {optimizer: {adamw: 0.05}, batch: 8, steps: 4}
measures: {error: "E(sum((f - y)^2, axis=1))"}
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_the_first_copy_is_the_network_without_copies(compiled: Callable[..., Compiled], xla: bool) -> None:
    """It starts as that does, and draws what that draws; the others have draws of their own."""
    several = compiled(SEEDED.replace("EXTRA", "copies: 3,"), replicates=2, xla=xla)
    one = compiled(SEEDED.replace("EXTRA", "").replace(", axis=1", ""), replicates=2, xla=xla)
    for made in (several, one):
        assert made.train(4) == [None, None]
    found, alone = several.evaluate(), one.evaluate()
    np.testing.assert_allclose(found["error"][:, 0], alone["error"], rtol=1e-5)
    for place, variable in several.networks["f"].weights.items():
        weight = variable.numpy()
        np.testing.assert_allclose(weight[:, 0], one.networks["f"].weights[place].numpy(), rtol=1e-4, atol=1e-6)
        assert all(np.abs(weight[:, a] - weight[:, b]).max() > 1e-3 for a, b in ((0, 1), (0, 2), (1, 2)))


IN_A_ROW = f"""
dtype: float64
task: {{data: {{test: 6}}, example: {{x: "normal([4, 3])", n: "1 + integer(4)", w: "integer(5)"}}}}
architecture:
  each_: {{input: x, each: 4, copies: {COPIES}, layers: [dense: {{units: 5, activation: tanh, name: inner}}, dense: 2]}}
  each_0: {{input: x, each: 4, layers: [dense: {{units: 5, activation: tanh, name: inner}}, dense: 2]}}
  each_1: {{input: x, each: 4, layers: [dense: {{units: 5, activation: tanh, name: inner}}, dense: 2]}}
  part_: {{input: x, copies: {COPIES}, layers: [multi_head_attention: {{num_heads: 1, length: n}}]}}
  part_0: {{input: x, layers: [multi_head_attention: {{num_heads: 1, length: n}}]}}
  part_1: {{input: x, layers: [multi_head_attention: {{num_heads: 1, length: n}}]}}
  hot_: {{input: "one_hot(w, 5)", copies: {COPIES}, layers: [dense: 3]}}
  hot_0: {{input: "one_hot(w, 5)", layers: [dense: 3]}}
  hot_1: {{input: "one_hot(w, 5)", layers: [dense: 3]}}
loss:
  each: "sum((each_ - 1)^2) + sum((each_0 - 1)^2) + sum((each_1 - 1)^2) + sum(each_.inner) + sum(each_0.inner) + sum(each_1.inner)"
  part: "sum((part_ - 1)^2) + sum((part_0 - 1)^2) + sum((part_1 - 1)^2)"
  hot: "sum((hot_ - 1)^2) + sum((hot_0 - 1)^2) + sum((hot_1 - 1)^2)"
training: {{optimizer: {{sgd: 0.05}}, batch: 8, steps: 4}}
measures:
  each: E(each_)
  part: "E(part_(2 * x, length=n))"
  hot: E(hot_)
  inner: E(each_.inner)
  each_K: E(each_K)
  part_K: "E(part_K(2 * x, length=n))"
  hot_K: E(hot_K)
  inner_K: E(each_K.inner)
"""


def test_copies_share_over_axes_take_parts_and_look_up_rows(compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    made = compiled(beside(IN_A_ROW), replicates=2)
    names = ("each", "part", "hot")
    for name in names:
        for copy in range(COPIES):
            alone(made, f"{name}_", copy)
    assert made.train(4) == [None, None]
    found = made.evaluate()
    for name in (*names, "inner"):
        own = np.stack([found[f"{name}_{k}"] for k in range(COPIES)], axis=1)
        np.testing.assert_allclose(found[name], own, rtol=1e-9, err_msg=name)
    for name in names:
        held_to(made, f"{name}_")
    write(made, 1, tmp_path / "kept")
    for k in range(COPIES):
        model = keras.saving.load_model(tmp_path / "kept" / f"hot_[{k}].keras")
        np.testing.assert_array_equal(
            model.get_weights()[0], made.networks["hot_"].weights["dense_1", "kernel"].numpy()[1, k]
        )


COSTS = {
    "an ensemble": """
task: {example: {x: "normal([40])", y: "normal()"}}
architecture: {f: {input: x, copies: 5, layers: [dense: {units: 30, activation: relu}, dense: 1]}}
loss: {l: "sum((f - y)^2)"}
training: {optimizer: {adam: 0.1}, batch: 16, steps: 2}
measures: {l: E(sum(f))}
""",
    "routed experts on what a network makes, with a constraint of the writer": """
functions: {box(w): "clip(w, -1, 1)"}
task: {example: {x: "normal([40])", y: "normal()"}}
architecture:
  h: {input: x, layers: [dense: {units: 20, activation: tanh}]}
  f: {input: h, copies: 4, layers: [dense: {units: 30, activation: relu, kernel_constraint: box}, dense: 1]}
  g: {input: h, layers: [dense: 4]}
loss: {l: (sum(softmax(g) * f) - y)^2}
training: {optimizer: {sgd: 0.1}, batch: 16, steps: 2}
measures: {l: E(sum(f))}
""",
}


@pytest.mark.parametrize("case", COSTS)
def test_the_plan_counts_what_copies_take(
    case: str, program: Callable[[str], Program], executed: Callable[[Program], int]
) -> None:
    one = program(COSTS[case])
    assert cost(one).step == pytest.approx(executed(one), rel=0.05)


PASSED_ON = """
dtype: float64
task: {draw: {w: "normal([2, 3, 3])"}, example: {x: "normal([3])"}}
architecture:
  b: {input: x, layers: [dense: {units: 3, name: body}]}
  f_: {input: b, copies: 2, layers: [dense: {units: 3, kernel_initializer: w, activation: tanh}]}
  f_0: {input: b, layers: [dense: {units: 3, kernel_initializer: "w[0]", activation: tanh}]}
  f_1: {input: b, layers: [dense: {units: 3, kernel_initializer: "w[1]", activation: tanh}]}
gradient: {f_: forward_only, f_0: forward_only, f_1: forward_only}
loss: {l: "LOSS"}
training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
measures: {body: b.body.kernel, f_: f_.dense_1.kernel, apart: "[f_0.dense_1.kernel, f_1.dense_1.kernel]"}
"""


def test_each_copy_passes_its_upstream_gradient_on(compiled: Callable[..., Compiled]) -> None:
    """What is below them gets the sum, as below networks with names of their own."""
    found = []
    for loss in ("sum((f_ - 1)^2)", "sum((f_0 - 1)^2) + sum((f_1 - 1)^2)"):
        made = compiled(PASSED_ON.replace("LOSS", loss))
        assert made.train(2) == [None]
        found.append(made.evaluate())
    together, apart = found
    np.testing.assert_allclose(together["body"], apart["body"], rtol=1e-12)
    np.testing.assert_allclose(together["f_"], apart["apart"], rtol=1e-12)

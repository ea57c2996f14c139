"""Numbers of gradient modes that change in training: beside updates written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.merge_cells import merge_cells

from tests.interpreter.conftest import HEAD

STUDY = """
dtype: float64
constants: {c: 4}
sweep: {c: [4, 2]}
functions: {bent(v): "v^3"}
gradient:
  f: {scale: "1 - step / c"}
  g.kept: {scale: "-1.0 if phase == 1 else 0.5 * phase_step"}
  bent: {clip: "0.2 * (step + 1)"}
task: {data: {train: 6, test: 5}, example: {x: "normal([3])", y: "normal()"}}
architecture:
  f: {input: x, layers: [dense: {units: 1, use_bias: false, name: kept}]}
  g: {input: x, layers: [dense: {units: 1, use_bias: false, name: kept}]}
  h: {input: x, layers: [dense: {units: 1, use_bias: false, name: kept}]}
loss: {f: (f - y)^2, g: (g - y)^2, h: "y * bent(h)"}
training: {optimizer: {sgd: 0.05}, batch: 6, phases: {a: {steps: 3}, b: {steps: 3}}}
measures: {f: f.weights, g: g.weights, h: h.weights}
"""


def expected(name: str, w: Any, x: Any, y: Any, c: float) -> Any:
    """The weights after six updates on the whole set."""
    for step in range(6):
        given = 2 * (x @ w - y)
        if name == "f":
            own = (1 - step / c) * given[:, np.newaxis] * x
        elif name == "g":
            own = (-1.0 if step >= 3 else 0.5 * step) * given[:, np.newaxis] * x
        else:
            limit = 0.2 * (step + 1)
            own = (np.clip(y, -limit, limit) * 3 * (x @ w) ** 2)[:, np.newaxis] * x
        w = w - 0.05 * own.mean(axis=0)
    return w


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_the_number_of_a_mode_is_that_of_the_update(xla: bool) -> None:
    text = HEAD + "".join(f"    {line}\n" for line in STUDY.strip("\n").splitlines())
    cells = spec.resolve(spec.parse(Source("test.yaml", text))).experiments[0].programs
    assert merge_cells(cells) is None  # which are compiled apart
    for c, program in [*zip((4, 2), cells, strict=True)][int(xla) :]:  # by XLA the second
        made = Compiled(program, range(2), xla)
        start, data = made.evaluate(), made.train_inputs.dataset
        made.train(6)
        found = made.evaluate()
        for name in ("f", "g", "h"):
            for replicate in range(2):
                x, y = (data[key].numpy()[replicate] for key in ("x", "y"))
                want = expected(name, start[name][replicate], x, y, c)
                np.testing.assert_allclose(found[name][replicate], want, rtol=1e-10, err_msg=name)


def test_a_gradient_in_a_measure_has_the_number_of_its_step(compiled: Callable[..., Compiled]) -> None:
    made = compiled(
        """
        dtype: float64
        gradient: {f: {scale: "1 + step"}}
        task: {example: {x: "normal([3])"}}
        architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false}]}}
        loss: {l: "0.0 * f"}
        training: {optimizer: {sgd: 1}, batch: 4, steps: 3}
        measures: {m: "E(max(abs(gradient(f, x) - (1 + step) * f.dense.kernel[:, 0])))", n: "E(norm(gradient(f, x)))"}
        """.replace("\n        ", "\n")
    )
    before = made.evaluate()
    made.train(3)
    after = made.evaluate()
    np.testing.assert_allclose([before["m"], after["m"]], 0, atol=1e-12)
    np.testing.assert_allclose(after["n"], 4 * before["n"], rtol=1e-12)


NOISE = """
dtype: float64
task: {data: {train: 6, test: 5}, example: {x: "1 + uniform(0, 1, [400])", z: "[[1.0] for t < 20]"}}
architecture:
  f: {input: x, layers: [dropout: "0.25 * step", dense: {units: 1, use_bias: false, name: sum, kernel_initializer: ones}]}
  g: {input: x, layers: [gaussian_noise: {stddev: "0.5 if phase == 1 else 0.0"}, dense: {units: 1, use_bias: false, name: sum, kernel_initializer: ones}]}
  h: {input: x, layers: [dropout: 0.5, dense: {units: 1, use_bias: false, name: sum, kernel_initializer: ones}]}
  k: {input: z, layers: [multi_head_attention: {num_heads: 1, dropout: "0.25 * step", use_bias: false, name: a, kernel_initializer: ones}]}
loss: {f: f, g: g, h: h, k: sum(k)}
training: {optimizer: {sgd: 1}, batch: 6, phases: {a: {steps: 2}, b: {steps: 2}}}
measures: {f: "f.weights", g: "g.weights", h: "h.weights", k: "k.a.attention_output_kernel", values: "k.a.value_kernel", shown: "E(f - sum(x * f.sum.kernel[:, 0]))"}
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_what_layers_draw_has_the_number_of_the_update(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The gradient of a sum by its weights is what the layer before it gave: kept inputs over 1 - rate, or inputs with noise."""
    made = compiled(NOISE, xla=xla)
    x = made.train_inputs.dataset["x"].numpy()[0]
    before, taken = made.evaluate(), []
    for _ in range(4):
        made.train(1)
        after = made.evaluate()
        taken.append(
            {name: 6 * (before[name][0] - after[name][0]) for name in ("f", "g", "h", "k")}
        )  # of six examples, summed
        taken[-1]["k"] /= before["values"][0]
        before = after
    for step, given in enumerate(taken):
        kept = given["f"] / x.sum(axis=0) * (1 - 0.25 * step)
        assert 1 - 0.25 * step == pytest.approx(kept.mean(), abs=0.06)
        shares = given["k"].item() * 20 * (1 - 0.25 * step)  # of equal places each gives a twentieth, where it is kept
        assert shares == pytest.approx(round(shares), abs=1e-6)
        assert shares / (6 * 400) == pytest.approx(1 - 0.25 * step, abs=0.04 if step else 1e-12)
        deviation = (given["g"] - x.sum(axis=0)).std() / np.sqrt(6)
        assert deviation == pytest.approx(0.5 if step >= 2 else 0, abs=0.05)
    np.testing.assert_allclose(taken[0]["f"], x.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(made.evaluate()["shown"], 0, atol=1e-10)  # measures drop nothing

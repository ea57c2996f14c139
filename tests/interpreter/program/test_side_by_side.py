"""Cells side by side in one compiled program have the numbers that each has alone, wherever a swept number stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells

HEAD = """
dlspec: 1
study: side_by_side
experiments:
  e:
    constants: {c: 1.5}
    sweep: {c: [0.5, 1.25, 2.5]}
    replicates: 2
"""
BODIES = {
    "an example": """
    task:
      draw: {w: "normal([3])"}
      example: {x: "normal([3]) * c", y: "dot(w, x) + c"}
    architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh}, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {adam: 0.01}, batch: 8, steps: 3}
    measures: {error: "E((f - y)^2)", size: "E(sum(x^2)) / c", weight: "norm(f.dense_1.kernel)"}
    """,
    "a distribution": """
    task:
      example: {x: "normal(0, c, [4])", k: "bernoulli(c / 4, [2])", y: "uniform(-c, c) + sum(k)"}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: abs(f - y)}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 3}
    measures: {error: "E((f - y)^2)", heads: "E(sum(k))"}
    """,
    "a draw, and a start made of it": """
    task:
      draw: {w: "normal([3]) * c", b: "normal()"}
      example: {x: "normal([3])", y: "dot(w, x) + b"}
    architecture: {f: {input: x, layers: [dense: {units: 1, kernel_initializer: "w[0] + c", bias_initializer: "normal(0, c)"}]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}, batch: 8, steps: 3}
    measures: {error: "E((f - y)^2)", first: "f.dense.kernel[0, 0]"}
    """,
    "a loss, and its weight": """
    task: {example: {x: "normal([3])", y: "sign(x[0])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {hinge: "maximum(0, c - y * f)", size: {of: f^2, weight: "0.1 * c / (1 + step)"}}
    training: {optimizer: {rmsprop: 0.01}, batch: 8, steps: 3}
    measures: {margin: "E(y * f < c)", hinge: "E(maximum(0, c - y * f))"}
    """,
    "a learning rate": """
    task: {example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 2, dense: 1]}, g: {input: x, layers: [dense: 1]}}
    loss: {l: (f + g - y)^2}
    training:
      optimizer: {f: {adamw: {learning_rate: 0.01 * c, weight_decay: 0.1}}, g: {sgd: "0.01 * c / (1 + step)"}}
      batch: 8
      steps: 4
    measures: {error: "E((f - y)^2)"}
    """,
    "functions, modes and layers of functions": """
    functions: {act(z): "tanh(c * z)", hard(z): "1 if z > c / 4 else 0"}
    gradient: {hard: {surrogate: "sigmoid(c * z)"}}
    task: {example: {x: "normal([3])", y: "sum([x[i] * c for i < 3])"}}
    architecture: {f: {input: x, layers: [dense: 4, apply: act, dense: 1]}}
    outputs: {o: hard(f)}
    loss: {l: (o - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 3}
    measures: {error: "E((o - y)^2)", gradient: "norm(E(gradient((f - c * y)^2, f.weights)))"}
    """,
    "finite data": """
    task:
      data: {train: 24, test: 16}
      example: {x: "normal([3])", y: "x[0] * c"}
    architecture: {f: {input: x, layers: [dense: 4, batch_normalization, dropout: 0.5, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {adam: 0.01}, batch: 8, steps: 5}
    measures: {error: "E((f - y)^2)", fitted: {of: "E((f - y)^2)", on: train}}
    """,
    "enumerated data, and statistics of gradients": """
    task:
      data: {enumerate: x}
      draw: {w: "rademacher([3])"}
      example: {x: "rademacher([3])", y: "prod([w[i] * x[i] * c for i < 3])"}
    architecture: {f: {input: x, layers: [dense: 2, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, steps: 3}
    measures:
      error: "E((f - y)^2)"
      variance: {gradient_variance: {of: "(f - y)^2", weights: f.weights, over: w, draws: 8}}
    """,
    "measures at the start alone": """
    task: {example: {x: "normal([3]) * c"}}
    architecture: {f: {input: x, layers: [dense: {units: 4, kernel_initializer: "normal(0, c)", activation: relu}, dense: 1]}}
    measures: {size: "E(f^2) * c", snr: {gradient_noise: {of: f^2, weights: f.dense_1.kernel, examples: 128}}}
    """,
    "a whitened input in float64": """
    dtype: float64
    task: {example: {x: "[normal() * c, normal()]", y: "x[0]"}}
    architecture: {f: {input: x, layers: [whiten: {examples: 64}, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 3}
    measures: {error: "E((f - y)^2)"}
    """,
}


def cells(body: str) -> tuple[Program, ...]:
    plan = spec.resolve(spec.parse(Source("side_by_side.yaml", HEAD + body)))
    return plan.experiments[0].programs


def outcome(compiled: Compiled, steps: int) -> dict[str, Any]:
    compiled.train(steps)
    return compiled.evaluate()


@pytest.mark.parametrize("xla", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("place", BODIES)
def test_a_row_is_the_cell_alone(place: str, xla: bool) -> None:
    programs = cells(BODIES[place])
    batch = merge_cells(programs)
    assert batch is not None
    steps = programs[0].training.steps if programs[0].training else 0
    together = Compiled(batch, (0, 1), xla)
    found = outcome(together, steps)
    for number in (0, 2):
        alone = Compiled(programs[number], (0, 1), xla)
        for name, value in outcome(alone, steps).items():
            own = found[name].reshape(len(programs), 2, *value.shape[1:])[number]
            np.testing.assert_allclose(own, value, rtol=2e-5, atol=1e-6, err_msg=name)
        for own, value in zip(together.saved()[number], alone.saved()[0], strict=True):
            assert own.shape == value.shape and own.dtype == value.dtype
            np.testing.assert_allclose(own, value, rtol=2e-4, atol=1e-6)

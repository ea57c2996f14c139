"""What tests of figures share: a study with one figure, and its results with numbers made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.cells import Cell, Results
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import FigurePlan

SPEC = """
dlspec: 1
study: drawn
experiments:
  e:
    constants: {d: 1}
    sweep: {d: [1, 2, 4]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), other: E(f)}
    replicates: 2
    variants: {a: {}, b: {training: {steps: 10}}}
    figures:
      shown: FIGURE
"""

Made = tuple[FigurePlan, Results]


@pytest.fixture
def made() -> Callable[..., Made]:
    """A figure's plan, and cells of variant `a` whose measure `error` at steps 0, 10, 20 is as given for [d, replicate]."""

    def make(figure: str, values: dict[tuple[int, int], list[float]], samples: Any = None) -> Made:
        (plan,) = spec.resolve(spec.parse(Source("drawn.yaml", SPEC.replace("FIGURE", figure)))).experiments
        cells = []
        for (d, replicate), curve in values.items():
            cell = Cell("e", "a", {"d": d}, replicate, "")
            for step, value in zip((0, 10, 20), curve, strict=False):
                cell.record(step, {"error": np.asarray(value), "other": np.asarray(-value)})
            if samples is not None:
                cell.samples = {"shown": samples}
            cells.append(cell)
        return plan.figures[0], Results.of_plan(plan, cells)

    return make

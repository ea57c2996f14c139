"""What tests of figures share: a study with one figure, and its results with numbers made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.cells import Cell, Results
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import FigurePlan

SPEC = Path(__file__).with_name("drawn.yaml").read_text("utf-8")

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

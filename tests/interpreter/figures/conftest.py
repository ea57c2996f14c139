"""What tests of figures share: a study with one figure, and its results with numbers made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import FigurePlan

SPEC = Path(__file__).with_name("drawn.yaml").read_text("utf-8")

Made = tuple[FigurePlan, Results]


@pytest.fixture
def made() -> Callable[..., Made]:
    """A figure's plan, and replicates of variant `a` whose measure `error` at steps 0, 10, 20 is as given for [d, replicate]."""

    def make(figure: str, values: dict[tuple[int, int], list[float]], samples: Any = None) -> Made:
        (plan,) = spec.resolve(spec.parse(Source("drawn.yaml", SPEC.replace("FIGURE", figure)))).experiments
        replicates = []
        for (d, number), curve in values.items():
            replicate = Replicate("e", "a", {"d": d}, number, "")
            for step, value in zip((0, 10, 20), curve, strict=False):
                replicate.record(step, {"error": np.asarray(value), "other": np.asarray(-value)})
            if samples is not None:
                replicate.samples = {"shown": samples}
            replicates.append(replicate)
        return plan.figures[0], Results.of_plan(plan, replicates)

    return make

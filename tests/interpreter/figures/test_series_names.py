"""What a description calls points: their own cell, where several cells have one colour and differ in their dashes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: coloured
experiments:
  e:
    constants: {r: 1, w: 1}
    sweep: {r: [1, 2, 3], w: [1, 2]}
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2 + r + w}
    training: {optimizer: {sgd: 0.1}, batch: 2, steps: 20, evaluate: {at: [0, 10, 20]}}
    measures: {error: E(f^2), line: "[E(f), 1.0, 2.0]"}
    replicates: 4
    variants: {a: {}, b: {training: {batch: 3}}}
    figures: {shown: FIGURE}
"""
FIGURES = {
    "curves": "{kind: curves, y: error, colour: variant}",
    "scaling": "{kind: scaling, x: r, y: error, colour: variant}",
    "profile": "{kind: profile, y: line, replicates: all, colour: variant}",
    "references": "{kind: curves, y: error, colour: variant, reference: {bound: 100 * w, other: 150 * w}}",
}


def results(plan: Any) -> Results:
    """All that is measured in a cell lies between k and k + 50, where k is 100, 200, … by variant and w. In each cell one replicate diverges, and
    one has a gap."""
    replicates = []
    for program in plan.programs:
        place = 100.0 * (1 + ("a", "b").index(program.variant) * 2 + program.point["w"] - 1)
        for number in range(4):
            one = Replicate("e", program.variant, dict(program.point), number, program.digest)
            for turn, step in enumerate((0, 10, 20)):
                value = math.nan if (number, step) == (1, 10) else place + program.point["r"] + number + turn / 10
                one.record(step, {"error": np.asarray(value), "line": np.asarray([value, value + 20, value + 30])})
                if number == 3 and step == 10:
                    one.status, one.end = "diverged", 12
                    break
            replicates.append(one)
    return Results.of_plan(plan, replicates)


@pytest.mark.parametrize("kind", FIGURES)
def test_every_point_bears_the_name_of_its_cell(kind: str) -> None:
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", STUDY.replace("FIGURE", FIGURES[kind])))).experiments
    figure = plan.figures[0]
    drawn = DRAWERS[figure.kind](figure, results(plan))
    drawn.canvas.draw()
    names = set()
    for panel in describe(drawn)["panels"]:
        for series in panel["series"]:
            if series["label"] in ("bound", "other"):
                assert set(series["y"]) <= ({100, 200} if series["label"] == "bound" else {150, 300})
                continue
            (place,) = {int(value // 100) for value in series["y"] if value is not None}
            names.add(series["label"])
            assert f"{'ab'[(place - 1) // 2]}, " in series["label"] and f"w = {2 - place % 2}" in series["label"]
    assert len(names) >= 4


def test_replicates_in_bars_are_not_called_after_those_that_diverged() -> None:
    """Both are black: where a cell's first bar has a cross, the dots of the next were `diverged`."""
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", STUDY.replace("FIGURE", "{kind: bars, y: error}")))).experiments
    drawn = DRAWERS["bars"](plan.figures[0], results(plan))
    drawn.canvas.draw()
    (panel,) = describe(drawn)["panels"]
    labels = {series["label"]: series["y"] for series in panel["series"]}
    assert labels.keys() == {"error", "each replicate", "diverged"}
    cells = [100 * place + r for place in (1, 2, 3, 4) for r in (1, 2, 3)]
    assert sorted(labels["diverged"]) == pytest.approx(sorted(cell + 3 + 0.1 for cell in cells), rel=1e-4)
    done = [cell + number + 0.2 for cell in cells for number in (0, 1, 2)]
    assert sorted(labels["each replicate"]) == pytest.approx(sorted(done), rel=1e-4)

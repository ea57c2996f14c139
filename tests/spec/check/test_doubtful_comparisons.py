"""Comparisons with labels that no prediction meets are warned of: with a perfect one, in NumPy, they are not so of all examples."""

from __future__ import annotations

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {{side(v): "1 if v > 0 else -1", right(v): v == y}}
    task: {{example: {{x: "normal([3])", y: "{label}", c: integer(3), r: "1.0 * y"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}, g: {{input: x, layers: [dense: 3]}}}}
    outputs: {{guess: f, answer: argmax(g)}}
    measures: {{used: E(guess + answer + y + c), m: "E({measure})"}}
"""


def warned(measure: str, label: str) -> list[str]:
    """What is warned of in a measure."""
    found = spec.resolve(spec.parse(Source("s.yaml", STUDY.format(measure=measure, label=label)))).warnings
    return [one.message for one in found if "label" in one.message or "never" in one.message or "always" in one.message]


COINS, SIGNS = "bernoulli(0.5)", "rademacher()"
DOUBTFUL = [
    ("f == y", COINS), ("y != guess", SIGNS), ("right(f)", COINS), ("all(g == c)", SIGNS),
    ("y * f > 0", COINS), ("guess * y < 0", COINS), ("y * f >= 0", COINS), ("sign(f) == y", COINS), ("(f > 0) == y", SIGNS), ("side(f) == y", COINS),
    ("argmax(g) == c + 1", SIGNS), ("answer == c + 1", SIGNS), ("y == (1 if f > 0 else 0)", SIGNS),
]  # fmt: skip
MEANT = [
    ("y * f > 0", SIGNS), ("(2 * y - 1) * f > 0", COINS), ("sign(f) == y", SIGNS), ("(f > 0) == y", COINS), ("(f > 0) == (y > 0)", SIGNS), ("side(f) == y", SIGNS),
    ("argmax(g) == c", SIGNS), ("answer == c", COINS), ("round(f) == y", COINS), ("f == 0", SIGNS), ("f == r", SIGNS), ("f(2 * x) == f", SIGNS),
    ("y == 1", COINS), ("c == y", SIGNS), ("(x[0] > 0) == y", SIGNS), ("abs(f - y) < 0.5", COINS), ("y * x[0] > 0", COINS),
    ("any([i + 1 == j for i < 3, j < 3]) and f > 0", COINS), ("c == g[0] + 0 * f", SIGNS),
]  # fmt: skip


@pytest.mark.parametrize(("measure", "label"), DOUBTFUL)
def test_what_no_prediction_meets_is_warned_of(measure: str, label: str) -> None:
    assert len(warned(measure, label)) == 1


@pytest.mark.parametrize(("measure", "label"), MEANT)
def test_what_a_prediction_can_meet_is_not(measure: str, label: str) -> None:
    assert warned(measure, label) == []


@pytest.mark.parametrize(("measure", "label"), [*DOUBTFUL[4:5], *DOUBTFUL[7:9], *MEANT[:5]])
def test_a_perfect_score_meets_all_that_is_not_warned_of(measure: str, label: str) -> None:
    y = np.random.default_rng(0).integers(0, 2, 1000)
    y, f = (y if label == COINS else 2 * y - 1), 3.0 * (2 * y - 1)
    share = float(np.mean(eval(measure, {"y": y, "f": f, "sign": np.sign})))
    assert (share == 1) == (not warned(measure, label))
    assert share == 1 or 0.4 < share < 0.6

"""A number that is refused for lying outside of bounds is told in digits that lie outside, too."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: outside
experiments:
  e:
    task: {example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [LAYER, dense: 1]}}
    functions: {half(s): s / 2}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: RATE}, batch: 8, steps: 2}
    measures: {m: "MEASURE"}
"""
SOUND = {"LAYER": "relu", "RATE": "0.1", "MEASURE": "E(f)"}
OUTSIDE = {
    "an argument": ({"RATE": "{learning_rate: 0.1, momentum: 1.00000001}"}, "and is 1.00000001"),
    "one that is not among them": ({"LAYER": "dropout: 1.00000001"}, "below 1, and is 1"),
    "a learning rate": ({"RATE": "-1e-9"}, "and is -1e-09"),
    "a count": ({"MEASURE": "E(iterate(half, y, 10001))"}, "and is 10,001"),
    "a large one": ({"MEASURE": "E(iterate(half, y, 123456789))"}, "and is 123,456,789"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_number_outside_is_told_in_digits_that_lie_outside(name: str) -> None:
    changed, told = OUTSIDE[name]
    text = STUDY
    for word, written in {**SOUND, **changed}.items():
        text = text.replace(word, written)
    with pytest.raises(spec.StudyError) as caught:
        spec.validate(spec.parse(Source("outside.yaml", text)))
    assert told in caught.value.problems[0].message

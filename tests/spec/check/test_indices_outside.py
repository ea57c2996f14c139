"""Indices that leave their array: of index notation an error, drawn ones a warning; NumPy says which places are outside."""

from __future__ import annotations

import re

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{c: [1.0, 10.0, 100.0], n: 3}}
    functions: {{"next(v, i)": "v[i + 1] - v[i]", "up(s)": "minimum(s + 1, 2)"}}
    task: {{example: {{x: "normal([3])", z: "normal([100])", k: integer(3), K: integer(300), M: "normal([2, 3])"}}}}
    measures: {{m: "{measure}"}}
"""


def told(measure: str) -> tuple[list[str], list[str]]:
    """The errors of a measure, and its warnings of indices, with their remedies."""
    try:
        found = spec.resolve(spec.parse(Source("s.yaml", STUDY.format(measure=measure))))
    except StudyError as error:
        return [f"{one.message} {one.hint}" for one in error.problems], []
    return [], [f"{one.message} {one.hint}" for one in found.warnings if "the index" in one.message]


PLACES = {
    "x[i + 1] for i < 3": (3, lambda i: i + 1), "x[i - 1] for i < n": (3, lambda i: i - 1), "c[i + 1] for i < n": (3, lambda i: i + 1),
    "x[2 * i - 1] for i < 2": (3, lambda i: 2 * i - 1 + 0 * i), "x[i % 4] for i < 4": (3, lambda i: i % 4),
    "next(x, i) for i < 3": (3, lambda i: i + 1), "x[i * i] for i < 3": (3, lambda i: i * i), "M[0, i + 1] for i < 3": (3, lambda i: i + 1),
    "x[i // 2 - 1] for i < 100": (3, lambda i: i // 2 - 1), "x[i + 1] if i != 1 else 0 for i < 3": (3, lambda i: i[i != 1] + 1),
}  # fmt: skip


@pytest.mark.parametrize("value", PLACES)
def test_a_place_of_index_notation_outside_is_an_error(value: str) -> None:
    size, index = PLACES[value]
    extent = int(value.replace("< n", "< 3").rsplit("<", 1)[1])
    places = index(np.arange(extent))
    errors, _ = told(f"E(sum([{value}]))")
    (message,) = errors
    assert f"is {places.min()} … {places.max()}, but the array has the entries 0 … {size - 1}" in message


@pytest.mark.parametrize(
    "value",
    [
        "x[i + 1] - x[i] for i < 2", "next(x, i) for i < 2", "x[(i + 1) % n] for i < n", "x[i - 1] if i > 0 else 0 for i < n", "x[i + 1] if i + 1 < n else 0 for i < n",
        "0 if i == 2 else x[i + 1] for i < n", "x[maximum(i - 1, 0)] for i < n", "x[clip(i + 1, 0, 2)] for i < n", "z[i - j] if i >= j else 0 for i < 100, j < 100",
        "z[i - j] if i >= j and i - j < 100 else 0 for i < 300, j < 100", "x[i - i // 2 * 2] for i < 100", "x[i + k] if i + k < n else 0 for i < n",
        "x[(i + k) % n] for i < n",
        "z[i + K] if i + K < 100 else 0 for i < n", "x[[0, 2, 1][i]] for i < n", "one_hot(i + 1, 3)[0] for i < n", "x[argmax(x)] for i < 1", "c[i] for i < len(x)",
        "x[iterate(up, 0, 9)] for i < 1",
    ],
)  # fmt: skip
def test_a_place_that_stays_inside_is_none(value: str) -> None:
    assert told(f"E(sum([{value}]))") == ([], [])


@pytest.mark.parametrize(
    ("measure", "range_", "ends"),
    [
        ("E(x[k - 1])", "-1 … 1", "below 0 it takes the first"), ("E(x[k + 1])", "1 … 3", "above 2 the last"),
        ("E(z[K])", "0 … 299", "above 99 the last"), ("E(x[2 * k - 1])", "-1 … 3", "below 0 it takes the first, and above 2 the last"),
        ("E(sum([x[i + k] for i < 2]))", "0 … 3", "above 2 the last"),
    ],
)  # fmt: skip
def test_a_drawn_index_that_may_be_outside_is_warned_of(measure: str, range_: str, ends: str) -> None:
    errors, warnings = told(measure)
    assert errors == []
    (message,) = warnings
    assert f"is {range_}, but the array has the entries" in message
    assert ends in message


TIMED = """
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([5])", y: "x[{index}]"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: (f - y)^2}}
    training: {{optimizer: adam, batch: 2, steps: 200}}
    measures: {{m: E(f)}}
"""


@pytest.mark.parametrize(
    "index",
    [
        "step % 5",
        "step * 7 % 10 // 2",
        "step - step // 5 * 5",
        "minimum(step, 4)",
        "(step + 1) // 41",
        "step // 20",
        "step % 6",
    ],
)
def test_an_index_of_the_step_is_known_at_each_step(index: str) -> None:
    values = [eval(index, {"step": step, "minimum": min}) for step in range(200)]  # of ints, as Python has them
    text = TIMED.format(index=index)
    if outside := [value for value in values if not 0 <= value < 5]:
        with pytest.raises(StudyError, match=f"is {outside[0]} at step {values.index(outside[0])}, outside"):
            spec.resolve(spec.parse(Source("s.yaml", text)))
    else:
        assert not [
            one for one in spec.resolve(spec.parse(Source("s.yaml", text))).warnings if "the index" in one.message
        ]


def test_remedies_are_taken() -> None:
    for measure in ("E(x[k - 1])", "E(x[2 * k - 1])", "E(sum([x[i + 1] for i < 3]))", "E(z[K])"):
        errors, warnings = told(measure)
        (message,) = errors or warnings
        index = re.search(r"the index `(.*?)`", message)[1]  # type: ignore[index]
        before = next(part for part in re.findall(r"\b[xz]\[[^\]]*\]", measure))
        chosen, around, ends = re.findall(r"`([^`]*)`", message.partition(f"`{index}`")[2])[:3]
        for remedy in (f"{before[0]}[{around}]", f"{before[0]}[{ends}]", f"({before}{chosen[1:]})"):
            assert told(measure.replace(before, remedy)) == ([], []), remedy


@pytest.mark.parametrize(
    "measure",
    ["max(x, 0)", "min(x, 0)", "max(x, -1)", "min(1.0 * [k, 1], 1)", "norm(x, 1)", "norm(x, 0)", "max([x[0], 0], 0)"],
)
def test_an_axis_of_a_vector_that_may_be_a_number_is_refused(measure: str) -> None:
    ((message,), _) = told(f"E(sum({measure}))")
    assert "is an axis, and" in message
    assert "`maximum(a, b)`" in message or "`minimum(a, b)`" in message or "p-norm" in message


@pytest.mark.parametrize("measure", ["max(x, axis=0)", "max(M, 0)[0]", "sum(x, 0)", "norm(M, axis=1)[0]", "max(x)"])
def test_an_axis_that_is_one_is_taken(measure: str) -> None:
    assert told(f"E({measure})") == ([], [])

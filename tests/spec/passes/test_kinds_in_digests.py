"""Equal digests give equal numbers: specs that differ in kinds alone have two digests, or mean the same in NumPy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.diff import compare
from dlspec.spec.passes.digests import measure_digest, sample_digest
from dlspec.spec.passes.evaluate import Value, evaluate_batched
from dlspec.spec.passes.signature_digests import signature_digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def document(value: str, **parts: Any) -> str:
    """A study whose measure `m` is the mean of an expression in an int k, a real x, a bool b, and a function."""
    experiment: dict[str, Any] = {
        "constants": {"c": 3, "one": [1, 2]},
        "functions": {"g(z)": "1 if z > 0 else -1"},
        "task": {
            "data": {"test": 8},
            "example": {"k": "integer(5)", "x": "normal([2])", "s": "x[0]", "b": "s > 0", "y": value},
        },
        "measures": {"m": "E(y)"},
    }
    for name, entries in parts.items():
        experiment[name] = {**experiment.get(name, {}), **entries}
    return json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})


def program(text: str) -> spec.Program:
    return spec.resolve(spec.parse(Source("kinds.yaml", text))).experiments[0].programs[0]


ENVIRONMENT = {
    "k": Value(np.array([0, 1, 2, 4]), ("example",)),
    "x": Value(np.array([[-1.5, 2.0], [0.25, 0.0], [3.0, -2.5], [1.0, 1.0]]), ("example",)),
    "s": Value(np.array([-1.5, 0.25, 3.0, 1.0]), ("example",)),
    "b": Value(np.array([False, True, True, True]), ("example",)),
}


def numbers(found: spec.Program) -> np.ndarray[Any, Any]:
    """The values of the binding `y`, in NumPy."""
    term = next(item.term for item in found.examples if item.name == "y")
    return evaluate_batched(term, ENVIRONMENT).array


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two spellings of one expression whose numbers are of different kinds, here and there."""

    def literal() -> tuple[str, str]:
        value = draw(st.integers(-3, 3))
        kinds = [str(value), f"{value}.0"]
        return draw(st.sampled_from(kinds)), draw(st.sampled_from(kinds))

    def leaf() -> tuple[str, str]:
        name = draw(st.sampled_from(["k", "s", "sum(x)", "b", "c", "len(x)", "literal", "literal", "array"]))
        if name == "literal":
            return literal()
        if name == "array":
            (a, p), (b, q) = literal(), literal()
            return f"[{a}, {b}][0 * k]", f"[{p}, {q}][0 * k]"
        return name, name

    def number(depth: int) -> tuple[str, str]:
        if depth == 0:
            return leaf()
        form = draw(
            st.sampled_from(
                ["({} + {})", "({} - {})", "({} * {})", "({} / {})", "({} // {})", "maximum({}, {})", "({} if s > {} else k)",
                 "g({} + {})", "sum([{}, {}])", "prod([{}, {}])", "abs({} - {})", "({} == {})", "sum([{} * i + {} for i < 3])"]
            )
        )  # fmt: skip
        left, right = number(depth - 1), number(draw(st.integers(0, depth - 1)))
        return form.format(left[0], right[0]), form.format(left[1], right[1])

    return number(draw(st.integers(1, 3)))


@MANY
@given(pairs())
def test_equal_digests_give_equal_numbers(pair: tuple[str, str]) -> None:
    try:
        left, right = (program(document(f"1.0 * ({text})")) for text in pair)
    except StudyError:
        return  # a division by a constant 0 or the like is refused
    digests = [(measure_digest(item, item.measures[0]), signature_digest(item)) for item in (left, right)]
    if digests[0][0] == digests[1][0] or digests[0][1] == digests[1][1]:
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(numbers(left), numbers(right))


APART = {
    "a literal": ("1 if s > 0 else -1", "1.0 if s > 0 else -1.0"),
    "what a function gives": ("g(s) // 2", "(1.0 if s > 0 else -1.0) // 2"),
    "the kind of a small array": ("[1, 2][k]", "[1.0, 2.0][k]"),
    "the kind of a large array": ("[i for i < 100][k]", "[1.0 * i for i < 100][k]"),
    "the shape of an array": ("sum([1, 2] * k)", "sum([[1], [2]] * k)"),
    "a bool and an int": ("sum([b, b] * [true, false])", "sum([b, b] * [1, 0])"),
    "the sign of 0": ("s * 0.0", "s * -0.0"),
}


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_kinds_and_shapes_are_meaning(pair: tuple[str, str]) -> None:
    left, right = (program(document(text)) for text in pair)
    assert measure_digest(left, left.measures[0]) != measure_digest(right, right.measures[0])
    assert signature_digest(left) != signature_digest(right)
    one, other = (next(item.term for item in found.examples if item.name == "y") for found in (left, right))
    assert sample_digest(left, one, 4) != sample_digest(right, other, 4)


def trained(one: str, **parts: Any) -> str:
    """A study whose network's output goes through a function of two values."""
    return document(
        "prod([s, s])",
        functions={"binary(z)": f"{one} if z >= 0 else -{one}"},
        architecture={"f": {"input": "x", "layers": [{"dense": 2}]}},
        loss={"squared": "(dot(binary(f), x) / 2 - y)^2 + 0 * sum(f)"},
        training={"optimizer": "sgd", "batch": 4, "steps": 2},
        **parts,
    )


def test_a_loss_in_another_kind_is_trained_anew_and_diff_says_so() -> None:
    before, after = trained("1"), trained("1.0")
    left, right = program(before), program(after)
    assert left.digest != right.digest and signature_digest(left) != signature_digest(right)
    sources = [spec.parse(Source("s.yaml", text)) for text in (before, after)]
    found = compare(*sources)
    assert not found.same
    (change,) = found.changes
    assert change.path[0] == "functions"
    assert change.note == "1 → 1.0: int → real" and "loss" in change.classes


def test_a_number_that_is_real_anyway_may_be_written_as_an_int() -> None:
    for one, other in (("s / 2", "s / 2.0"), ("s^2", "s^2.0"), ("normal(0, 1)", "normal(0.0, 1.0)")):
        left, right = program(document(one)), program(document(other))
        assert measure_digest(left, left.measures[0]) == measure_digest(right, right.measures[0])
        with_spelling = [spec.parse(Source("s.yaml", document(text))) for text in (one, other)]
        assert compare(*with_spelling).changes == (), "one meaning, and no change"


def test_swept_values_of_another_kind_are_a_change() -> None:
    sides = [spec.parse(Source("s.yaml", document("k // c", sweep={"c": values}))) for values in ([1, 2], [1.0, 2.0])]
    found = compare(*sides)
    assert not found.same and [change.path for change in found.changes] == [("sweep", "c")]
    assert "1 → 1.0" in found.changes[0].note

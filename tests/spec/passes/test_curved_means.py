"""Which measures are curved in means of sampled examples, and so biased: by closed reasoning, each form of term once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.curved_means import curved

BASE: dict[str, Any] = {
    "constants": {"w": "[1, 2, 3]"},
    "functions": {"ave(a)": "E(a)", "twice(a)": "2 * a", "product(a, b)": "a * b", "half(s)": "s / 2", "grow(s)": "s * s"},
    "task": {"data": {"test": 100}, "example": {"x": "normal([3])", "u": "normal()", "k": "integer(3)"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": 1}]}},
    "outputs": {"l": "(f - u)^2"},
}  # fmt: skip


def program(measures: dict[str, Any], **parts: Any) -> Program:
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": {**BASE, **parts, "measures": measures}}})
    (one,) = spec.resolve(spec.parse(Source("curved.yaml", text))).experiments[0].programs
    return one


def is_curved(text: Any, **parts: Any) -> bool:
    one = program({"m": text}, **parts)
    return curved(one, one.measures[0])


CURVED = (
    "norm(E(x))", "norm(E(x) - w)", "max(E(x))", "abs(E(u))", "E(u)^2", "E(u) * E(x[0])", "dot(E(x), E(x))", "squared_norm(E(x))", "sqrt(E(u^2))",
    "E(u) / E(x[0]^2)", "singular_values(E(outer(x, x)))", "cond(E(outer(x, x)))", "max(eigenvalues(E(outer(x, x)) - eye(3)))",
    "norm(E(gradient(l, f.weights)))", "norm(E(gradient(l, f.weights)) - f.weights)", "E((u - E(u))^2)", "product(ave(u), ave(u))", "norm(ave(x))",
    "E(u) if E(u) > 0 else 0", "iterate(grow, E(u), 2)", "E(u * E(u))", "abs(E(u, where=k > 0) - E(u, where=k == 0))", "norm([E(u), E(f)])",
    "sum([E(x)[i] * E(x)[j] for i < 3, j < 3])", "E(with_weights(l, f.weights, f.weights - 0.1 * E(gradient(l, f.weights))))", "stop(abs(E(u)))",
    "abs(quantile(u, 0.5))", "norm(E(x) + E(x, on=train))", "maximum(E(u), 0.1)",
)  # fmt: skip
LINEAR = (
    "E(norm(x))", "E(u)", "E(x)", "2 * E(u) + 3", "E(u) - E(f)", "E(u) / 5", "sum(E(x))", "dot(E(x), w)", "E(x)[1]", "mean(E(x)[0:2])", "-E(u)",
    "dot(E(x, on=train), E(x))", "E(u) * E(u, on=train)", "E(u, where=k > 0)", "E(u, where=k > 0) - E(u, where=k == 0)", "twice(ave(u))",
    "product(ave(u), 3)", "iterate(half, E(u), 3)", "[E(u), E(f)]", "reverse(cumsum(E(x)))", "E(u) if norm(f.weights) > 1 else 0", "E(u^2)",
    "outer(E(x), w)", "trace(E(outer(x, x)))", "E(gradient(l, f.weights))", "norm(f.weights)", "solve(eye(3), E(x))", "quantile(u, 0.5)", "E(u > 0)",
    "E(u * E(u, on=train))", "stop(E(u))",
)  # fmt: skip


@pytest.mark.parametrize("text", CURVED)
def test_what_is_curved_in_a_mean(text: str) -> None:
    assert is_curved(text)


@pytest.mark.parametrize("text", LINEAR)
def test_what_is_linear_or_no_mean(text: str) -> None:
    assert not is_curved(text)


def test_a_measure_by_its_name_is_as_it_is_written_out() -> None:
    one = program({"m": "E(u)", "square": "m^2", "double": "2 * m", "both": "m * double"})
    assert [measure.name for measure in one.measures if curved(one, measure)] == ["square", "both"]


WHOLE: list[dict[str, Any]] = [
    {"task": {"data": {"enumerate": "s"}, "example": {"s": "rademacher([3])", "x": "s", "u": "s[0]", "k": "0"}}},
    {"task": {"data": {"train": 50}, "example": BASE["task"]["example"]}},
]


@pytest.mark.parametrize(("parts", "text"), [(WHOLE[0], "norm(E(x))"), (WHOLE[1], "norm(E(x, on=train))")])
def test_what_goes_over_all_examples_has_no_bias(parts: dict[str, Any], text: str) -> None:
    assert not is_curved(text, **parts)
    assert is_curved(text)


@pytest.mark.parametrize(
    ("text", "bent"),
    [
        ("argmax(E(x)) == 1", False), ("[1.0, 2.0, 3.0][argmax(E(x))]", False), ("sqrt([1.0, 2.0, 3.0][argmax(E(x))])", False),
        ("E(x)[argmax(E(x, on=train))]", False), ("E(x)[argmax(E(x))]", True), ("E(u) if E(x, on=train)[0] > 0 else 1.0", False),
        ("E(u / [1.0, 2.0, 3.0][argmax(E(x, on=train))])", False), ("E(u / [1.0, 2.0, 3.0][argmax(E(x))])", True),
        ("E(u) ^ [1.0, 2.0, 3.0][argmax(E(x, on=train))]", True),
    ],
)  # fmt: skip
def test_what_is_chosen_by_other_examples_is_what_the_choice_gives(text: str, bent: bool) -> None:
    """The value at the temperature of the least loss on validation examples is not biased, at that of the least loss on the same ones it is."""
    assert is_curved(text) == bent


def test_of_several_test_streams_the_examples_are_the_same() -> None:
    parts = {"task": {**BASE["task"], "tests": {"far": {"k": "1 + integer(3)"}}}}
    assert is_curved("E(u) * E(u, on=far)", **parts)

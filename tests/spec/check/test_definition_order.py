"""Long chains: what a writer can make long is neither a matter of recursion nor told in thousands of words."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.check.definition_order import free
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.expressions.parser import parse_expression

LENGTH = 1500
CHAIN = [f"c{place}: c{place - 1} + 1" for place in range(LENGTH, 0, -1)]


def study(**parts: list[str]) -> spec.StudyPlan:
    """A study with some entries under keys of its one experiment, resolved."""
    task = {"draw": ["w: normal([2])"], "example": ["x: normal([2])", *parts.pop("example", [])]}
    lines = ["dlspec: 1", "study: s", "experiments:", "  e:", "    task:"]
    for key, entries in task.items():
        lines += [f"      {key}:", *(f"        {entry}" for entry in entries)]
    for key, entries in {"measures": ["m: sum(x)"], **parts}.items():
        lines += [f"    {key}:", *(f"      {entry}" for entry in entries)]
    return spec.resolve(spec.parse(Source("case.yaml", "\n".join(lines))))


def problems(**parts: list[str]) -> list[str]:
    with pytest.raises(spec.StudyError) as caught:
        study(**parts)
    return [problem.message for problem in caught.value.problems]


def test_constants_in_reverse_order_are_computed() -> None:
    plan = study(constants=[*CHAIN, "c0: 0"])
    assert plan.experiments[0].programs[0].constants[f"c{LENGTH}"] == LENGTH


def test_examples_and_outputs_in_reverse_order_are_put_in_order() -> None:
    program = study(example=[*CHAIN, "c0: sum(x)"]).experiments[0].programs[0]
    names = [item.name for item in program.examples]
    assert [name for name in names if name != "x"] == [f"c{place}" for place in range(LENGTH + 1)]
    outputs = study(outputs=[*CHAIN[-60:], "c0: sum(x)"], measures=["m: c60"]).experiments[0].programs[0].outputs
    assert len(outputs) == 61


def test_outputs_that_are_too_large_written_out_are_refused_before_any_is() -> None:
    (message,) = problems(outputs=[*CHAIN, "c0: sum(x)"], measures=[f"m: c{LENGTH}"])
    assert message == "this is nested more than 200 deep once outputs and functions are written out"
    twice = [f"c{place}: c{place - 1} + c{place - 1}" for place in range(60, 0, -1)]
    (message,) = problems(outputs=[*twice, "c0: sum(x)"], measures=["m: c60"])
    assert message == "this has more than 200,000 operations once outputs and functions are written out"
    (message,) = problems(functions=["g(a): a * a"], measures=["m: " + "g(" * 40 + "sum(x)" + ")" * 40])
    assert message == "this has more than 200,000 operations once outputs and functions are written out"


def test_networks_in_reverse_order_are_built() -> None:
    chain = [f"f{place}: {{input: f{place - 1}, layers: [dense: 2]}}" for place in range(300, 0, -1)]
    plan = study(architecture=[*chain, "f0: {input: x, layers: [dense: 2]}"], measures=["m: sum(f300)"])
    assert len(plan.experiments[0].programs[0].networks) == 301


def test_a_long_circle_is_one_error_with_few_of_its_names() -> None:
    (message,) = problems(constants=[*CHAIN, f"c0: c{LENGTH}"])
    assert message.startswith(f"'c{LENGTH}' is defined through itself, by way of {LENGTH + 1} names")
    assert len(message) < 200


def test_functions_that_call_each_other_by_the_thousand_are_one_error() -> None:
    chain = [f"f{place}(r): f{place - 1}(r) + 1" for place in range(LENGTH, 0, -1)]
    (message,) = problems(functions=[*chain, "f0(r): r"], measures=[f"m: sum(f{LENGTH}(x))"])
    assert "more than 150 steps deep" in message


def test_bases_by_the_thousand_are_laid_over_each_other() -> None:
    chain = [f"  e{place}: {{base: e{place - 1}, about: number {place}}}" for place in range(LENGTH, 0, -1)]
    first = '  e0: {constants: {c: 3}, task: {example: {x: "normal([c])"}}, measures: {m: sum(x)}}'
    text = "\n".join(["dlspec: 1", "study: s", "experiments:", *chain, first])
    document = spec.parse(Source("case.yaml", text))
    assert document.experiments[f"e{LENGTH}"].get("constants") is not None


def test_indices_of_an_expression_are_not_free() -> None:
    tree = parse_expression("[a * i + g(j) for i < n, j < i]")
    assert sorted(free(tree)) == ["a", "g", "n"]

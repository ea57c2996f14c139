"""Texts that differ in numbers alone have the tree that the parser makes of each, places and all."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.expressions import nodes as n
from dlspec.spec.expressions import parser
from dlspec.spec.expressions.alike import MAX_FORMS, NUMBER, Forms

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))
NUMBERS = ("0", "7", "12", "2147483648", "999999999999999999", "0.5", "3.25", "1234567.125", "0.0000001")
BESIDE = ("1e-3", "2.", ".5", "007", "1.5e3", "x1", "1000000000000000000000", "true")
"""What looks like a number, and is another, or a part of one."""
FORMS = (
    "{} + {} * {}", "f({}, axis={})[{}:{}, i]", "[x[i] * {} for i < {}, j < {}]", "a.b[{}].c ^ -{}", "({} if x > {} else {})",
    "final(error, d == {}) < {} + {} and not (y >= {})", "[{}, [{}, {}]]", "{}", "f(x) - {}*{}/{}", "m[{}:]  +  m[:{}]", "{}\n + {}",
)  # fmt: skip


def _places(tree: n.Expr) -> list[tuple[type[n.Node], int, int]]:
    return [(type(item), item.start, item.end) for item in n.walk(tree)]


def _same(one: n.Expr, other: n.Expr) -> bool:
    return one == other and _places(one) == _places(other)


def _texts() -> list[str]:
    """Expressions of all kinds, with numbers of all kinds in them."""
    rng = random.Random(3)
    fill = (*NUMBERS, *NUMBERS, *BESIDE)
    return [re.sub(r"\{\}", lambda _: rng.choice(fill), form) for form in FORMS for _ in range(60)]


def test_each_has_the_tree_that_the_parser_makes_of_it() -> None:
    forms, parsed = Forms(), []

    def counted(text: str) -> n.Expr:
        parsed.append(text)
        return parser._put_together(text)

    for text in _texts():
        try:
            alone = parser._put_together(text)
        except parser.SyntaxProblem as problem:
            with pytest.raises(parser.SyntaxProblem, match=re.escape(problem.message)):
                forms.tree(text, counted)
        else:
            assert _same(forms.tree(text, counted), alone), text
    assert len(parsed) < 0.75 * len(_texts()), "hardly any was made of another"


def test_so_have_the_expressions_of_the_examples_with_other_numbers() -> None:
    rng, forms, count = random.Random(4), Forms(), 0
    for path in EXAMPLES:
        for line in path.read_text("utf-8").splitlines():
            text = line.partition(": ")[2].strip().strip('"')
            try:
                parser._put_together(text)
            except parser.SyntaxProblem:
                continue
            for _ in range(3):
                other = NUMBER.sub(
                    lambda found: rng.choice([i for i in NUMBERS if ("." in i) == ("." in found[0])]), text
                )
                assert _same(forms.tree(other, parser._put_together), parser._put_together(other)), other
                count += 1
    assert count > 500


def test_a_thousand_claims_that_differ_in_numbers_are_put_together_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(text: str) -> n.Expr:
        parsed.append(text)
        return whole(text)

    whole = parser._put_together
    monkeypatch.setattr(parser, "_put_together", counted)
    monkeypatch.setattr(parser, "_FORMS", Forms())
    for number in range(1000):
        parser.parse_expression(f"final(some_error_of_one_test, d == {number}) < 0.{number} + {number}")
    assert len(parsed) == 1, "the first; the others are made of it"


def test_forms_are_forgotten_where_there_are_many() -> None:
    forms = Forms()
    for number in range(2 * MAX_FORMS + 5):
        forms.tree(f"x_{number} + 1", n.Name)
    assert len(forms.known) <= MAX_FORMS


def test_an_error_in_one_of_many_is_told_where_it_stands() -> None:
    lines = "".join(f"      m{number}: E(x + {number} * y)\n" for number in range(1, 30))
    text = f"""dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: normal()}}}}
    measures:
{lines}"""
    with pytest.raises(spec.StudyError) as caught:
        spec.validate(spec.parse(spec.decode(text.encode(), "s.yaml")))
    places = [(problem.line, problem.column) for problem in caught.value.problems]
    for (line, column), number in zip(places, range(1, 30), strict=True):
        assert text.splitlines()[line - 1][column - 1] == "y", number

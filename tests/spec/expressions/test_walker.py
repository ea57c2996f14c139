"""The walker makes what Lark makes, of every text that it takes; and what texts have in common it looks up once."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from dlspec.spec.expressions import parser
from dlspec.spec.expressions.parser import SyntaxProblem, parse_expression
from dlspec.spec.expressions.walker import Walker
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedInput

WORDS = (
    "a", "b1", "2", "0.5", ".5", "1.", "3e-2", "(", ")", "[", "]", ",", ":", ".", "=", "==", "<", "<=", "+", "-", "*", "/", "//", "%", "^",
    "and", "or", "not", "if", "else", "for", "true", "false", "order", "in", " ", "\n", "f(", "x[", "i < n", "$",
)  # fmt: skip


def outcome(parsed: object, text: str) -> object:
    """What comes of a text: a part with its places, a problem, or None where it can't be read."""
    try:
        part = parsed(text)  # type: ignore[operator]
    except UnexpectedInput:
        return None
    except SyntaxProblem as problem:
        return problem.message, problem.start, problem.end
    return part and (part, repr(part.node), [(node.start, node.end) for node in parser.n.walk(part.node)])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
    | st.lists(st.sampled_from(WORDS), max_size=9).map("".join)
)
@example("f(x, k=a if b else c, )[1:, :2, i].g for i < n, j < -m^2^3")
@example("not a.if")
@example("x for i <= n")
@example("[]")
@example(" a\n+ b ")
def test_what_it_takes_is_what_lark_makes_of_it(text: str) -> None:
    lark, own = outcome(parser._parser().parse, text), outcome(parser._walker().parse, text)
    assert own == lark or own is None


def test_a_valid_text_is_not_read_a_second_time() -> None:
    """All expressions of the examples but those that begin or end with what only YAML reads."""
    folder = Path(__file__).parents[3] / "examples"
    texts = {
        line.partition(": ")[2].partition("#")[0].strip()
        for file in sorted(folder.glob("*.yaml"))
        for line in file.open()
    }
    read = {}
    for text in texts:
        try:
            read[text] = parse_expression(text)
        except SyntaxProblem:
            continue
    assert len(read) > 100
    parser._parsed.cache_clear()
    with mock.patch.object(Lark, "parse", side_effect=AssertionError):
        assert {text: parse_expression(text) for text in read} == read


def test_texts_of_one_form_are_walked_by_the_steps_of_the_first() -> None:
    walker = Walker(parser._parser())

    def claim(number: int) -> str:
        return " and ".join(f"final(error, d == {number + place}) < {place / 10}" for place in range(17))

    walker.parse(claim(1))
    steps = len(walker.steps)
    assert steps < 100
    with mock.patch.object(walker, "_step", side_effect=AssertionError):
        for number in range(2, 30):
            assert walker.parse(claim(number)).node == parse_expression(claim(number))
    assert len(walker.steps) == steps


@pytest.mark.parametrize("text", ["a b", "a.5", "x for i <= n", "f(a, for)", "2 +", "§"])
def test_what_it_cannot_take_lark_explains(text: str) -> None:
    assert outcome(parser._walker().parse, text) is None
    with pytest.raises(SyntaxProblem):
        parse_expression(text)

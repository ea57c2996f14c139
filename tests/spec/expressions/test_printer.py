"""Syntax tree to text, and back to the same tree."""

from __future__ import annotations

import pytest
from dlspec.spec.expressions import nodes as n
from dlspec.spec.expressions.parser import parse_expression
from dlspec.spec.expressions.printer import PRECEDENCE, number_text, print_expression
from hypothesis import example, given, settings
from hypothesis import strategies as st

CANONICAL = [
    ("(a+(b*c))^-2", "(a + b * c)^-2"),
    ("((a))", "a"),
    ("-(2^2)", "-2^2"),
    ("(-2)^2", "(-2)^2"),
    ("2^(3^2)", "2^3^2"),
    ("(2^3)^2", "(2^3)^2"),
    ("a-(b-c)", "a - (b - c)"),
    ("(a-b)-c", "a - b - c"),
    ("a/(b*c)", "a / (b * c)"),
    ("not (a and b)", "not (a and b)"),
    ("(not a) and b", "not a and b"),
    ("(a<b)==c", "(a < b) == c"),
    ("(a if b else c)+1", "(a if b else c) + 1"),
    ("(a if b else c) if d else e", "(a if b else c) if d else e"),
    ("a if b else (c if d else e)", "a if b else c if d else e"),
    ("-f( x,y = 2 )", "-f(x, y=2)"),
    ("(-z)[0]", "(-z)[0]"),
    ("z[ 1 : ][0,: ]", "z[1:][0, :]"),
    ("[i for i<n+1,j<2]", "i for i < n + 1, j < 2"),
    ("sum([x[i] for i < n])", "sum([x[i] for i < n])"),
    ("[[1,2],[3,4,]]", "[[1, 2], [3, 4]]"),
    ("f.block[0].w", "f.block[0].w"),
    ("1E-05 + 1.50", "1e-5 + 1.5"),
]


@pytest.mark.parametrize(("text", "printed"), CANONICAL)
def test_one_canonical_spelling(text: str, printed: str) -> None:
    assert print_expression(parse_expression(text)) == printed
    assert print_expression(parse_expression(printed)) == printed


def test_index_notation_keeps_its_brackets_below_the_top() -> None:
    tree = parse_expression("[i for i < 3]")
    assert print_expression(tree) == "i for i < 3"
    assert print_expression(tree, top=False) == "[i for i < 3]"


NAMES = st.sampled_from(["x", "y", "z", "w_2", "E", "nota", "iff", "order"])
NUMBERS = st.integers(0, 10**18) | st.floats(0, 1e300, allow_nan=False, allow_infinity=False)
LEAVES = NUMBERS.map(lambda v: n.Number(abs(v))) | st.booleans().map(n.Boolean) | NAMES.map(n.Name)


def larger(inner: st.SearchStrategy[n.Expr]) -> st.SearchStrategy[n.Expr]:
    """Every kind of node over smaller trees."""
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    subscript = inner | st.builds(n.Slice, st.none() | inner, st.none() | inner)
    return st.one_of(
        st.builds(n.Array, some),
        st.builds(n.Unary, st.sampled_from(["-", "+", "not"]), inner),
        st.builds(n.Binary, st.sampled_from([*PRECEDENCE]), inner, inner),
        st.builds(n.Conditional, inner, inner, inner),
        st.builds(
            n.Call,
            NAMES,
            st.lists(inner, max_size=2).map(tuple),
            st.lists(st.tuples(NAMES, inner), max_size=2).map(tuple),
        ),
        st.builds(n.Index, inner, st.lists(subscript, min_size=1, max_size=2).map(tuple)),
        st.builds(n.Attribute, inner, NAMES),
        st.builds(n.Comprehension, inner, st.lists(st.tuples(NAMES, inner), min_size=1, max_size=2).map(tuple)),
    )


TREES = st.recursive(LEAVES, larger, max_leaves=12)


@given(TREES)
@settings(max_examples=400, deadline=None)
@example(n.Unary("-", n.Unary("not", n.Name("x"))))
@example(n.Binary("^", n.Unary("-", n.Number(2)), n.Unary("not", n.Name("x"))))
@example(n.Attribute(n.Number(1), "x"))
@example(n.Index(n.Array((n.Name("x"),)), (n.Slice(None, None),)))
@example(n.Comprehension(n.Name("x"), (("i", n.Binary("<", n.Name("x"), n.Name("y"))),)))
@example(n.Comprehension(n.Comprehension(n.Name("x"), (("i", n.Number(2)),)), (("j", n.Number(3)),)))
def test_what_is_printed_reads_back_as_the_same_tree(tree: n.Expr) -> None:
    text = print_expression(tree)
    assert parse_expression(text) == tree
    assert print_expression(parse_expression(text)) == text
    assert print_expression(tree, top=False) == print_expression(
        parse_expression(print_expression(tree, top=False)), top=False
    )


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_every_span_of_a_printed_tree_holds_its_node(tree: n.Expr) -> None:
    text = print_expression(tree)
    for node in n.walk(parse_expression(text)):
        if not isinstance(node, n.Slice):
            assert parse_expression(text[node.start : node.end]) == node


@given(NUMBERS)
def test_numbers_keep_their_value_and_kind(value: int | float) -> None:
    tree = parse_expression(number_text(abs(value)))
    assert isinstance(tree, n.Number)
    assert tree.value == abs(value) and type(tree.value) is type(value)

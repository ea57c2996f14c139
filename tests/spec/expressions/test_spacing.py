"""The spacing of expressions: one spelling for white space, all else as written."""

from __future__ import annotations

import pytest
from dlspec.spec.expressions import nodes as n
from dlspec.spec.expressions.parser import SyntaxProblem, parse_expression
from dlspec.spec.expressions.printer import PRECEDENCE, print_expression
from dlspec.spec.expressions.spacing import respaced
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = [
    ("(guess-y)^2", "(guess - y)^2"),
    ("( guess - y ) ^ 2", "(guess - y)^2"),
    ("1E-03+1.50 *.5", "1E-03 + 1.50 * .5"),
    ("- x+ -y", "-x + -y"),
    ("a^ -b", "a^-b"),
    ("2^ - (b+1)", "2^-(b + 1)"),
    ("not(a)and not b", "not (a) and not b"),
    ("z[ 1 : ]", "z[1:]"),
    ("z[:n-1]", "z[:n - 1]"),
    ("z[:-1][0,:]", "z[:-1][0, :]"),
    ("f(x,axis = -1,)", "f(x, axis=-1)"),
    ("[1,2,]", "[1, 2]"),
    ("[[1,2],[3,4]]", "[[1, 2], [3, 4]]"),
    ("[i for i<n]", "i for i < n"),
    ("[a,b] for i<2", "[a, b] for i < 2"),
    ("sum([x[i]for i<n])", "sum([x[i] for i < n])"),
    ("a if b<c else(d)", "a if b < c else (d)"),
    ("f.block[ 0 ] . w", "f.block[0].w"),
    ("final(e,variant==a)<=1e-3", "final(e, variant == a) <= 1e-3"),
    ("x//2%3", "x // 2 % 3"),
    ("a\n  +  b", "a + b"),
    ("true", "true"),
]


@pytest.mark.parametrize(("text", "spaced"), CASES)
def test_one_spacing(text: str, spaced: str) -> None:
    assert respaced(text) == spaced
    assert respaced(spaced) == spaced
    assert parse_expression(spaced) == parse_expression(text)


def test_brackets_of_index_notation_stay_below_the_top() -> None:
    assert respaced("[ i for i<3 ]", top=False) == "[i for i < 3]"


def test_a_text_that_is_no_expression_is_refused() -> None:
    with pytest.raises(SyntaxProblem):
        respaced("a +")


NAMES = st.sampled_from(["x", "y", "w_2", "E", "nota", "iff", "order"])
NUMBERS = st.integers(0, 10**18) | st.floats(0, 1e300, allow_nan=False, allow_infinity=False)
LEAVES = NUMBERS.map(lambda v: n.Number(abs(v))) | st.booleans().map(n.Boolean) | NAMES.map(n.Name)


def larger(inner: st.SearchStrategy[n.Expr]) -> st.SearchStrategy[n.Expr]:
    """Every kind of node over smaller trees."""
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    named = st.lists(st.tuples(NAMES, inner), min_size=1, max_size=2).map(tuple)
    subscript = inner | st.builds(n.Slice, st.none() | inner, st.none() | inner)
    return st.one_of(
        st.builds(n.Array, some),
        st.builds(n.Unary, st.sampled_from(["-", "+", "not"]), inner),
        st.builds(n.Binary, st.sampled_from([*PRECEDENCE]), inner, inner),
        st.builds(n.Conditional, inner, inner, inner),
        st.builds(n.Call, NAMES, some, named),
        st.builds(n.Index, inner, st.lists(subscript, min_size=1, max_size=2).map(tuple)),
        st.builds(n.Attribute, NAMES.map(n.Name), NAMES),
        st.builds(n.Comprehension, inner, named),
    )


TREES = st.recursive(LEAVES, larger, max_leaves=12)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_what_the_printer_writes_is_spaced_already(tree: n.Expr) -> None:
    """The two agree on one spelling."""
    text = print_expression(tree)
    assert respaced(text) == text


@given(TREES, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_whatever_the_white_space_the_result_is_the_same(tree: n.Expr, random: object) -> None:
    text = print_expression(tree)
    wide = "".join(
        c + (" " * random.choice([0, 1, 2]) if c in "+-*(),[]^:" and text[i + 1 : i + 2] not in "+-/*" else "")  # type: ignore[attr-defined]
        for i, c in enumerate(text)
    )
    if _same(wide, tree):
        assert respaced(wide) == text


def _same(text: str, tree: n.Expr) -> bool:
    """Whether the widened text still reads as the tree: an exponent's sign may not be torn off its number."""
    try:
        return parse_expression(text) == tree
    except SyntaxProblem:
        return False

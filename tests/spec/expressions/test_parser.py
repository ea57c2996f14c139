"""Text to syntax tree: precedence, associativity, positions, and nothing but `SyntaxProblem` for whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dlspec.spec.expressions import nodes as n
from dlspec.spec.expressions.parser import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NESTING,
    SyntaxProblem,
    parse_expression,
)
from dlspec.spec.expressions.printer import print_expression
from dlspec.spec.source.names import KEYWORDS, is_name
from hypothesis import given, settings
from hypothesis import strategies as st

# -- precedence and associativity: each text groups as its neighbour with every bracket written out -------------------

GROUPINGS = [
    ("-2^2", "-(2^2)"),
    ("2^-1", "2^(-1)"),
    ("2^3^2", "2^(3^2)"),
    ("2^-3^2", "2^(-(3^2))"),
    ("--a", "-(-a)"),
    ("-a * b", "(-a) * b"),
    ("a * -b", "a * (-b)"),
    ("a - b - c", "(a - b) - c"),
    ("a - b + c", "(a - b) + c"),
    ("a / b / c", "(a / b) / c"),
    ("a // b % c", "(a // b) % c"),
    ("a / b * c", "(a / b) * c"),
    ("a + b * c", "a + (b * c)"),
    ("a * b ^ c", "a * (b ^ c)"),
    ("a + b < c * d", "(a + b) < (c * d)"),
    ("not a == b", "not (a == b)"),
    ("not not a", "not (not a)"),
    ("not a and b", "(not a) and b"),
    ("a and not b", "a and (not b)"),
    ("a or b and c", "a or (b and c)"),
    ("a and b or c", "(a and b) or c"),
    ("a or b or c", "(a or b) or c"),
    ("a and b and c", "(a and b) and c"),
    ("a < b and b < c", "(a < b) and (b < c)"),
    ("a if c else b", "(a) if (c) else (b)"),
    ("a if b or c else d", "a if (b or c) else d"),
    ("a or b if c else d", "(a or b) if c else d"),
    ("a if b else c if d else e", "a if b else (c if d else e)"),
    ("f(x)^2", "(f(x))^2"),
    ("-f(x)", "-(f(x))"),
    ("-z[0]^2", "-((z[0])^2)"),
    ("z[i + 1]", "z[(i + 1)]"),
    ("f.g[0].h", "((f.g)[0]).h"),
    ("z[1:][0]", "(z[1:])[0]"),
    ("a + b if c else d", "(a + b) if c else d"),
    ("x[i] + 1 for i < n", "(x[i] + 1) for i < n"),
    ("a if c else b for i < n + 1", "(a if c else b) for i < (n + 1)"),
]


@pytest.mark.parametrize(("text", "grouped"), GROUPINGS)
def test_precedence(text: str, grouped: str) -> None:
    assert parse_expression(text) == parse_expression(grouped)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("-2^2", "(-2)^2"),
        ("2^3^2", "(2^3)^2"),
        ("a - b - c", "a - (b - c)"),
        ("a / b / c", "a / (b / c)"),
        ("not a and b", "not (a and b)"),
        ("a or b and c", "(a or b) and c"),
        ("a if b else c if d else e", "(a if b else c) if d else e"),
        ("-f(x)", "(-f)(x)"),
    ],
)
def test_the_other_grouping_is_another_tree(text: str, other: str) -> None:
    try:
        tree = parse_expression(other)
    except SyntaxProblem:
        return
    assert parse_expression(text) != tree


def number(value: float) -> n.Number:
    return n.Number(value)


TREES = [
    ("1", n.Number(1)),
    ("1.0", n.Number(1.0)),
    ("1e-5", n.Number(1e-5)),
    (".5", n.Number(0.5)),
    ("5.", n.Number(5.0)),
    ("true", n.Boolean(True)),
    ("false", n.Boolean(False)),
    ("truely", n.Name("truely")),
    ("order", n.Name("order")),
    ("nothing", n.Name("nothing")),
    ("-1", n.Unary("-", number(1))),
    ("+x", n.Unary("+", n.Name("x"))),
    ("not x", n.Unary("not", n.Name("x"))),
    ("a != b", n.Binary("!=", n.Name("a"), n.Name("b"))),
    ("a // b", n.Binary("//", n.Name("a"), n.Name("b"))),
    ("[a, 2]", n.Array((n.Name("a"), number(2)))),
    ("[a,]", n.Array((n.Name("a"),))),
    ("f()", n.Call("f", ())),
    ("f(x, k=2)", n.Call("f", (n.Name("x"),), (("k", number(2)),))),
    ("f(x,)", n.Call("f", (n.Name("x"),))),
    ("z[:]", n.Index(n.Name("z"), (n.Slice(None, None),))),
    ("z[1:]", n.Index(n.Name("z"), (n.Slice(number(1), None),))),
    ("z[:-1]", n.Index(n.Name("z"), (n.Slice(None, n.Unary("-", number(1))),))),
    ("w[i, 0:2]", n.Index(n.Name("w"), (n.Name("i"), n.Slice(number(0), number(2))))),
    ("f.w", n.Attribute(n.Name("f"), "w")),
    ("[i for i < 3]", n.Comprehension(n.Name("i"), (("i", number(3)),))),
    ("i for i < 3", n.Comprehension(n.Name("i"), (("i", number(3)),))),
    (
        "i * j for i < n, j < 2",
        n.Comprehension(n.Binary("*", n.Name("i"), n.Name("j")), (("i", n.Name("n")), ("j", number(2)))),
    ),
    ("a if c else b", n.Conditional(n.Name("a"), n.Name("c"), n.Name("b"))),
    ("  a\n +\tb ", n.Binary("+", n.Name("a"), n.Name("b"))),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_trees(text: str, tree: n.Expr) -> None:
    found = parse_expression(text)
    assert found == tree
    if isinstance(tree, n.Number):
        assert isinstance(found, n.Number) and type(found.value) is type(tree.value)


# -- positions ---------------------------------------------------------------------------------------------------------


def slices(text: str) -> list[str]:
    """The texts that all nodes of an expression span, a parent before its children."""
    return [text[node.start : node.end] for node in n.walk(parse_expression(text))]


def test_spans_slice_the_text_of_their_node() -> None:
    text = " floor_to( r+1 , z[ 1: ] ) * -2 ^ b.c "
    assert slices(text) == [
        "floor_to( r+1 , z[ 1: ] ) * -2 ^ b.c", "floor_to( r+1 , z[ 1: ] )", "r+1", "r", "1", "z[ 1: ]", "z", "1:", "1",
        "-2 ^ b.c", "2 ^ b.c", "2", "b.c", "b",
    ]  # fmt: skip
    assert slices("a if c else [x for i < n]") == ["a if c else [x for i < n]", "a", "c", "[x for i < n]", "x", "n"]
    assert slices("x[i] for i < 3") == ["x[i] for i < 3", "x[i]", "x", "i", "3"]
    assert slices("not true") == ["not true", "true"]


@pytest.mark.parametrize("text", [text for text, _ in GROUPINGS] + [text for text, _ in TREES])
def test_what_a_span_slices_parses_to_its_node(text: str) -> None:
    for node in n.walk(parse_expression(text)):
        if not isinstance(node, n.Slice):
            assert parse_expression(text[node.start : node.end]) == node


# -- what is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("", "empty", ""),
        ("  \n", "empty", ""),
        ("a +", "ends too early", ""),
        ("f(a", "ends too early", "not closed"),
        ("a < b < c", "do not chain", "a < b and b < c"),
        ("a == b != c", "do not chain", "a < b and b < c"),
        ("[]", "no shape", "zeros"),
        ("a ** b", "'*'", "a^b"),
        ("a = b", "'='", "=="),
        ("a b", "'b'", "a * b"),
        ("2 x", "'x'", "a * b"),
        ("f(x))", "')'", "never opened"),
        ("'word'", "''' has no meaning", "no texts"),
        ("{a}", "'{'", "[a, b]"),
        ("a @ b", "'@'", "matmul"),
        ("x²", "'²'", "^2"),
        ("a & b", "'&'", "and"),
        ("f(x)(y)", "not the name", "f(x)"),
        ("(a + b)(c)", "not the name", "f(x)"),
        ("f(a=1, b)", "follows one by name", "last"),
        ("1e999", "too large", ""),
        ("x for i in n", "", ""),
        ("sum(x[i] for i < n)", "'for'", "brackets"),
        ("lambda x: x", "", ""),
        ("__import__('os')", "", ""),
        ("a; b", "';'", ""),
        ("a := 1", "", ""),
    ],
)
def test_problems_are_prose(text: str, said: str, hint: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression(text)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert 0 <= caught.value.start <= caught.value.end <= len(text)


def test_problems_point_at_the_fault() -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression("alpha + beta gamma")
    assert "alpha + beta gamma"[caught.value.start : caught.value.end] == "gamma"


ALPHABET = "ab1 .,:+-*/%^<>=!()[]{}'\"\n\t²ε_ef"
WORDS = [
    "a",
    "f(",
    ")",
    "[",
    "]",
    "if",
    "else",
    "for",
    "i <",
    "not",
    "and",
    "or",
    "1",
    "1.5e3",
    ",",
    ":",
    "^",
    "-",
    "<",
    "==",
    "=",
    ".",
]


@given(
    st.text(max_size=40) | st.text(ALPHABET, max_size=40) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
)
@settings(max_examples=300, deadline=None)
def test_any_text_parses_or_is_a_syntax_problem(text: str) -> None:
    try:
        tree = parse_expression(text)
    except SyntaxProblem as problem:
        assert problem.message
        assert 0 <= problem.start <= problem.end <= max(len(text), 1)
    else:
        assert all(0 <= node.start < node.end <= len(text) for node in n.walk(tree))
        assert parse_expression(print_expression(tree)) == tree


DEEP = {
    "brackets": "(" * 5000 + "a" + ")" * 5000,
    "squares": "[" * 5000,
    "open": "f(" * 3000,
    "signs": "-" * 5000 + "a",
    "words": "not " * 2400 + "a",
    "sums": "a" + " + a" * 2400,
    "powers": "a" + " ^ a" * 2400,
    "conditionals": "a if b else " * 800 + "a",
    "subscripts": "a" + "[0]" * 3000,
    "parts": "a" + ".b" * 4000,
    "long": "a" + " " * 20_000 + "+ b",
    "items": "[" + "a, " * 20_000 + "a]",
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_too_deep_or_too_long_is_a_syntax_problem(name: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression(DEEP[name])
    assert caught.value.hint


def test_what_just_fits_parses() -> None:
    assert parse_expression("(" * MAX_NESTING + "a" + ")" * MAX_NESTING) == n.Name("a")
    depth = MAX_DEPTH - 1
    assert len(n.walk(parse_expression("-" * depth + "a"))) == MAX_DEPTH
    with pytest.raises(SyntaxProblem):
        parse_expression("-" * (depth + 1) + "a")
    assert parse_expression("a" + " " * (MAX_LENGTH - 1)) == n.Name("a")
    with pytest.raises(SyntaxProblem):
        parse_expression("a" + " " * MAX_LENGTH)


def test_names() -> None:
    assert all(map(is_name, ("x", "W_2", "d10", "_x", "if_", "E")))
    assert not any(map(is_name, (*KEYWORDS, "", "2x", "a b", "a-b", "é", "a.b")))


PLACES = ["{}", "1 + {}", "{} + 1", "{}(x)", "f.{}", "x for {} < 3", "f({}=3)", "[{}]", "a if {} else b"]
MEANT = {"not + 1", "not(x)"}


@pytest.mark.parametrize(
    "text", [p.format(w) for p in PLACES for w in sorted(KEYWORDS - {"true", "false"}) if p.format(w) not in MEANT]
)
def test_a_word_of_the_language_is_no_name(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse_expression(text)


def test_what_is_wrong_with_a_text_is_told_each_time_anew() -> None:
    caught = []
    for _ in range(2):
        with pytest.raises(SyntaxProblem) as found:
            parse_expression("1 +")
        caught.append(found.value)
    assert caught[0] is not caught[1] and str(caught[0]) == str(caught[1])


def test_the_first_fault_of_a_text_is_told() -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression("[] * , b")
    assert caught.value.message == "an empty array has no shape"


@pytest.mark.parametrize("count", [MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize("make", [lambda n: "a" + " + a" * (n - 1), lambda n: "-" * (n - 1) + "a"])
def test_depth_counts_each_step_and_no_bracket(make: Callable[[int], str], count: int) -> None:
    text = f"(({make(count)}))"
    if count > MAX_DEPTH:
        with pytest.raises(SyntaxProblem) as caught:
            parse_expression(text)
        assert caught.value.message == f"an expression more than {MAX_DEPTH} steps deep"
    else:
        assert parse_expression(text).start == 2


@pytest.mark.parametrize("text", ["rows.if", "rows[if:x]", "rows[x:if]", "1 + f . not.kernel", "if + 1", "x[1] + (or)"])
def test_a_column_called_like_a_word_is_to_be_renamed(text: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression(text)
    assert ("Rename a column or layer" in caught.value.hint) == ("+" not in text or "." in text)

"""YAML text to nodes: values by the 1.2 core schema, the position of every key and value, and the limits."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from dlspec.spec.diagnostics.problems import Source, Span, StudyError
from dlspec.spec.source import nodes as yaml
from dlspec.spec.source.text import MAX_BYTES, decode, read
from hypothesis import given, settings
from hypothesis import strategies as st


def tree(text: str) -> yaml.Mapping:
    """The nodes of a text."""
    return yaml.parse(Source("a.yaml", text))


def problem(text: str | bytes) -> Any:
    """The one problem of a text."""
    with pytest.raises(StudyError) as caught:
        yaml.parse(decode(text if isinstance(text, bytes) else text.encode(), "a.yaml"))
    (found,) = caught.value.problems
    return found


def place(span: Span) -> tuple[int, int, int, int]:
    """A span in numbers."""
    return span.line, span.column, span.end_line, span.end_column


# -- scalars -----------------------------------------------------------------------------------------------------------

SCALARS: list[tuple[str, Any]] = [
    ("1e-5", 1e-5),
    ("1E5", 1e5),
    ("1.5", 1.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("-1.5e+3", -1500.0),
    ("+2", 2),
    ("12", 12),
    ("-12", -12),
    ("012", 12),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("n", "n"),
    ("Yes", "Yes"),
    ("true", True),
    ("True", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("null", None),
    ("~", None),
    ("Null", None),
    ("nULL", "nULL"),
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    ("+.INF", math.inf),
    ("inf", "inf"),
    ("nan", "nan"),
    ("2001-12-14", "2001-12-14"),
    ("=", "="),
    ("1e", "1e"),
    ("e5", "e5"),
    (".", "."),
    ("-", "-"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    found = yaml.scalar_value(text)
    assert found == value and type(found) is type(value)
    if text not in ("-", "="):
        node = tree(f"a: {text}").get("a")
        assert isinstance(node, yaml.Scalar)
        assert node.value == value and type(node.value) is type(value)
        assert node.text == text and node.plain


def test_not_a_number_and_nothing() -> None:
    found = yaml.scalar_value(".nan")
    assert isinstance(found, float) and math.isnan(found)
    node = tree("a:\nb: 1").get("a")
    assert isinstance(node, yaml.Scalar) and node.value is None and node.text == ""


@pytest.mark.parametrize("quoted", ['"1e-5"', "'1e-5'", "|\n  1e-5", ">-\n  1e-5", "!!str 1e-5"])
def test_what_is_quoted_is_a_text(quoted: str) -> None:
    node = tree(f"a: {quoted}").get("a")
    assert isinstance(node, yaml.Scalar)
    assert isinstance(node.value, str) and node.value.strip() == "1e-5"


@given(st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_plain_scalar_is_a_word_or_what_python_reads(text: str) -> None:
    value = yaml.scalar_value(text)
    if isinstance(value, str):
        assert value == text
    elif isinstance(value, float) and math.isfinite(value):
        assert value == float(text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20))
def test_every_number_that_python_writes_is_a_number(value: float) -> None:
    found = yaml.scalar_value(repr(value))
    assert found == value and type(found) is type(value)


# -- positions ---------------------------------------------------------------------------------------------------------

TEXT = """\
# a comment
plain: word  # another
single: 'it''s'
double: "a\\tb"
block: |
  one
  two
folded: >-
  a
  b
flow: {x: 1, 'y z': [2, "three"]}
list:
  - a
  - b: c
empty:
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (["plain"], (2, 1, 2, 6), (2, 8, 2, 12)),
        (["single"], (3, 1, 3, 7), (3, 9, 3, 16)),
        (["double"], (4, 1, 4, 7), (4, 9, 4, 15)),
        (["block"], (5, 1, 5, 6), (5, 8, 8, 1)),
        (["folded"], (8, 1, 8, 7), (8, 9, 11, 1)),
        (["flow"], (11, 1, 11, 5), (11, 7, 11, 34)),
        (["flow", "x"], (11, 8, 11, 9), (11, 11, 11, 12)),
        (["flow", "y z"], (11, 14, 11, 19), (11, 21, 11, 33)),
        (["flow", "y z", 1], None, (11, 25, 11, 32)),
        (["list", 0], None, (13, 5, 13, 6)),
        (["list", 1, "b"], (14, 5, 14, 6), (14, 8, 14, 9)),
    ],
)
def test_positions(path: list[str | int], key: tuple[int, ...] | None, value: tuple[int, ...]) -> None:
    top = tree(TEXT)
    node = yaml.find(top, path)
    assert node is not None
    assert place(node.span) == value
    if key is not None:
        above = yaml.find(top, path[:-1])
        assert isinstance(above, yaml.Mapping)
        found = above.key(str(path[-1]))
        assert found is not None and place(found.span) == key


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_positions_count_characters_not_bytes(newline: str) -> None:
    source = decode(f"\ufeffé: 'ü', # ß{newline}b: ö".replace(", #", " #").encode(), "a.yaml")
    top = yaml.parse(source)
    first, second = top.get("é"), top.get("b")
    assert first is not None and place(first.span) == (1, 4, 1, 7)
    assert second is not None and place(second.span) == (2, 4, 2, 5)
    assert source.lines[1] == "b: ö"


def test_a_plain_span_slices_its_text() -> None:
    for node in (tree(TEXT).get("plain"), yaml.find(tree(TEXT), ["list", 1, "b"])):
        assert isinstance(node, yaml.Scalar)
        line = TEXT.split("\n")[node.span.line - 1]
        assert line[node.span.column - 1 : node.span.end_column - 1] == node.text


def test_locate_names_the_deepest_part_that_is_there() -> None:
    top = tree(TEXT)
    span, depth = yaml.locate(top, ["flow", "x"])
    assert (place(span), depth) == ((11, 11, 11, 12), 2)
    span, depth = yaml.locate(top, ["flow", "y z"])
    assert (place(span), depth) == ((11, 14, 11, 19), 2), "the key, where the value is a list"
    span, depth = yaml.locate(top, ["list", 1, "nothing", "below"])
    assert (span.line, depth) == (14, 2)
    span, depth = yaml.locate(top, ["empty"])
    assert (place(span), depth) == ((15, 1, 15, 6), 1), "the key, where there is no value"


def test_find_and_data() -> None:
    top = tree(TEXT)
    assert yaml.data(top)["flow"] == {"x": 1, "y z": [2, "three"]}
    assert yaml.data(top)["list"] == ["a", {"b": "c"}]
    assert (yaml.data(top)["block"], yaml.data(top)["folded"]) == ("one\ntwo\n", "a b")
    assert yaml.find(top, ["list", 5]) is None
    assert yaml.find(top, ["plain", "x"]) is None
    assert yaml.find(None, []) is None


def test_equal_texts_elsewhere_are_equal_trees() -> None:
    assert tree("a: {b: 1}") == tree("\n\na:\n  b:   1  # c\n")
    assert tree("a: {b: 1}") != tree("a: {b: '1'}")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' appears twice here", 3),
        ("a: 1\n'a': 2\n", "'a' appears twice here", 2),
        ("x: !!python/object/apply:os.system ['true']\n", "tag", 1),
        ("a: 1\nx: !local 2\n", "tag", 2),
        ("a: &a 1\nb:\n  <<: *a\n", "merge", 3),
        ("a: *b\n", "no anchor", 1),
        ("a: &a [*a]\n", "no anchor", 1),
        ("? [1, 2]\n: 3\n", "one word", 1),
        ("a: 1\n---\nb: 2\n", "second YAML document", 3),
        ("- a\n", "mapping at the top", 1),
        ("word", "mapping at the top", 1),
        ("a: {x: f(1, 2)}\n", "YAML split this expression", 1),
    ],
)
def test_what_a_study_must_not_hold(text: str, said: str, line: int) -> None:
    found = problem(text)
    assert said in found.message
    assert found.span is not None and found.span.line == line
    assert found.hint


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_file(text: str) -> None:
    assert "empty" in problem(text).message


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(StudyError) as caught:
        tree("a: 1\na: 2\nb: !t 3\n<<: 4\n")
    assert [found.span.line for found in caught.value.problems if found.span] == [2, 3, 4]


def test_an_anchor_may_be_used() -> None:
    assert yaml.data(tree("a: &n {x: 1}\nb: *n\n")) == {"a": {"x": 1}, "b": {"x": 1}}


def test_bytes_that_are_not_utf_8() -> None:
    found = problem(b"a: 1\nb: caf\xe9\n")
    assert "0xe9" in found.message
    assert (found.span.line, found.span.column) == (2, 7)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read(tmp_path / "none.yaml")
    with pytest.raises(StudyError, match="cannot be read"):
        read(tmp_path)


# -- limits ------------------------------------------------------------------------------------------------------------


def test_depth_has_a_limit() -> None:
    inside = yaml.MAX_DEPTH - 1
    assert tree("a: " + "[" * inside + "]" * inside)
    assert "deep" in problem("a: " + "[" * (inside + 2) + "]" * (inside + 2)).message
    assert "depth" in problem("a: " + "[" * 3000 + "]" * 3000).message


def test_length_has_a_limit() -> None:
    assert "too long" in problem(b"#" * (MAX_BYTES + 1)).message
    assert decode(b"#" * MAX_BYTES, "a.yaml")


def test_aliases_cannot_grow_without_bound() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "expands" in problem("\n".join(lines)).message


def test_a_number_of_any_length_is_read() -> None:
    assert yaml.scalar_value("1" * 399) == int("1" * 399)
    assert yaml.scalar_value("1" * 5000) == math.inf


@given(st.text("a:-{}[]\"'&*!|>#%@, \n\t\x00é1", max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_tree_or_a_spec_error(text: str) -> None:
    try:
        top = tree(text)
    except StudyError as error:
        assert all(found.message for found in error.problems)
    else:
        assert isinstance(yaml.data(top), dict)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_a_break_of_yaml_1_1_ends_no_line(character: str) -> None:
    text = f"a: one{character}two\nb: 'x{character}  y'\nc: [1, # {character}\n  2]\nd: 3\n"
    top = yaml.parse(Source("case.yaml", text))
    assert yaml.data(top) == {"a": f"one{character}two", "b": f"x{character}  y", "c": [1, 2], "d": 3}
    key = top.key("d")
    assert key is not None and (key.span.line, key.span.column) == (5, 1)
    assert len(key.span.source.lines) == 6

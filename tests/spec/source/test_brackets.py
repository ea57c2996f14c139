"""Brackets of YAML that do not match: each is told at its place, with what mends it, wherever in the file it stands."""

from __future__ import annotations

import pytest
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.source.nodes import parsed

CASES = [
    ("n: {d: [}", 8, "this '[' is not closed", "Close it with ']' before this '}'."),
    ("n: {d: [1, 2}", 8, "this '[' is not closed", "Close it with ']' before this '}'."),
    ("n: {d: [1, 2)}", 8, "this '[' is not closed", "Close it with ']' before this '}'."),
    ("n: {d: [{a: 1]}", 9, "this '{' is not closed", "Close it with '}' before this ']'."),
    ("n: {d: {a: {b: [}}}", 16, "this '[' is not closed", "Close it with ']' before this '}'."),
    ("n: {d: {}", 4, "this '{' is not closed", "Close it with '}'."),
    ("n: {d: 3", 4, "this '{' is not closed", "Close it with '}'."),
    ("n: {d:", 4, "this '{' is not closed", "Close it with '}'."),
    ("n: {", 4, "this '{' is not closed", "Close it with '}'."),
    ("n: [", 4, "this '[' is not closed", "Close it with ']'."),
    ("n: {d: [1, '}]'", 8, "this '[' is not closed", "Close it with ']'."),
    ("n: {d: [1 # ]}", 8, "this '[' is not closed", "Close it with ']'."),
    ("n: {d: 3]", 4, "this '{' is not closed", "Close it with '}' in place of this ']'."),
    ("n: {d: {a: 1]}", 8, "this '{' is not closed", "Close it with '}' in place of this ']'."),
    ("n: [d: 3}", 4, "this '[' is not closed", "Close it with ']' in place of this '}'."),
    ("n: {d: [1, 2]]}", 14, "this ']' closes nothing", "Open it with '[', or remove it."),
    ("n: {d: 1, 2]}", 12, "this ']' closes nothing", "Open it with '[', or remove it."),
    ("n: {d: 3}}", 10, "this '}' closes nothing", "Open it with '{', or remove it."),
    ("n: d: 3}", 8, "this '}' closes nothing", "Open it with '{', or remove it."),
    ("n: {d: ]}", 8, "this ']' closes nothing", "Open it with '[', or remove it."),
    ("n: ]", 4, "this ']' closes nothing", "Open it with '[', or remove it."),
    ("n: {d: }3", 9, "a mapping ends here, and more follows", "Put it inside the braces, or remove it."),
    ("n: {d: [1,, 2]}", 11, "there is nothing before this comma", "Write a value before it, or remove it."),
    ("n: {, d: 3}", 5, "there is nothing before this comma", "Write a value before it, or remove it."),
    ("n: {d: 3 e: 4}", 11, "a second colon in one entry", "Separate the entries between '{' and '}' by commas."),
    ("n: {d: 'a' b}", 12, "a text in quotes ends here, and more follows", "Quote the whole value, or none of it."),
    ("n: {d: zeros([3})}", 14, "YAML split this text at a bracket, inside '{ }'", "Close its brackets, and quote it."),
    ("n: {d: @}", 8, "'@' cannot begin a value in YAML", "Quote the text."),
]  # fmt: skip


@pytest.mark.parametrize("behind", ["\n", "\nm:\n  o: {x: 1}\n  p: [2]\n"], ids=["last", "more"])
@pytest.mark.parametrize(("text", "column", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_each_is_told_where_it_stands_and_what_mends_it(
    text: str, column: int, message: str, hint: str, behind: str
) -> None:
    with pytest.raises(StudyError) as raised:
        parsed(Source("s.yaml", f"# {{[\nk: |\n  [{{\nl: {{x: '['}}\n{text}{behind}"))
    (problem,) = raised.value.problems
    assert problem.span is not None
    assert (problem.message, problem.hint) == (message, hint)
    assert (problem.span.line, problem.span.column) == (5, column)


def test_a_parenthesis_in_braces_that_is_not_closed() -> None:
    _, problems = parsed(Source("s.yaml", "n: {d: f(3}\n"))
    assert [(one.message, one.hint) for one in problems] == [
        ("a '(' in this expression is not closed", "Close it with ')'.")
    ]

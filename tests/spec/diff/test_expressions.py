"""What differs inside an expression, marked in its text."""

from __future__ import annotations

import pytest
from dlspec.spec.diff.expressions import canonical, commuted, edits, names, substituted, without_kinds
from dlspec.spec.diff.marks import marked
from dlspec.spec.expressions.parser import parse_expression as parse
from dlspec.spec.expressions.printer import print_expression

CASES = {
    ("E((guess - y)^2)", "E((guess - y)^4)"): "E((guess - y)^«2 → 4»)",
    ("a + b * c", "a - b * c"): "a «+ → -» b * c",
    ("abs(r) < half", "abs(r - 1) <= half"): "abs(r«→  - 1») «< → <=» half",
    ("c * -1", "c * -0.5"): "c * -«1 → 0.5»",
    ("f(x)", "g(x)"): "«f → g»(x)",
    ("f(x, y)", "f(x)"): "f(x«, y →»)",
    ("f(x)", "f(x, y)"): "f(x«→ , y»)",
    ("f(x)", "f(y, x)"): "f(«→ y, »x)",
    ("x", "2 * x"): "«→ 2 * »x",
    ("2 * (a + b)", "2 * c"): "2 * «(a + b) → c»",
    ("2 * c", "2 * (a + b)"): "2 * «c → (a + b)»",
    ("a and b", "a"): "a« and b →»",
    ("z[0]", "z[1:]"): "z[«0 → 1:»]",
    ("[a, b, c]", "[a, c]"): "[a«, b →», c]",
    ("relu(i - j) for i < n, j < n", "relu(i - j) for i < n, j < m"): "relu(i - j) for i < n, j < «n → m»",
    ("a if c else b", "a if d else b"): "a if «c → d» else b",
    ("f(x, axis=0)", "f(x, axis=1)"): "f(x, axis=«0 → 1»)",
    ("score.hidden.kernel", "score.other.kernel"): "«score.hidden → score.other».kernel",
}


@pytest.mark.parametrize(("sides", "text"), CASES.items(), ids=[f"{a} → {b}" for a, b in CASES])
def test_the_smallest_parts_that_differ_are_marked(sides: tuple[str, str], text: str) -> None:
    before, after = map(parse, sides)
    found = edits(before, after)
    assert marked(found) == text
    assert "".join(edit.text for edit in found if edit.kind != "removed") == print_expression(after)
    assert {edit.kind for edit in found} > {"same"}


def test_equal_spellings_share_a_form() -> None:
    def form(text: str) -> object:
        return canonical(parse(text))

    assert form("((a))+b") == form("a + b") != form("b + a")
    assert form("2.0 * x") != form("2 * x") and without_kinds(form("2.0 * x")) == form("2 * x")
    assert form("-2") == form("- 2") != form("-2.0")
    assert form("i for i < n") == form("j for j < n") != form("i for i < m")
    assert commuted(form("a + b * c")) == commuted(form("c * b + a"))
    assert commuted(form("a - b")) != commuted(form("b - a"))


def test_names_are_those_that_are_free() -> None:
    assert names(parse("f(x) + [g(i, n) for i < n][k]")) == {"f", "x", "g", "n", "k"}
    changed = substituted(parse("f(n) + sum([i * n for i < n])"), {"n": "m", "i": "z"})
    assert print_expression(changed) == "f(m) + sum([i * m for i < m])"
    layer = substituted(parse("score.hidden.kernel + other.hidden.kernel"), {}, {"score.hidden": "first"})
    assert print_expression(layer) == "score.first.kernel + other.hidden.kernel"
    text = "score(sin(x)).hidden + initial(score).hidden + after(a, score(x)).hidden + other(x).hidden"
    text += " + with_weights(score, score.weights, other(x)).hidden"
    elsewhere = substituted(parse(text), {}, {"score.hidden": "first"})
    assert print_expression(elsewhere) == text.replace(").hidden", ").first").replace(
        "other(x).first", "other(x).hidden"
    )

"""Expressions as they stand in a document: parsed, with every offset mapped back to line and column."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from ..diagnostics.problems import Span, problem_at, shortened
from ..expressions import nodes as n
from ..expressions.parser import SyntaxProblem, parse_expression
from ..records import record
from ..source import nodes as yaml
from ..source.several import AllTexts, Several


@record(frozen=True, eq=False)
class Text:
    """One expression of the document: its tree, and the scalar that it was read from."""

    tree: n.Expr
    node: yaml.Scalar

    def span(self, node: n.Node) -> Span:
        """Where a part of the expression stands in the file."""
        return stretch(self.node, node.start, node.end)

    def keyword(self, name: str, value: n.Node) -> Span:
        """Where the name of an argument stands, before its value."""
        found = list(re.finditer(rf"\b{name}\s*=", self.node.text[: value.start]))
        return stretch(self.node, found[-1].start(), found[-1].start() + len(name)) if found else self.span(value)


def read(node: yaml.Scalar) -> Text:
    """The expression that a scalar holds. Raises StudyError."""
    if isinstance(node.value, Several):
        return Text(node.value.tree if isinstance(node.value, AllTexts) else n.Number(node.value), node)
    if node.value is None:
        hint = "Write a number or an expression; remove the key where nothing is meant."
        raise problem_at(node.span, "expected an expression, found nothing", hint)
    if isinstance(node.value, bool):
        return Text(n.Boolean(node.value, start=0, end=len(node.text)), node)
    if isinstance(node.value, int | float):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            hint = "Write a finite number, below 1e300."
            raise problem_at(node.span, f"'{shortened(node.text)}' is not a finite number", hint)
        return Text(n.Number(node.value, start=0, end=len(node.text)), node)
    try:
        return Text(parse_expression(node.text), node)
    except SyntaxProblem as error:
        raise problem_at(stretch(node, error.start, error.end), error.message, error.hint) from None


def stretch(node: yaml.Scalar, start: int, end: int) -> Span:
    """The span of some of a scalar's characters, through quotes, line folding and indentation."""
    span = node.span
    if span.line == span.end_line and (node.plain or "\\" not in _raw(span)):
        shift = 0 if node.plain else 1
        first = span.column + shift + start
        last = min(span.column + shift + max(end, start + 1), span.end_column)
        return Span(span.source, span.line, first, span.line, max(last, first + 1))
    places = _places(node.text, node.plain, span)
    if not places:
        return span
    line, column = places[min(start, len(places) - 1)]
    end_line, end_column = places[min(max(end - 1, start), len(places) - 1)]
    return Span(span.source, line, column, end_line, end_column + 1)


def _raw(span: Span) -> str:
    line = span.source.lines[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


@lru_cache(maxsize=256)
def _places(text: str, plain: bool, span: Span) -> list[tuple[int, int]]:
    """For each character of a scalar's text, its line and column; white space takes its neighbour's. Asked for by each of its parts."""
    lines = span.source.lines
    characters = [
        (line, column + 1, character)
        for line in range(span.line, span.end_line + 1)
        for column, character in enumerate(lines[line - 1] if line <= len(lines) else "")
        if (line > span.line or column + 1 >= span.column) and not character.isspace()
    ]
    if not plain and characters and characters[0][2] in "|>":
        header = characters[0][0]
        characters = [item for item in characters if item[0] > header]
    elif not plain and characters:
        characters = characters[1:]
    places: list[tuple[int, int]] = []
    rest = iter(characters)
    for character in text:
        if character.isspace():
            places.append(places[-1] if places else (span.line, span.column))
            continue
        found = next((item for item in rest if item[2] == character), None)
        if found is None:
            return places
        places.append(found[:2])
    return places

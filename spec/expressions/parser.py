"""Text to syntax tree, by Lark's LALR parser; no step recurses, so no text can exhaust the stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from ..cache_dir import user_cache
from ..diagnostics.problems import listing, shortened
from ..source.names import KEYWORDS
from . import nodes as n
from .alike import Forms
from .walker import Walker

MAX_LENGTH = 10_000
MAX_NESTING = 60
MAX_DEPTH = 120
MAX_DIGITS = 300
BRACKETS = re.compile(r"[()\[\]]")
COLUMN = re.compile(r"\w\s*(\.|\[|\[\s*\w+\s*:)\s*$")
"""What stands before the name of a column or a layer: `rows.x`, `rows[x:y]`."""
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


@dataclass
class SyntaxProblem(Exception):
    """What is wrong with a text, at which offsets, and how to mend it."""

    message: str
    start: int
    end: int
    hint: str = ""


def parse_expression(text: str) -> n.Expr:
    """The syntax tree of a text; raises SyntaxProblem. One text has one tree: cells and profiles ask for it again.

    >>> parse_expression("a + 2")
    Binary(operator='+', left=Name(name='a'), right=Number(value=2))
    """
    parsed = _parsed(text)
    if isinstance(parsed, SyntaxProblem):
        raise replace(parsed)
    return parsed


@lru_cache(maxsize=8192)
def _parsed(text: str) -> n.Expr | SyntaxProblem:
    """The syntax tree of a text, or what is wrong with it."""
    try:
        return _tree(text)
    except SyntaxProblem as problem:
        return problem.with_traceback(None)


def _tree(text: str) -> n.Expr:
    _check_size(text)
    return _FORMS.tree(text, _put_together)


_FORMS = Forms()


def _put_together(text: str) -> n.Expr:
    part: _Part | None = _walker().parse(text)
    if part is None:  # Lark says why, or takes a text that only a lexer that knows what may follow can cut
        try:
            part = cast("_Part", _parser().parse(text))
        except UnexpectedInput as error:
            from .syntax_hints import explained  # of texts with errors alone

            raise SyntaxProblem(*explained(text, error)) from None
        except SyntaxProblem as problem:
            if COLUMN.search(text[: problem.start]) and text[problem.start : problem.end] in KEYWORDS:
                hint = f"{problem.hint} Rename a column or layer of this name where it is defined."
                raise replace(problem, hint=hint) from None
            raise
    tree: n.Expr = part.node
    if part.depth > MAX_DEPTH:  # passes over it could not recurse (`a + a + a + …` is deep without brackets)
        hint = "Give a part of it a name of its own, or use `sum` or `prod` over an array."
        raise SyntaxProblem(f"an expression more than {MAX_DEPTH} steps deep", tree.start, tree.end, hint)
    return tree


def _check_size(text: str) -> None:
    if not text.strip():
        raise SyntaxProblem("the expression is empty", 0, len(text), "Write a number or an expression.")
    depth = 0
    for bracket in BRACKETS.finditer(text):
        depth += 1 if bracket[0] in "([" else -1
        if depth > MAX_NESTING:
            place = bracket.start()
            hint = "Give a part of it a name of its own."
            raise SyntaxProblem(f"brackets nested more than {MAX_NESTING} deep", place, place + 1, hint)
    if len(text) > MAX_LENGTH:
        hint = "Give parts of it names of their own."
        raise SyntaxProblem(f"an expression of {len(text):,} characters; the limit is {MAX_LENGTH:,}", 0, 1, hint)


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("grammar.lark").read_text("utf-8")
    callbacks = {"NAME": _own_word}
    return Lark(
        grammar, parser="lalr", transformer=_Build(), maybe_placeholders=True, lexer_callbacks=callbacks, cache=_tables(),
    )  # fmt: skip


@cache
def _walker() -> Walker:
    return Walker(_parser())


def _tables() -> str | bool:
    """Where the grammar's tables are kept between processes, if anywhere; Lark reads them back by `pickle`."""
    folder = user_cache()
    return str(folder / "grammar.lalr") if folder is not None else False


def _own_word(token: Token) -> Token:
    """Refuses a word of the language where a name stands: the lexer is contextual, and takes it for one there."""
    if token in KEYWORDS:
        start = token.start_pos or 0
        hint = (
            "It is a word of the language, as " + listing(f"`{word}`" for word in sorted(KEYWORDS - {token})) + " are."
        )
        if token == "not":
            hint = "`not` binds more weakly than the operator before it: write `(not b)`."
            raise SyntaxProblem("'not' is not expected here", start, start + len(token), hint)
        raise SyntaxProblem(f"'{token}' cannot be a name", start, start + len(token), hint)
    return token


class _Part(NamedTuple):
    """A node with the place of its text, brackets around it included, and how many nodes it is deep."""

    node: Any
    start: int
    end: int
    depth: int


Given = list[Any]
"""What a rule is made of: parts, and the tokens that have a name in the grammar."""


class _Build:
    """One method a rule of the grammar; children are built already. The parser calls it as it goes: no tree stands between."""

    def start(self, given: Given) -> _Part:
        return given[0]  # type: ignore[no-any-return]

    def number(self, given: Given) -> _Part:
        text = str(given[0])
        value = int(text) if text.isdigit() and len(text) <= MAX_DIGITS else float(text)
        start, end = _stretch(given)
        if abs(value) > 1e300:
            hint = "Numbers go up to 1e300."
            raise SyntaxProblem(f"the number {shortened(text, 20)} is too large", start, end, hint)
        return _Part(n.Number(value, start=start, end=end), start, end, 1)

    def true(self, given: Given) -> _Part:
        start, end = _stretch(given)
        return _Part(n.Boolean(True, start=start, end=end), start, end, 1)

    def false(self, given: Given) -> _Part:
        start, end = _stretch(given)
        return _Part(n.Boolean(False, start=start, end=end), start, end, 1)

    def name(self, given: Given) -> _Part:
        start, end = _stretch(given)
        return _Part(n.Name(str(given[0]), start=start, end=end), start, end, 1)

    def parenthesis(self, given: Given) -> _Part:
        start, end = _stretch(given)
        return _Part(given[1].node, start, end, given[1].depth)

    def array(self, given: Given) -> _Part:
        _, items, _ = given
        start, end = _stretch(given)
        if items is None:
            hint = "An array has at least one item; `zeros([n])` makes one of a given length. The shape of one number is `[]` without quotes."
            raise SyntaxProblem("an empty array has no shape", start, end, hint)
        parts = items[::2]
        return _Part(n.Array(tuple(item.node for item in parts), start=start, end=end), start, end, _above(parts))

    def unary(self, given: Given) -> _Part:
        start, end = _stretch(given)
        operator, operand = given
        return _Part(n.Unary(str(operator), operand.node, start=start, end=end), start, end, operand.depth + 1)

    def binary(self, given: Given) -> _Part:
        left, operator, right = given
        start, end = left.start, right.end
        node = n.Binary(str(operator), left.node, right.node, start=start, end=end)
        return _Part(node, start, end, max(left.depth, right.depth) + 1)

    def compare(self, given: Given) -> _Part:
        left = given[0]
        if isinstance(left.node, n.Binary) and left.node.operator in COMPARISONS and left.node.start == left.start:
            hint = "Write `a < b and b < c`; in conditions of claims `d >= 2, d <= 4`."
            raise SyntaxProblem("comparisons do not chain", left.start, given[2].end, hint)
        return self.binary(given)

    def conditional(self, given: Given) -> _Part:
        then, condition, otherwise = given
        start, end = then.start, otherwise.end
        node = n.Conditional(then.node, condition.node, otherwise.node, start=start, end=end)
        return _Part(node, start, end, _above(given))

    def keyword(self, given: Given) -> tuple[str, _Part]:
        return (str(given[0]), given[1])

    def call(self, given: Given) -> _Part:
        function, _, items, _ = given
        start, end = _stretch(given)
        if not isinstance(function.node, n.Name):
            at = function.node
            hint = "Only a name can be called: `f(x)`."
            if isinstance(at, n.Attribute):
                hint = f"Only a name can be called: write `{at.name}(…)` with all arguments in the brackets; there are no methods or modules."
            if isinstance(at, n.Call):
                hint = "Only a name can be called: `f(x)`. For other weights, put the call inside: `initial(f(x))`, `with_weights(f(x), f.weights, w)`."
            raise SyntaxProblem("this is not the name of an operation or function", at.start, at.end, hint)
        items = items[::2] if items else []
        named = [not isinstance(item, _Part) for item in items]
        if any(first and not then for first, then in pairwise(named)):
            hint = "Arguments by name come last: `f(x, axis=0)`."
            raise SyntaxProblem("an argument by position follows one by name", start, end, hint)
        count = named.count(False)
        keywords = tuple((name, value.node) for name, value in items[count:])
        parts = [*items[:count], *(value for _, value in items[count:])]
        arguments = tuple(item.node for item in items[:count])
        return _Part(n.Call(function.node.name, arguments, keywords, start=start, end=end), start, end, _above(parts))

    def index(self, given: Given) -> _Part:
        array, _, subscripts, _ = given
        start, end = _stretch(given)
        parts = subscripts[::2]
        node = n.Index(array.node, tuple(item.node for item in parts), start=start, end=end)
        return _Part(node, start, end, _above([array, *parts]))

    def slice(self, given: Given) -> _Part:
        first, _, last = given
        parts = [item for item in given if item is not None]
        start, end = _stretch(parts)
        node = n.Slice(first and first.node, last and last.node, start=start, end=end)
        return _Part(node, start, end, _above([item for item in (first, last) if item is not None]))

    def attribute(self, given: Given) -> _Part:
        start, end = _stretch(given)
        owner, name = given
        return _Part(n.Attribute(owner.node, str(name), start=start, end=end), start, end, owner.depth + 1)

    def range(self, given: Given) -> tuple[str, _Part]:
        return (str(given[0]), given[2])

    def comprehension(self, given: Given) -> _Part:
        """`[body for i < n]`, or the same without its brackets at the top of a value."""
        body, ranges = (item for item in given if not isinstance(item, str))
        pairs = ranges[::2]
        bounds = [bound for _, bound in pairs]
        start, end = _stretch(given) if len(given) > 2 else (body.start, bounds[-1].end)
        node = n.Comprehension(body.node, tuple((name, bound.node) for name, bound in pairs), start=start, end=end)
        return _Part(node, start, end, _above([body, *bounds]))

    def ranges(self, given: Given) -> Given:
        return given

    items = arguments = subscripts = ranges


def _stretch(given: Given) -> tuple[int, int]:
    """From where the first of some parts and tokens begins to where the last ends."""
    first, last = given[0], given[-1]
    return (
        first.start if isinstance(first, _Part) else first.start_pos,
        last.end if isinstance(last, _Part) else last.end_pos,
    )


def _above(parts: Sequence[_Part]) -> int:
    """How deep a node above some parts is."""
    return max((part.depth for part in parts), default=0) + 1

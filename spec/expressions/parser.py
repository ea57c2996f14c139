"""Text to syntax tree, by Lark's LALR parser; no step recurses, so no text can exhaust the stack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, cast

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError
from lark.visitors import Transformer_NonRecursive

from ..cache_dir import user_cache
from ..diagnostics.problems import listing, shortened
from . import nodes as n

MAX_LENGTH = 10_000
MAX_NESTING = 60
MAX_DEPTH = 120
MAX_DIGITS = 300


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
    try:
        tree: n.Expr = _Build().transform(_parser().parse(text))
    except UnexpectedInput as error:
        raise _explain(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, SyntaxProblem):
            raise error.orig_exc from None
        raise
    _check_depth(tree)
    return tree


def is_name(text: str) -> bool:
    """Whether a text can be the name of a binding: a word that is none of the language's own."""
    return text.isidentifier() and text.isascii() and text not in KEYWORDS


KEYWORDS = frozenset({"and", "or", "not", "if", "else", "for", "true", "false"})


def _check_size(text: str) -> None:
    if not text.strip():
        raise SyntaxProblem("the expression is empty", 0, len(text), "Write a number or an expression.")
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth > MAX_NESTING:
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
        grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True, lexer_callbacks=callbacks, cache=_tables(),
    )  # fmt: skip


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
            hint = "`not` binds less than what stands before it: write `(not b)`."
            raise SyntaxProblem("'not' is not expected here", start, start + len(token), hint)
        raise SyntaxProblem(f"'{token}' cannot be a name", start, start + len(token), hint)
    return token


@v_args(meta=True)
class _Build(Transformer_NonRecursive):  # type: ignore[misc]
    """One method a rule of the grammar; children are built already."""

    def __default__(self, data: Any, children: list[Any], meta: Any) -> Any:
        return children

    def start(self, meta: Any, children: list[Any]) -> n.Expr:
        return children[0]  # type: ignore[no-any-return]

    def number(self, meta: Any, children: list[Token]) -> n.Number:
        text = str(children[0])
        value = int(text) if text.isdigit() and len(text) <= MAX_DIGITS else float(text)
        if abs(value) > 1e300:
            hint = "Numbers go up to 1e300."
            raise SyntaxProblem(f"the number {shortened(text, 20)} is too large", meta.start_pos, meta.end_pos, hint)
        return n.Number(value, start=meta.start_pos, end=meta.end_pos)

    def true(self, meta: Any, children: list[Any]) -> n.Boolean:
        return n.Boolean(True, start=meta.start_pos, end=meta.end_pos)

    def false(self, meta: Any, children: list[Any]) -> n.Boolean:
        return n.Boolean(False, start=meta.start_pos, end=meta.end_pos)

    def name(self, meta: Any, children: list[Token]) -> n.Name:
        return n.Name(str(children[0]), start=meta.start_pos, end=meta.end_pos)

    def parenthesis(self, meta: Any, children: list[n.Expr]) -> n.Expr:
        return children[0]

    def array(self, meta: Any, children: list[Any]) -> n.Array:
        if children[0] is None:
            hint = "An array has at least one item; `zeros([n])` makes one of a given length."
            raise SyntaxProblem("an empty array has no shape", meta.start_pos, meta.end_pos, hint)
        return n.Array(tuple(c for c in children[0] if c is not None), start=meta.start_pos, end=meta.end_pos)

    def unary(self, meta: Any, children: list[Any]) -> n.Unary:
        return n.Unary(str(children[0]), children[1], start=meta.start_pos, end=meta.end_pos)

    def binary(self, meta: Any, children: list[Any]) -> n.Binary:
        left, operator, right = children
        return n.Binary(str(operator), left, right, start=meta.start_pos, end=meta.end_pos)

    def compare(self, meta: Any, children: list[Any]) -> n.Binary:
        left = children[0]
        if isinstance(left, n.Binary) and left.operator in COMPARISONS and left.start == meta.start_pos:
            hint = "Write `a < b and b < c`."
            raise SyntaxProblem("comparisons do not chain", meta.start_pos, meta.end_pos, hint)
        return self.binary(meta, children)

    def conditional(self, meta: Any, children: list[n.Expr]) -> n.Conditional:
        return n.Conditional(*children, start=meta.start_pos, end=meta.end_pos)

    def keyword(self, meta: Any, children: list[Any]) -> tuple[str, n.Expr]:
        return (str(children[0]), children[1])

    def call(self, meta: Any, children: list[Any]) -> n.Call:
        function, given = children
        if not isinstance(function, n.Name):
            hint = "Only a name is called: `f(x)`."
            raise SyntaxProblem("this is not the name of an operation or function", function.start, function.end, hint)
        given = [item for item in given or [] if item is not None]
        keywords = tuple(item for item in given if isinstance(item, tuple))
        arguments = tuple(item for item in given if not isinstance(item, tuple))
        if any(isinstance(first, tuple) and not isinstance(then, tuple) for first, then in pairwise(given)):
            hint = "Arguments by name come last: `f(x, axis=0)`."
            raise SyntaxProblem("an argument by position follows one by name", meta.start_pos, meta.end_pos, hint)
        return n.Call(function.name, arguments, keywords, start=meta.start_pos, end=meta.end_pos)

    def index(self, meta: Any, children: list[Any]) -> n.Index:
        array, subscripts = children
        return n.Index(array, tuple(subscripts), start=meta.start_pos, end=meta.end_pos)

    def slice(self, meta: Any, children: list[Any]) -> n.Slice:
        return n.Slice(children[0], children[1], start=meta.start_pos, end=meta.end_pos)

    def attribute(self, meta: Any, children: list[Any]) -> n.Attribute:
        return n.Attribute(children[0], str(children[1]), start=meta.start_pos, end=meta.end_pos)

    def range(self, meta: Any, children: list[Any]) -> tuple[str, n.Expr]:
        return (str(children[0]), children[1])

    def comprehension(self, meta: Any, children: list[Any]) -> n.Comprehension:
        body, ranges = children
        return n.Comprehension(body, tuple(ranges), start=meta.start_pos, end=meta.end_pos)


COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


def _check_depth(tree: n.Expr) -> None:
    """Refuses a tree so deep that passes over it could not recurse (`a + a + a + …` is deep without brackets)."""
    depth, level = 0, [cast("n.Node", tree)]
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            hint = "Give a part of it a name of its own, or use `sum` or `prod` over an array."
            raise SyntaxProblem(f"an expression more than {MAX_DEPTH} steps deep", tree.start, tree.end, hint)
        level = [child for node in level for child in n.children(node)]


def _explain(text: str, error: UnexpectedInput) -> SyntaxProblem:
    if isinstance(error, UnexpectedCharacters):
        place = error.pos_in_stream
        character = text[place]
        return SyntaxProblem(
            f"'{shortened(character)}' has no meaning here", place, place + 1, _character_hint(character)
        )
    assert isinstance(error, UnexpectedToken)
    token = error.token
    if token.type == "$END":
        opened = sum((c in "([") - (c in ")]") for c in text)
        hint = (
            "A bracket is not closed."
            if opened > 0
            else "An operand is missing at the end, or the operator is one too many."
        )
        return SyntaxProblem("the expression ends too early", max(0, len(text.rstrip()) - 1), len(text), hint)
    place = token.start_pos or 0
    return SyntaxProblem(
        f"'{token}' is not expected here", place, place + len(token), _token_hint(text, str(token), place)
    )


def _character_hint(character: str) -> str:
    return {
        "=": "Comparison is `==`; a name is bound by a YAML key.",
        "!": "Write `!=` or `not`.",
        "&": "Write `and`.",
        "|": "Write `or`.",
        '"': "There are no texts in expressions: a variant is named by its word.",
        "'": "There are no texts in expressions: a variant is named by its word.",
        "{": "Arrays are written `[a, b]`.",
        "@": "Write `matmul(a, b)`.",
        "²": "Write `^2`.",
        "·": "Write `*`, or `dot(a, b)`.",
        "×": "Write `*`.",
        "≤": "Write `<=`.",
        "≥": "Write `>=`.",
    }.get(character, "Expressions are written in letters, digits and `+ - * / // % ^ < > == ( ) [ ] , . :`.")


def _token_hint(text: str, token: str, place: int) -> str:
    if token == "*" and text[:place].rstrip().endswith("*"):
        return "Powers are written `a^b`."
    if token == "=":
        return "Comparison is `==`; a name is bound by a YAML key."
    if token == "for":
        return "Inside a call, index notation needs its brackets: `sum([x[i] for i < n])`."
    if token in (")", "]") and text.count(token) > text.count("(" if token == ")" else "["):
        return "This bracket was never opened."
    if token == "in":
        return "Index notation is `[f(i) for i < n]`."
    if token in (":", "lambda"):
        return "A function is declared under `functions:`, as `f(x): ...`."
    before = text[:place].rstrip()
    if before and (before[-1].isalnum() or before[-1] in ")]") and (token[0].isalnum() or token == "("):
        return "Is an operator missing?  Multiplication is written `a * b`."
    if token in ("for", "if", "else", "and", "or") or not token[0].isalnum():
        return f"Before `{token}` stands a value: a name, a number, or something in brackets."
    return "An expression is made of names, numbers, calls `f(x)` and operators between them."

"""Differences inside an expression: the smallest parts that differ, marked in its one canonical spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from ..expressions import nodes as n
from ..expressions.parser import parse_expression
from ..expressions.printer import PRECEDENCE, print_expression
from ..tables.operations import FORMS
from .changes import Edit

Stretch = tuple[int, int, str, str]
"""Where the new text is replaced (start, end), what stood there before, and what stands there now."""


def edits(before: n.Expr, after: n.Expr) -> tuple[Edit, ...]:
    """The new expression's text with what was removed from it and added to it.

    >>> parse = parse_expression
    >>> [(e.kind, e.text) for e in edits(parse("E((a - b)^2)"), parse("E((a - b)^4)"))]
    [('same', 'E((a - b)^'), ('removed', '2'), ('added', '4'), ('same', ')')]
    """
    texts = print_expression(before), print_expression(after)
    # Read back, so that offsets are those of the canonical text.
    found = sorted(_compare(_again(texts[0]), _again(texts[1]), texts))
    made: list[Edit] = []
    place = 0
    for start, end, old, new in found:
        made += [Edit("same", texts[1][place:start]), Edit("removed", old), Edit("added", new)]
        place = end
    made.append(Edit("same", texts[1][place:]))
    return tuple(_joined(edit for edit in made if edit.text))


@lru_cache(maxsize=1024)
def _again(text: str) -> n.Expr:
    return parse_expression(text)


def _joined(parts: Iterable[Edit]) -> list[Edit]:
    edits: list[Edit] = []
    for edit in parts:
        if edits and edits[-1].kind == edit.kind:
            edits[-1] = Edit(edit.kind, edits[-1].text + edit.text)
        else:
            edits.append(edit)
    return edits


def _compare(a: n.Node, b: n.Node, texts: tuple[str, str]) -> list[Stretch]:
    """Where two trees differ; positions are those of the new text."""
    if a == b:
        return []
    whole = [_whole(a, b, texts)]
    for outer, inner, removed in ((b, a, False), (a, b, True)):
        hit = next((child for child in n.children(outer) if child == inner), None)
        if hit is not None:
            return _wrapped(outer, hit, b, texts, removed)
    if type(a) is not type(b):
        return whole
    match a, b:
        case n.Binary(), n.Binary():
            pairs = [(a.left, b.left), (a.right, b.right)]
            if a.operator == b.operator:
                return _all(pairs, texts)
            if PRECEDENCE[a.operator] != PRECEDENCE[b.operator] or not (a.left == b.left or a.right == b.right):
                return whole
            old, new = (_operator(node, text) for node, text in zip((a, b), texts, strict=True))
            return [(*new, texts[0][slice(*old)], texts[1][slice(*new)]), *_all(pairs, texts)]
        case n.Call(), n.Call():
            return _calls(a, b, texts) or whole
        case n.Array(), n.Array():
            return _listed(a.items, b.items, b.start + 1, texts)
        case n.Index(), n.Index():
            if len(a.subscripts) == len(b.subscripts):
                return _all([(a.array, b.array), *zip(a.subscripts, b.subscripts, strict=True)], texts)
        case n.Comprehension(), n.Comprehension():
            if [name for name, _ in a.ranges] == [name for name, _ in b.ranges]:
                extents = [(x, y) for (_, x), (_, y) in zip(a.ranges, b.ranges, strict=True)]
                return _all([(a.body, b.body), *extents], texts)
        case n.Slice(), n.Slice():
            ends = [(a.first, b.first), (a.last, b.last)]
            if all((x is None) == (y is None) for x, y in ends):
                return _all([(x, y) for x, y in ends if x is not None and y is not None], texts)
        case n.Unary(), n.Unary():
            return _all([(a.operand, b.operand)], texts) if a.operator == b.operator else whole
        case n.Conditional(), n.Conditional():
            return _all([(a.then, b.then), (a.condition, b.condition), (a.otherwise, b.otherwise)], texts)
        case n.Attribute(), n.Attribute():
            return _all([(a.owner, b.owner)], texts) if a.name == b.name else whole
    return whole


def _all(pairs: Iterable[tuple[n.Node, n.Node]], texts: tuple[str, str]) -> list[Stretch]:
    return [found for a, b in pairs for found in _compare(a, b, texts)]


def _calls(a: n.Call, b: n.Call, texts: tuple[str, str]) -> list[Stretch]:
    """Two calls: their names, and their arguments."""
    found: list[Stretch] = []
    same = a.arguments == b.arguments and a.keywords == b.keywords
    if a.function != b.function:
        if not same:
            return []
        return [(b.start, b.start + len(b.function), a.function, b.function)]
    found += _listed(a.arguments, b.arguments, b.start + len(b.function) + 1, texts)
    if [name for name, _ in a.keywords] != [name for name, _ in b.keywords]:
        return []
    return found + _all([(x, y) for (_, x), (_, y) in zip(a.keywords, b.keywords, strict=True)], texts)


def _listed(a: tuple[Any, ...], b: tuple[Any, ...], first: int, texts: tuple[str, str]) -> list[Stretch]:
    """Two lists of expressions: pairs where they are equally long, else what came and went."""
    if len(a) == len(b):
        return _all(zip(a, b, strict=True), texts)
    stretches: list[Stretch] = []
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if kind == "replace" and j - i == m - k:
            stretches += _all(zip(a[i:j], b[k:m], strict=True), texts)
            continue
        old = texts[0][_start(a[i], texts[0]) : _end(a[j - 1], texts[0])] if j > i else ""
        if m > k:
            start, end = _start(b[k], texts[1]), _end(b[m - 1], texts[1])
            new = texts[1][start:end]
            if not old:  # with the comma that joins it to its neighbour
                start, new = (_end(b[k - 1], texts[1]), ", " + new) if k else (start, new + ", ")
                end = end if k else min(end + 2, len(texts[1]))
        else:
            start = end = _end(b[k - 1], texts[1]) if k else first
            new, old = "", (", " + old if k else old + ", ")
        stretches.append((start, end, old, new))
    return stretches


def _wrapped(outer: n.Node, hit: n.Node, b: n.Node, texts: tuple[str, str], removed: bool) -> list[Stretch]:
    """One expression that holds the other: only what is put around it differs."""
    text = texts[0] if removed else texts[1]
    spots = (_start(outer, text), _start(hit, text), _end(hit, text), _end(outer, text))
    lead, tail = text[spots[0] : spots[1]], text[spots[2] : spots[3]]
    if removed:
        start, end = _start(b, texts[1]), _end(b, texts[1])
        inner, now = text[spots[1] : spots[2]], texts[1][start:end]
        if inner != now:  # a bracket that is needed on one side only
            return [(start, end, text[spots[0] : spots[3]], now)]
        return [(start, start, lead, ""), (end, end, tail, "")]
    return [(spots[0], spots[1], "", lead), (spots[2], spots[3], "", tail)]


def _whole(a: n.Node, b: n.Node, texts: tuple[str, str]) -> Stretch:
    start, end = _start(b, texts[1]), _end(b, texts[1])
    return (start, end, texts[0][_start(a, texts[0]) : _end(a, texts[0])], texts[1][start:end])


def _grouped(node: n.Node, text: str) -> bool:
    """Whether brackets stand around a node that are its own, and not those of a call."""
    start, end = node.start, node.end
    if start == 0 or end >= len(text) or text[start - 1] != "(" or text[end] != ")":
        return False
    before = text[start - 2] if start > 1 else " "
    return not (before.isalnum() or before in "_])")


def _start(node: n.Node, text: str) -> int:
    return node.start - 1 if _grouped(node, text) else node.start


def _end(node: n.Node, text: str) -> int:
    return node.end + 1 if _grouped(node, text) else node.end


def _operator(node: n.Binary, text: str) -> tuple[int, int]:
    """Where the operator of two operands stands."""
    start, end = _end(node.left, text), _start(node.right, text)
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - (len(inner) - len(inner.rstrip()))


# -- names -----------------------------------------------------------------------------------------------------------


def names(node: n.Node, bound: frozenset[str] = frozenset()) -> set[str]:
    """The names that an expression uses, functions among them, less those that it binds itself."""
    if isinstance(node, n.Comprehension):
        bound = bound | {name for name, _ in node.ranges}
    found = {node.name} if isinstance(node, n.Name) else {node.function} if isinstance(node, n.Call) else set()
    for child in n.children(node):
        found |= names(child, bound)
    return found - bound


def substituted(node: Any, mapping: Mapping[str, str], layers: Mapping[str, str] | None = None) -> Any:
    """An expression with its free names written otherwise; `layers` renames parts of networks (`f.block.hidden`)."""
    if not mapping and not layers:
        return node
    if isinstance(node, tuple):
        return tuple(substituted(item, mapping, layers) for item in node)
    if not isinstance(node, n.Node):
        return node
    if isinstance(node, n.Name):
        return replace(node, name=mapping.get(node.name, node.name))
    if isinstance(node, n.Comprehension):
        own = {name for name, _ in node.ranges}
        mapping = {old: new for old, new in mapping.items() if old not in own}
        ranges = tuple((name, substituted(extent, mapping, layers)) for name, extent in node.ranges)
        return replace(node, body=substituted(node.body, mapping, layers), ranges=ranges)
    parts = {
        field.name: substituted(getattr(node, field.name), mapping, layers)
        for field in fields(node)
        if field.name not in ("start", "end")
    }
    if isinstance(node, n.Call):
        parts["function"] = mapping.get(node.function, node.function)
        parts["keywords"] = tuple((name, substituted(value, mapping, layers)) for name, value in node.keywords)
    if isinstance(node, n.Attribute) and layers:
        parts["name"] = layers.get(_dotted(node), node.name)
    return replace(node, **parts)


def _dotted(node: n.Node) -> str:
    """The names along a chain of attributes and indices: `f.block.hidden` of `f.block[0].hidden` and `f(u).block[0].hidden`."""
    if isinstance(node, n.Attribute):
        return f"{_dotted(node.owner)}.{node.name}"
    if isinstance(node, n.Call):
        form = FORMS.get(node.function)
        if form is None or not node.arguments:
            return node.function
        place = -1 if form.operand is None else form.operand
        return _dotted(node.arguments[place]) if place < len(node.arguments) else node.function
    return _dotted(node.array) if isinstance(node, n.Index) else node.name if isinstance(node, n.Name) else ""


def canonical(node: Any, bound: Mapping[str, str] | None = None) -> Any:
    """A form that equal spellings share: bound names by number, `-2` as minus 2. `1` and `1.0` differ: they are of two kinds."""
    bound = bound or {}
    if isinstance(node, tuple):
        return tuple(canonical(item, bound) for item in node)
    if not isinstance(node, n.Node):
        return node
    match node:
        case n.Name(name):
            return n.Name(bound.get(name, name))
        case n.Number(value):
            return n.Unary("-", n.Number(-value)) if value < 0 else n.Number(value)
        case n.Unary("+", operand):
            return canonical(operand, bound)
        case n.Comprehension(body, ranges):
            inner = {**bound, **{name: f"#{len(bound) + place}" for place, (name, _) in enumerate(ranges)}}
            kept = tuple((inner[name], canonical(extent, bound)) for name, extent in ranges)
            return n.Comprehension(canonical(body, inner), kept)
        case n.Call(function, arguments, keywords):
            named = tuple((name, canonical(value, bound)) for name, value in sorted(keywords, key=lambda item: item[0]))
            return n.Call(bound.get(function, function), canonical(arguments, bound), named)
    parts = {f.name: canonical(getattr(node, f.name), bound) for f in fields(node) if f.name not in ("start", "end")}
    return type(node)(**parts)


def without_kinds(node: Any) -> Any:
    """A canonical form in which whole numbers are ints, however they are written."""
    if isinstance(node, tuple):
        return tuple(without_kinds(item) for item in node)
    if not isinstance(node, n.Node):
        return node
    if isinstance(node, n.Number):
        return n.Number(int(node.value)) if float(node.value).is_integer() and abs(node.value) < 2**53 else node
    parts = {f.name: without_kinds(getattr(node, f.name)) for f in fields(node) if f.name not in ("start", "end")}
    return type(node)(**parts)


def kinds_that_differ(before: n.Expr, after: n.Expr) -> str:
    """What differs where two canonical forms are the same but for the kinds of numbers; nothing where more does.

    >>> parse = parse_expression
    >>> kinds_that_differ(parse("1 if z > 0 else 2"), parse("1.0 if z > 0 else 2"))
    '1 → 1.0: int → real'
    """
    if before == after or without_kinds(before) != without_kinds(after):
        return ""
    numbers = [[node for node in n.walk(tree) if isinstance(node, n.Number)] for tree in (before, after)]
    words = {int: "int", float: "real"}
    found = dict.fromkeys(
        f"{print_expression(a)} → {print_expression(b)}: {words[type(a.value)]} → {words[type(b.value)]}"
        for a, b in zip(*numbers, strict=True)
        if a != b
    )
    return "; ".join(found)


def commuted(node: Any) -> Any:
    """A canonical form in which the two operands of each + and * stand in one order.

    Equal in value but for the sign of a NaN, yet not in the digest: what is made from it may be summed in another order.
    """
    if isinstance(node, tuple):
        return tuple(commuted(item) for item in node)
    if not isinstance(node, n.Node):
        return node
    parts = {f.name: commuted(getattr(node, f.name)) for f in fields(node) if f.name not in ("start", "end")}
    if isinstance(node, n.Binary) and node.operator in ("+", "*"):
        parts["left"], parts["right"] = sorted((parts["left"], parts["right"]), key=repr)
    return type(node)(**parts)

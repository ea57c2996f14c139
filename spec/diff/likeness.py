"""How much of two things is the same, and which of the names that went goes with which of those that came."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from difflib import SequenceMatcher
from typing import Any

from ..expressions import nodes as n
from .trees import Branch, Expression, Layers, Tree, Word

ALIKE = 0.6
"""From this share of common parts on, two things under different names are one that was renamed, and changed if it is not 1."""

Parts = Counter[Hashable]


def parts(tree: Tree, path: tuple[str, ...] = ()) -> Parts:
    """What a tree is made of: its paths, with every part of the expressions there, and every word of texts."""
    tree_parts: Parts = Counter()
    _gather(tree, path, tree_parts)
    return tree_parts


def written_parts(data: Any, path: tuple[str, ...] = ()) -> Parts:
    """The same of what a file says, as it is written: its paths, and the words and signs of their values."""
    counts: Parts = Counter()
    _gather_written(data, path, counts)
    return counts


def likeness(a: Parts, b: Parts) -> float:
    """The share of parts that two have in common, from 0 to 1 (Dice's coefficient of multisets).

    >>> likeness(Counter("abc"), Counter("abd"))
    0.6666666666666666
    """
    total = a.total() + b.total()
    if not total:
        return 1.0
    if 2 * min(a.total(), b.total()) / total < ALIKE:  # cannot be reached any more
        return 0.0
    return 2 * sum(min(count, b[part]) for part, count in a.items() if part in b) / total


def assigned(gone: Mapping[Any, Parts], fresh: Mapping[Any, Parts]) -> dict[Any, Any]:
    """Each key that went with the one that came in its place: the most alike first, each at most once.

    Of equally alike ones those whose names are more alike come first, then those that are written first.
    """
    scored = []
    for i, (old, own) in enumerate(gone.items()):
        for j, (new, theirs) in enumerate(fresh.items()):
            score = likeness(own, theirs)
            if score >= ALIKE:
                spelling = SequenceMatcher(None, str(old), str(new), autojunk=False).ratio()
                scored.append((-score, -spelling, i, j, old, new))
    new_keys: dict[Any, Any] = {}
    taken: set[Any] = set()
    for *_, old, new in sorted(scored, key=lambda item: item[:4]):
        if old not in new_keys and new not in taken:
            new_keys[old] = new
            taken.add(new)
    return new_keys


def _gather(tree: Tree, path: tuple[str, ...], counts: Parts) -> None:
    match tree:
        case Branch(entries, head):
            if head:
                counts[path, "head", head] += 1
            for key, inner in entries.items():
                _gather(inner, path if key == "of" else (*path, key), counts)
        case Layers(items):
            for _, inner in items:
                _gather(inner, (*path, "layer"), counts)
        case Word(value, text):
            counts[path] += 1
            for word in str(value).split() if text else [str(value)]:
                counts[path, word] += 1
        case Expression(_, _, form):
            counts[path] += 1
            for node in n.walk(form):
                counts[path, _label(node)] += 1


def _gather_written(data: Any, path: tuple[str, ...], counts: Parts) -> None:
    if isinstance(data, Mapping):
        for key, inner in data.items():
            _gather_written(inner, (*path, str(key)), counts)
    elif isinstance(data, list | tuple):
        for inner in data:
            _gather_written(inner, (*path, "item"), counts)
    else:
        counts[path] += 1
        counts.update((path, word) for word in re.findall(r"\w[\w.]*|[^\w\s]", str(data)))


def _label(node: n.Node) -> Hashable:
    """What a node of an expression says by itself, with what is directly below it."""
    return (_own(node), *(_own(child) for child in n.children(node)))


def _own(node: n.Node) -> Hashable:
    match node:
        case n.Name(name):
            return name
        case n.Number(value) | n.Boolean(value):
            return (type(value).__name__, value)
        case n.Call(function):
            return ("call", function)
        case n.Binary(operator) | n.Unary(operator):
            return (type(node).__name__, operator)
    return type(node).__name__

"""Conditions on axes in claims and figures, with the new names of the values that they choose: `variant == forward_only`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..expressions import nodes as n
from .trees import Branch, Expression, Layers, Tree, expression

Values = Mapping[str, Mapping[str, str]]
"""By axis: old name of a value to new."""


def reselected(tree: Tree, values: Values) -> Tree:
    """A claim or figure with the new names of values behind the axes that they are on."""
    match tree:
        case Expression(node, parameters):
            return expression(_chosen(node, values), parameters)
        case Branch(entries):
            return replace(tree, entries={key: reselected(inner, values) for key, inner in entries.items()})
        case Layers():
            return tree
    return tree


def _chosen(node: Any, values: Values) -> Any:
    if isinstance(node, tuple):
        return tuple(_chosen(item, values) for item in node)
    if not isinstance(node, n.Node):
        return node
    if isinstance(node, n.Binary) and isinstance(node.left, n.Name) and isinstance(node.right, n.Name):
        own = values.get(node.left.name, {})
        return replace(node, right=replace(node.right, name=own.get(node.right.name, node.right.name)))
    places = [field.name for field in fields(node) if field.name not in ("start", "end")]
    return replace(node, **{name: _chosen(getattr(node, name), values) for name in places})

"""The syntax tree of expressions: declarations only. Every meaning (types, value, text) is a pass over it.

`start` and `end` are offsets in the expression's own text; equality ignores them.
"""

from __future__ import annotations

from dataclasses import field

from ..records import record


@record(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has: where it stands in its text."""

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@record(frozen=True, slots=True, eq=False)
class Number(Node):
    """`1`, `1e-3`: an int when written as one, and then another number than `1.0`."""

    value: int | float

    def __eq__(self, other: object) -> bool:
        """Whether both are the same number of the same kind."""
        if not isinstance(other, Number):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@record(frozen=True, slots=True)
class Boolean(Node):
    """`true`, `false`."""

    value: bool


@record(frozen=True, slots=True)
class Name(Node):
    """`x`: whatever its stage gives it."""

    name: str


@record(frozen=True, slots=True)
class Array(Node):
    """`[a, b]`: equal shapes under a new first axis."""

    items: tuple[Expr, ...]


@record(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `+x`, `not x`."""

    operator: str
    operand: Expr


@record(frozen=True, slots=True)
class Binary(Node):
    """`a + b` and the other operators of two operands, comparisons among them."""

    operator: str
    left: Expr
    right: Expr


@record(frozen=True, slots=True)
class Conditional(Node):
    """`a if c else b`, elementwise."""

    then: Expr
    condition: Expr
    otherwise: Expr


@record(frozen=True, slots=True)
class Call(Node):
    """`huber(pred, y)`: an operation, distribution, function or network applied to arguments, in source order."""

    function: str
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...] = ()


@record(frozen=True, slots=True)
class Slice(Node):
    """`a:b` between square brackets; either end may be left out."""

    first: Expr | None
    last: Expr | None


@record(frozen=True, slots=True)
class Index(Node):
    """`z[0]`, `z[1:]`, `y[i]`, `W[i, j]`."""

    array: Expr
    subscripts: tuple[Expr | Slice, ...]


@record(frozen=True, slots=True)
class Attribute(Node):
    """`score.dense_2`: a layer or a weight of a network."""

    owner: Expr
    name: str


@record(frozen=True, slots=True)
class Comprehension(Node):
    """`[body for i < n, j < m]`: an array whose first axes are i and j."""

    body: Expr
    ranges: tuple[tuple[str, Expr], ...]


Expr = Number | Boolean | Name | Array | Unary | Binary | Conditional | Call | Index | Attribute | Comprehension


def children(node: Node) -> list[Node]:
    """The nodes right below one, in source order."""
    nodes: list[Node] = []
    stack: list[object] = [getattr(node, name) for name in reversed(type(node).__slots__)]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            nodes.append(item)
        elif isinstance(item, tuple):
            stack.extend(reversed(item))
    return nodes


def walk(node: Node) -> list[Node]:
    """The node and all below it, a parent before its children."""
    nodes: list[Node] = []
    stack = [node]
    while stack:
        item = stack.pop()
        nodes.append(item)
        stack.extend(reversed(children(item)))
    return nodes

"""Types of expressions: a kind (bool < int < real) and a shape of one example; NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from ..records import record

Shape = tuple[int, ...]

KINDS = ("bool", "int", "real")
BYTES = {"bool": 1, "int": 4, "real": 4}
MAX_BYTES = 128 * 2**20


@record(frozen=True, slots=True)
class Type:
    """A kind and a shape.

    >>> str(Type("real", (3, 2))), str(Type("int", ()))
    ('real[3, 2]', 'int')
    """

    kind: str
    shape: Shape = ()

    def __str__(self) -> str:
        return self.kind + (shape_text(self.shape) if self.shape else "")

    @property
    def bytes(self) -> int:
        """The memory of one value, in bytes (real is float32 here)."""
        return prod(self.shape) * BYTES[self.kind]


class ShapeProblem(Exception):
    """Shapes or kinds that do not go together; `hint` says how to mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def shape_text(shape: Iterable[int]) -> str:
    """A shape as the language writes it.

    >>> shape_text((3, 2))
    '[3, 2]'
    """
    return f"[{', '.join(str(size) for size in shape)}]"


def led_by(shape: Iterable[int], *sizes: int | None) -> Shape:
    """A shape behind the axes that there are.

    >>> led_by((3,), 2, None), led_by((3,), None)
    ((2, 3), (3,))
    """
    return (*(size for size in sizes if size is not None), *shape)


def join(kinds: Iterable[str]) -> str:
    """The least kind that holds all of them.

    >>> join(["bool", "int"])
    'int'
    """
    return KINDS[max((KINDS.index(kind) for kind in kinds), default=0)]


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """NumPy's rule: aligned at the right, equal or 1. Raises ShapeProblem.

    >>> broadcast([(3, 1), (4,)])
    (3, 4)
    """
    given = list(shapes)
    result: list[int] = []
    for place in range(1, max(map(len, given), default=0) + 1):
        sizes = {shape[-place] for shape in given if len(shape) >= place} - {1}
        if len(sizes) > 1:
            texts = " and ".join(dict.fromkeys(shape_text(shape) for shape in given))
            raise ShapeProblem(f"the shapes {texts} do not broadcast together", _broadcast_hint(given))
        result.append(sizes.pop() if sizes else 1)
    return tuple(reversed(result))


def _broadcast_hint(shapes: list[Shape]) -> str:
    pair = [shape for shape in shapes if shape][:2]
    if len(pair) == 2 and {len(pair[0]), len(pair[1])} == {1}:
        return "For all pairs, write index notation: `[f(a[i], b[j]) for i < n, j < m]`."
    return "Shapes are aligned at their last axis; each pair of sizes must be equal, or one of them 1."

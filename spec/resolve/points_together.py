"""Which constants vary from cell to cell of an experiment, and what they are in all cells: see `spec/check/all_points.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..check.all_points import literal
from ..check.memo import Shared
from ..source import nodes as yaml

MAX_LOOKED_AT = 100_000
"""Constants times documents up to which those that patches change are looked for."""

Cell = tuple[Shared, Mapping[str, Any]]
"""What a cell shares with others, and its values of the swept constants."""


def take_together(cells: Sequence[Cell], patches: Iterable[yaml.Node | None]) -> None:
    """Tells what cells share which constants vary among them; `patches` are those of variants and of axes."""
    if len(cells) < 2:
        return
    documents = list({id(shared): shared for shared, _ in cells}.values())
    swept = cells[0][1].keys()
    for name in swept:
        values = literal([constants[name] for _, constants in cells])
        for shared in documents:
            shared.points[name] = values
    patched = {name for patch in patches for name in _constants(patch)} - swept
    if len(patched) * len(documents) > MAX_LOOKED_AT:
        return
    for name in patched:
        numbers = {id(shared): _number(shared.model.node("constants", name)) for shared in documents}
        if len(set(numbers.values())) > 1 or None in numbers.values():
            values = literal([numbers[id(shared)] for shared, _ in cells])
            for shared in documents:
                shared.points[name] = values


def _constants(patch: yaml.Node | None) -> tuple[str, ...]:
    """The constants that a patch changes."""
    node = patch.get("constants") if isinstance(patch, yaml.Mapping) else None
    return tuple(node.keys()) if isinstance(node, yaml.Mapping) else ()


def _number(node: yaml.Node | None) -> int | float | None:
    """The number that a constant is declared as; None for an expression, and for what is not there."""
    value = node.value if isinstance(node, yaml.Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

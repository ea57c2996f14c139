"""Layers of the table as they are written, with what they need."""

from __future__ import annotations

from typing import Any

from dlspec.spec.tables.layers import LAYERS

ARGUMENTS: dict[str, Any] = {"layer": "{lstm: 2}", "target_shape": "[12]", "input_dim": 5, "groups": 2}


def written_layer(row: str, more: str = "") -> tuple[str, str]:
    """A layer with all that it needs, and more, and an input that it takes."""
    own = [
        f"{p.name}: {ARGUMENTS.get(p.name, 2)}"
        for p in LAYERS[row].parameters.values()
        if p.required and p.name not in more
    ]
    if row == "group_normalization":
        own.append("groups: 2")
    shape = "[6, 6, 4]" if "2d" in row else "[6, 4]"
    example = f"integer(5, {shape})" if LAYERS[row].ints_below else f"normal({shape})"
    return f"{row}: {{{', '.join([*own, *([more] if more else [])])}}}", example

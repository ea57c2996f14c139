"""A network as text, for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ..ir.plan import LayerPlan, NetworkPlan

MAX_WRITTEN_OUT = 3
"""So many layers of one shape are written out."""


def shapes(network: NetworkPlan) -> str:
    """A network's shapes from its input on: `[100] → 100 → 1`; `64 (16 times)` where layers have one shape."""
    if network.free:
        return f"a parameter {list(network.output.shape)}" if network.output.shape else "a parameter"
    words = [str(list(network.given.shape[1 if network.each else 0 :]))]
    for layer in {layer.key: layer for layer in _in_a_row(network.layers)}.values():
        if layer.weights and (layer.kind == "keras" or set(layer.weights) - set(layer.untrained)):
            shape = layer.output.shape
            words.append(str(shape[0]) if len(shape) == 1 else "×".join(map(str, shape)))
    copies = f"{network.copies} copies of " if network.copies is not None else ""
    return copies + (f"{network.each} × " if network.each else "") + " → ".join(map(_run, groupby(words)))


def _in_a_row(layers: tuple[LayerPlan, ...]) -> Iterator[LayerPlan]:
    """The layers from the input to the output, without those of shortcuts."""
    for layer in layers:
        if not layer.blocks:
            yield layer
        for block in layer.blocks[:1] if layer.kind == "residual" else layer.blocks:
            yield from _in_a_row(block)


def _run(group: tuple[str, Iterator[str]]) -> str:
    word, own = group
    count = len(list(own))
    return " → ".join([word] * count) if count <= MAX_WRITTEN_OUT else f"{word} ({count} times)"

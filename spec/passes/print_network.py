"""A network as text, for people to read."""

from __future__ import annotations

from ..ir.plan import NetworkPlan


def shapes(network: NetworkPlan) -> str:
    """A network's shapes from its input on: `[100] → 100 → 1`."""
    words = [str(list(network.input.type.shape[1 if network.each else 0 :]))]
    for layer in network.leaves():
        if layer.weights and layer.kind == "keras":
            shape = layer.output.shape
            words.append(str(shape[0]) if len(shape) == 1 else "×".join(map(str, shape)))
    return (f"{network.each} × " if network.each else "") + " → ".join(words)

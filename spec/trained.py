"""Which weights training changes: those that a term of the loss reaches along the backward pass, and that no mode freezes.

All others are not touched: no step, no moments, no decay, no moving average, no constraint. It is known before the run.
"""

from __future__ import annotations

from math import prod

from . import terms as t
from .check.paths import Paths, Reached
from .resolved import LayerPlan, NetworkPlan, Program

Place = tuple[str, str, str]
"""A network, a layer's key and a weight's name."""


def trained(program: Program) -> frozenset[Place]:
    """The weights that training changes; none without training."""
    if program.training is None:
        return frozenset()
    paths = _Weights(program)
    for loss in program.loss:
        paths.through(loss.term)
    frozen = {target for target, mode in program.gradient.items() if mode.name == "freeze"}
    return frozenset(
        place for place in paths.found if place[0] not in frozen and f"{place[0]}.{place[1]}" not in frozen
    )


def trained_parameters(program: Program, network: NetworkPlan) -> int:
    """How many numbers of a network's training changes."""
    leaves = {layer.key: layer for layer in network.leaves()}
    own = (place for place in trained(program) if place[0] == network.name)
    return sum(prod(leaves[layer].weights[weight]) for _, layer, weight in own)


class _Weights(Paths):
    """The ways of gradients, and the weights at their ends."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.found: set[Place] = set()

    def _hold(self, network: str, layer: LayerPlan, weight: str = "") -> None:
        names = set(layer.weights) - set(layer.untrained)
        self.found |= {(network, layer.key, name) for name in names if weight in ("", name)}

    def _named(self, term: t.Weight | t.AllWeights, layer: LayerPlan) -> bool:
        if super()._named(term, layer):
            self._hold(term.network, layer, term.weight if isinstance(term, t.Weight) else "")
        return super()._named(term, layer)

    def _network(self, plan: NetworkPlan, found: Reached) -> bool:
        mode = self.modes.get(plan.name)
        if mode is not None and mode.name == "forward_only":
            return True  # the message goes to the input as it is
        inner = Reached()
        passes = super()._network(plan, inner)
        found.layers |= inner.layers
        found.ends += inner.ends
        for layer in plan.leaves():
            own = self.modes.get(f"{plan.name}.{layer.key}")
            if (plan.name, layer.key) in inner.layers and (own is None or own.name != "forward_only"):
                self._hold(plan.name, layer)
        return passes

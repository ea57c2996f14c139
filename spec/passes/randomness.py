"""Whether a measure differs from seed to seed: whether anything random reaches it."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import terms as t
from ..ir.plan import VALUE, InitialValue, LayerPlan, MeasurePlan, Named, NetworkPlan, Program
from ..tables.initializers import INITIALIZERS
from ..tables.layers import LAYERS

_FIXED = {row.keras for row in INITIALIZERS.values() if not row.random}


def is_random(program: Program, measure: MeasurePlan) -> bool:
    """Whether a draw, a random initial weight, sampled examples, shuffled batches or noise reach a measure.

    What ranges over all values of an enumerated draw is exact. In doubt it is random.
    """
    return _Reached(program).random(measure.term)


def trains_at_random(program: Program) -> bool:
    """Whether something random reaches what is trained, so that seeds may differ in whether training diverges."""
    reached = _Reached(program)
    return program.training is not None and (
        reached.trains_at_random() or any(reached.random(one.term) for one in program.loss)
    )


class _Reached:
    """What a term depends on, through references, networks and the training of their weights."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named = {(kind, one.name): one.term for kind, many in _phases(program) for one in many}
        self.networks = {network.name: network for network in program.networks}

    def random(self, term: t.Term) -> bool:
        return any(self._draws(item) for item in t.walk(term, self._onwards))

    def _draws(self, term: t.Term) -> bool:
        match term:
            case t.Sample(path=path):
                return path != self.program.data.enumerated
            case t.GradientStatistic(draws=draws, every=every):
                return bool(draws) and not every
            case t.NetworkOutput(network=name) | t.Weight(network=name) | t.AllWeights(network=name):
                return self._starts_at_random(self.networks[name]) or self.trains_at_random()
        return False

    def _onwards(self, term: t.Term) -> Iterator[t.Term]:
        yield from t.children(term)
        match term:
            case t.Reference(name=name, phase=phase) if (phase, name) in self.named:
                yield self.named[phase, name]
            case t.NetworkOutput(network=name):
                yield from (*self._applied(self.networks[name]), *self._weights(self.networks[name]))
            case t.Weight(network=name) | t.AllWeights(network=name):
                yield from self._weights(self.networks[name])

    def _applied(self, network: NetworkPlan) -> Iterator[t.Term]:
        """What a network is given, and what its layers compute."""
        yield network.input
        yield from (layer.body for layer in network.applied() if layer.body is not None)

    def _weights(self, network: NetworkPlan) -> Iterator[t.Term]:
        """What the weights of a network come of: their start and, where they are trained, the loss."""
        for layer in network.leaves():
            yield from (start.arguments["value"] for start in layer.initializers.values() if start.keras == VALUE)
        if self.program.training is not None:
            yield from (one.term for one in self.program.loss)

    def _starts_at_random(self, network: NetworkPlan) -> bool:
        return any(_random_start(layer, weight) for layer in network.leaves() for weight in layer.weights)

    def trains_at_random(self) -> bool:
        """Whether noise, random initial weights or sampled examples enter a training."""
        program = self.program
        if program.training is None:
            return False
        noise = any(LAYERS[layer.row].draws for network in program.networks for layer in network.applied() if layer.row)
        started = any(self._starts_at_random(network) for network in program.networks)
        return noise or started or not program.data.exact


def _random_start(layer: LayerPlan, weight: str) -> bool:
    if layer.row and LAYERS[layer.row].estimated_from:
        return True
    start = layer.initializers.get(weight)
    if isinstance(start, InitialValue):
        return start.keras not in _FIXED and start.keras != VALUE
    return weight not in layer.untrained


def _phases(program: Program) -> tuple[tuple[str, tuple[Named, ...]], ...]:
    return ("draw", program.draws), ("example", program.examples), ("outputs", program.outputs)

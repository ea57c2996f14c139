"""Whether a measure differs from seed to seed: whether anything random reaches it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..ir import claims as c
from ..ir import terms as t
from ..ir.plan import VALUE, InitialValue, LayerPlan, MeasurePlan, Named, NetworkPlan, Program
from ..ir.term_pass import TermPass
from ..tables.initializers import INITIALIZERS
from ..tables.layers import LAYERS
from .shared_noise import drawing

_FIXED = {row.keras for row in INITIALIZERS.values() if not row.random}


def is_random(program: Program, measure: MeasurePlan) -> bool:
    """Whether a draw, a random initial weight, sampled examples, shuffled batches or noise reach a measure.

    What changes in training is random, too, where the step at which a stopping condition (`until`) ends it is. What ranges over all
    values of an enumerated draw is exact. In doubt it is random.
    """
    every = [_Reached(program.on(stream)) for stream in measure.streams]
    return any(
        reached.random(measure.term) or (reached.changes(measure.term) and reached.stops_at_random())
        for reached in every
    )


def trains_at_random(program: Program) -> bool:
    """Whether something random reaches what is trained, so that seeds may differ in whether training diverges."""
    reached = _Reached(program)
    return program.training is not None and (
        reached.trains_at_random() or any(reached.random(one.term) for one in program.loss) or reached.stops_at_random()
    )


class _Reached:
    """What a term depends on, through references, networks and the training of their weights."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named = {(kind, one.name): one.term for kind, many in _stages(program) for one in many}
        self.networks = {network.name: network for network in program.networks}

    def random(self, term: t.Term) -> bool:
        """Whether anything random reaches a term."""
        return any(_DRAWS.of(item)(item, self) for item in self.all_of(term))

    def changes(self, term: t.Term) -> bool:
        """Whether a term may be worth something else after another step of training."""
        return self.program.training is not None and any(isinstance(item, _CHANGING) for item in self.all_of(term))

    def stops_at_random(self) -> bool:
        """Whether a condition ends training, or holds it to the end of a phase, and looks at what is random."""
        conditions = self.program.training.conditions if self.program.training is not None else ()
        looked_at = {part.measure for one in conditions for part in c.parts(one.tree) if isinstance(part, c.Measured)}
        return any(self.random(measure.term) for measure in self.program.measures if measure.name in looked_at)

    def all_of(self, term: t.Term) -> Iterable[t.Term]:
        """A term and all that it comes of."""
        return t.walk(term, lambda item: _ONWARDS.of(item)(item, self))

    def applied(self, network: NetworkPlan) -> Iterator[t.Term]:
        """What a network is given, and what its layers compute."""
        yield network.input
        yield from (layer.body for layer in network.applied() if layer.body is not None)

    def weights(self, network: NetworkPlan) -> Iterator[t.Term]:
        """What the weights of a network come of: their start and, where they are trained, the loss."""
        for layer in network.leaves():
            yield from (start.arguments["value"] for start in layer.initializers.values() if start.keras == VALUE)
            yield from (one.body for one in layer.kept_by.values())
        if self.program.training is not None:
            yield from (one.term for one in self.program.loss)

    def learnt_at_random(self, network: str) -> bool:
        """Whether the weights of a network start or train at random."""
        return self.starts_at_random(self.networks[network]) or self.trains_at_random()

    def starts_at_random(self, network: NetworkPlan) -> bool:
        return any(_random_start(layer, weight) for layer in network.leaves() for weight in layer.weights)

    def trains_at_random(self) -> bool:
        """Whether noise, random initial weights or sampled examples enter a training."""
        program = self.program
        if program.training is None:
            return False
        started = any(self.starts_at_random(network) for network in program.networks)
        sampled = any(t.has(item.term, t.Sample, t.FileValue) for item in program.examples)
        return bool(drawing(program)) or started or (sampled and not program.data.exact)


_DRAWS: TermPass[[_Reached], bool] = TermPass("randomness")
"""Whether a term is random by itself."""
_ONWARDS: TermPass[[_Reached], Iterable[t.Term]] = TermPass("way to what is random")
"""What a term comes of, through names, networks and training."""
_LEARNT = (t.NetworkOutput, t.Weight, t.AllWeights)
_CHANGING = (*_LEARNT, t.StepNumber)
"""The classes whose values change in training."""
_PARTS = (
    *(kind for kind in t.NAMELESS if kind not in _LEARNT),
    t.Parameter,
    t.Invoke,
    t.Scan,
    t.Stop,
    t.Recalled,
    t.WithWeights,
    *t.DERIVATIVES,
    t.BatchMean,
)
"""The classes that come of their parts alone."""


@_DRAWS.case(
    *(kind for kind in _PARTS if kind not in (t.Sample, t.GradientStatistic, t.FileValue, t.LeftOut)), t.Reference
)
def _is_plain(term: t.Term, reached: _Reached) -> bool:
    return False


@_DRAWS.case(t.Sample)
def _is_drawn(term: t.Sample, reached: _Reached) -> bool:
    data = reached.program.data
    return data.split_at_random or all(term.path != one.path for one in data.enumerated)


@_DRAWS.case(t.FileValue)
def _is_split_at_random(term: t.FileValue, reached: _Reached) -> bool:
    return reached.program.data.split_at_random


@_DRAWS.case(t.LeftOut)
def _is_counted_at_random(term: t.LeftOut, reached: _Reached) -> bool:
    return reached.trains_at_random()


@_DRAWS.case(t.GradientStatistic)
def _draws_anew(term: t.GradientStatistic, reached: _Reached) -> bool:
    return bool(term.draws) and not term.every


@_DRAWS.case(t.NetworkOutput)
def _is_computed_at_random(term: t.NetworkOutput, reached: _Reached) -> bool:
    return reached.learnt_at_random(term.network)


@_DRAWS.case(t.Weight, t.AllWeights)
def _is_learnt_at_random(term: t.Weight | t.AllWeights, reached: _Reached) -> bool:
    return reached.learnt_at_random(term.network)


@_ONWARDS.case(*_PARTS)
def _parts(term: t.Term, reached: _Reached) -> Iterable[t.Term]:
    return t.children(term)


@_ONWARDS.case(t.Reference)
def _named(term: t.Reference, reached: _Reached) -> Iterable[t.Term]:
    return (reached.named[term.stage, term.name],) if (term.stage, term.name) in reached.named else ()


@_ONWARDS.case(t.NetworkOutput)
def _output(term: t.NetworkOutput, reached: _Reached) -> Iterable[t.Term]:
    network = reached.networks[term.network]
    return (*t.children(term), *reached.applied(network), *reached.weights(network))


@_ONWARDS.case(t.Weight, t.AllWeights)
def _weights(term: t.Weight | t.AllWeights, reached: _Reached) -> Iterable[t.Term]:
    return reached.weights(reached.networks[term.network])


def _random_start(layer: LayerPlan, weight: str) -> bool:
    if layer.row and LAYERS[layer.row].estimated_from:
        return True
    start = layer.initializers.get(weight)
    if isinstance(start, InitialValue):
        return start.keras not in _FIXED and start.keras != VALUE
    return weight not in layer.untrained


def _stages(program: Program) -> tuple[tuple[str, tuple[Named | MeasurePlan, ...]], ...]:
    return (
        ("draw", program.draws),
        ("example", program.examples),
        ("outputs", program.outputs),
        ("statistics", program.statistics),
        ("estimates", program.estimates),
    )

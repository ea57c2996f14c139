"""What a program is there for: the terms that it minimises, measures, estimates or shows."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import terms as t
from ..ir.plan import Program


def roots(program: Program) -> Iterator[t.Term]:
    """The terms of the loss, of measures and of estimates, and those that figures show of single examples."""
    yield from (item.term for item in program.loss)
    yield from (item.term for item in program.measures)
    yield from (item.term for item in program.estimates)
    for probe in program.probes:
        yield from probe.terms.values()


def statistics_of(program: Program) -> list[t.GradientStatistic]:
    """The statistics of gradients in the measures of a program, each once."""
    terms = (item for measure in program.measures for item in t.walk(measure.term))
    found = {id(item): item for item in terms if isinstance(item, t.GradientStatistic)}
    return list(found.values())


def redraws(program: Program) -> bool:
    """Whether a statistic draws the target anew."""
    return any(item.over for item in statistics_of(program))


def written(program: Program) -> Iterator[t.Term]:
    """The same, and the terms of outputs."""
    yield from (item.term for item in program.outputs)
    yield from roots(program)


def differentiates(program: Program) -> bool:
    """Whether a derivative is a value of a program; that of training, by its weights, is none."""
    kinds = (t.Gradient, t.GradientStatistic, t.SamplingFloor, *t.DERIVED)
    return any(isinstance(item, kinds) for term in written(program) for item in t.walk(term))


def before_weights(program: Program) -> frozenset[str]:
    """The names whose values hang on no weights: of draws, of statistics, of the example."""
    return frozenset(item.name for items in (program.draws, program.statistics, program.examples) for item in items)

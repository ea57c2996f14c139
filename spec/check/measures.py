"""Checks the terms of an experiment's loss, and its measures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..diagnostics.problems import did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import LossPlan, MeasurePlan
from ..ir.types import Type
from ..model.base import OneOf
from ..model.experiment import LossTerm, MeasureOf
from ..source import nodes as yaml
from ..tables.gradient_statistics import FLOOR, GRADIENT_STATISTICS
from . import constant_folding as folding
from .context import Context
from .dependencies import over_examples
from .measure_names import INFERENCE
from .said_streams import modes_said, said_mode, said_on, streams_said
from .scope import ExperimentScope
from .streams import stream_of
from .weighed_examples import mean, weighed_loss


def loss_term(experiment: ExperimentScope, name: str, loss: Any, of: yaml.Node | None) -> LossPlan:
    """A term of a loss, which stands at a node: one number per example."""
    weight: yaml.Node | None = None
    trains: tuple[str, ...] = ()
    if isinstance(loss, LossTerm):
        of, weight = loss.node("of"), loss.node("weight")
        trains = trained_by(experiment, loss)
    assert of is not None
    term = experiment.checker.value(of, Context("loss", ("loss", name)))
    experiment.must_fit(term, of.span)
    if term.type.shape:
        hint = "`sum(…)` or `mean(…)` makes one number of it."
        raise problem_at(term.span, f"a loss is one number per example, and this is {term.type}", hint)
    if term.type.kind == "bool":
        hint = "A comparison has no gradient: take `hinge`, `cross_entropy` or a square."
        raise problem_at(term.span, "a loss is a number per example, and this is bool", hint)
    if not experiment.trained(term):
        raise problem_at(
            term.span,
            "this loss depends on no network: there is nothing to train",
            "Use a network's output in it, by the network's name.",
        )
    factor: t.Term = t.Literal(np.asarray(1.0), type=Type("real"), span=term.span)
    if weight is not None:
        factor = folding.real(experiment.checker.value(weight, Context("schedule", ())))
        if factor.type.shape:
            raise problem_at(
                factor.span,
                f"a weight is one number, and this is {factor.type}",
                "`sum(…)` or an index makes one number of it.",
            )
    return LossPlan(name, weighed_loss(experiment.checker, term, of.span), factor, trains)


def trained_by(experiment: ExperimentScope, loss: LossTerm) -> tuple[str, ...]:
    """The networks that a term of the loss says it trains."""
    names = [loss.trains] if isinstance(loss.trains, str) else loss.trains or []
    for name, node in zip(names, loss.nodes("trains"), strict=False):  # `null` is a node, and names none
        if name not in experiment.model.architecture:
            known = experiment.model.architecture
            hint = did_you_mean(name, known) or f"The networks are {listing(known)}."
            raise problem_at(node.span, f"there is no network '{name}' to train", hint)
    if loss.trains == []:
        raise problem_at(loss.key("trains"), "`trains` names no network", "Name one, or leave it out: all are trained.")
    return tuple(names)


def measures(experiment: ExperimentScope) -> tuple[MeasurePlan, ...]:
    """All measures, each with its sampling floor where it has one: the same tuple at every point where all are the same.

    Those with an error are left out.
    """
    experiment.measure_names.make = partial(measure, experiment)
    experiment.measure_names.stream = partial(stream_of, experiment)
    node = experiment.model.node("measures")
    return experiment.group(("measures",), lambda: _measures(experiment), node)


def _measures(experiment: ExperimentScope) -> tuple[MeasurePlan, ...]:
    found: list[MeasurePlan] = []
    for name in experiment.model.measures:
        if name in experiment.measure_names.failed:
            continue
        plans = experiment.attempt(partial(measure, experiment, name))
        if plans is None:
            experiment.measure_names.failed.add(name)
        found.extend(plans or ())
    return tuple(found)


def measure(experiment: ExperimentScope, name: str) -> Sequence[MeasurePlan]:
    """A measure, with its sampling floor where it has one. Raises StudyError."""
    entry, node = experiment.model.measures[name], experiment.model.node("measures", name)
    if isinstance(entry, OneOf):
        from .gradient_measures import statistic  # of such measures alone

        if name + FLOOR in experiment.model.measures:
            return statistic(experiment, name, entry)
        return experiment.said_again.plans("measures", name, lambda: statistic(experiment, name, entry))
    make = partial(experiment.part, ("measure", name), lambda: _mean(experiment, name, entry, node), node)
    return [experiment.said_again.plan("measures", name, make)]


def _mean(experiment: ExperimentScope, name: str, entry: Any, node: yaml.Node | None) -> MeasurePlan:
    """A measure; a bare one per example means its expectation."""
    of = entry.node("of") if isinstance(entry, MeasureOf) else node
    assert of is not None
    on, mode, said = "test", INFERENCE, None
    if isinstance(entry, MeasureOf):
        said, mode = entry.node("on"), entry.mode
        on = stream_of(experiment, entry.on, said.span if said is not None else None)
    with experiment.measure_names.within(name, on, mode):
        term = experiment.checker.value(of, Context("measures", ("measures", name)))
    experiment.must_fit(term, of.span)
    term = over_examples(experiment.dependencies, term, partial(mean, experiment.checker))
    streams = streams_said(term)
    if said is not None and None not in streams:
        hint = "Leave `on` out: its parts name their own examples, or are the same for all."
        raise problem_at(said.span, f"nothing in this is over the examples '{on}'", hint)
    if len(streams) == 1 and streams[0] is not None:
        on = streams[0]
    term = said_on(term, {on: None}) if on in streams else term
    if mode != INFERENCE:
        if None not in modes_said(term):
            hint = "Leave `mode` out: its parts have their own, or depend on no example."
            raise problem_at(entry.span("mode"), "no layer in this is applied to an example", hint)
        term = said_mode(term, {None: mode, INFERENCE: None})
    return MeasurePlan(name, term, on, _may_be_missing(term))


def _may_be_missing(term: t.Term) -> bool:
    """Whether a term may have no finite value, and training goes on: a ratio to noise, or a mean over what fulfils a condition."""
    ratios = (GRADIENT_STATISTICS[item.statistic].ratio for item in t.within(term, t.GradientStatistic))
    return any(ratios) or any(item.where is not None for item in t.within(term, t.Expectation))

"""The statistics of gradients that are measures: their arguments, and their sampling floors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..diagnostics.problems import did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..ir.types import Type
from ..passes.example_blocks import MIN_BLOCKS
from ..source import nodes as yaml
from ..tables.gradient_statistics import FLOOR, GRADIENT_STATISTICS, Exact, GradientStatistic
from ..tables.operations import OPERATIONS
from . import constant_folding as folding
from .context import Context
from .data import coins
from .gradients import must_be_one_number, weights_of
from .scope import ExperimentScope

MAX_TARGET_BITS = 16


def statistic(experiment: ExperimentScope, name: str, kind: str, node: yaml.Mapping) -> list[MeasurePlan]:
    """A statistic of a gradient, and its sampling floor as a measure of its own. Raises SpecError."""
    inner, row = node.get(kind), GRADIENT_STATISTICS[kind]
    arguments = experiment.model.measures[name].value
    assert isinstance(inner, yaml.Mapping)
    context = Context("measures", ("measures", name))
    parts = {key: inner.get(key) for key in ("of", "weights")}
    of, weights = (experiment.checker.value(part, context) for part in parts.values() if part is not None)
    must_be_one_number(of)
    asked = weights_of(weights)
    path: list[str | int] = ["measures", name, kind]
    over = _over(experiment, of, path) if row.over_draws else ()
    draws, every = _draws(experiment, over, [*path, "draws"], arguments.draws) if over else (0, ())
    enumerated = experiment.data is not None and experiment.data.exact
    if enumerated and inner.get("examples") is not None:
        at, _ = yaml.locate(experiment.node, [*path, "examples"])
        raise problem_at(at, "with `enumerate` all examples are taken, and here is another number", "Remove it.")
    options = _options(experiment, row, path, arguments)
    if enumerated and row.exact is not None:
        gradient = t.Gradient(of, asked, type=Type("real", asked.type.shape), span=of.span)
        return [MeasurePlan(name, _exact(experiment, row.exact, gradient), ratio=row.ratio)]
    examples = _examples(experiment, row, path, arguments.examples)
    term = t.GradientStatistic(
        kind, of, asked, examples, over, draws, every, options, type=Type("real"), span=inner.span
    )  # fmt: skip
    if not row.floor:
        return [MeasurePlan(name, term, ratio=row.ratio)]
    if name + FLOOR in experiment.model.measures:
        key, _ = yaml.locate(experiment.node, ["measures", name + FLOOR])
        raise problem_at(key, f"'{name}{FLOOR}' is the sampling floor of '{name}'", "Choose another name.")
    if enumerated and over:  # each target's gradient is exact, and no value is lost in noise
        return [MeasurePlan(name, term, ratio=row.ratio)]
    floor = MeasurePlan(name + FLOOR, t.SamplingFloor(term, type=Type("real"), span=inner.span))
    return [MeasurePlan(name, term, ratio=row.ratio), floor]


def _examples(experiment: ExperimentScope, row: GradientStatistic, path: list[str | int], default: Any) -> int:
    """From how many examples it is estimated: all where data are enumerated."""
    least = 2 if row.over_draws else MIN_BLOCKS
    examples = experiment.count([*path, "examples"], default, "'examples'")
    hint = "Give more `examples`."
    if experiment.data is not None and experiment.data.exact:
        examples, hint = experiment.data.test, "Enumerate more, or sample the examples."
        least = 1 if row.over_draws else least
    if examples < least:
        at, _ = yaml.locate(experiment.node, [*path, "examples"])
        message = f"a gradient's statistics need {least} examples or more, and this is {examples}"
        raise problem_at(at, message, hint)
    return examples


def _options(
    experiment: ExperimentScope, row: GradientStatistic, path: list[str | int], arguments: Any
) -> dict[str, int | float]:
    """The arguments that a statistic has of its own: positive whole numbers, and real ones within their bounds."""
    options: dict[str, int | float] = {}
    for name, parameter in row.parameters.items():
        if parameter.kind == "size":
            options[name] = experiment.count([*path, name], getattr(arguments, name), f"'{name}'")
        elif parameter.kind == "real":
            node = yaml.find(experiment.node, [*path, name])
            value = parameter.default
            if node is not None:
                value = float(folding.number(experiment.checker.value(node, Context("constants", ())), f"'{name}'"))
            if not parameter.within.hold(value):
                message = f"'{name}' is {value:g}, and has to be {parameter.within}"
                raise problem_at(node.span if node else None, message, "Choose another number.")
            options[name] = value
    return options


def _over(experiment: ExperimentScope, of: t.Term, path: list[str | int]) -> tuple[str, ...]:
    """The draws that are made again: of `task.draw`, and such that the value depends on them."""
    node = yaml.find(experiment.node, [*path, "over"])
    names = node.items if isinstance(node, yaml.Sequence) else (node,)
    reached = {item.name for item in experiment.dependencies.reached(of) if isinstance(item, t.Reference)}
    found = []
    for item in names:
        assert isinstance(item, yaml.Scalar)
        known = experiment.phase("draw")
        if item.text not in known:
            hint = did_you_mean(item.text, known) or f"Drawn once per replicate: {listing(known) or 'nothing'}."
            raise problem_at(item.span, f"'{item.text}' is not drawn once per replicate", hint)
        if item.text not in reached:
            raise problem_at(
                item.span,
                f"'of' does not depend on '{item.text}': its gradient has no variance over it",
                "Name a draw that it depends on.",
            )
        found.append(item.text)
    if not any(isinstance(part, t.Sample) for name in found for part in t.walk(experiment.terms[name])):
        raise problem_at(node.span if node else None, f"nothing is drawn in {listing(found)}", "Name the draw itself.")
    return tuple(found)


def _draws(
    experiment: ExperimentScope, over: tuple[str, ...], path: list[str | int], default: Any
) -> tuple[int, tuple[str, ...]]:
    """How many targets, and the path of the draw whose values are all taken."""
    node = yaml.find(experiment.node, path)
    if not isinstance(node, yaml.Scalar) or node.value != "all":
        draws = experiment.count(path, default, "'draws'")
        if draws < 2:
            raise problem_at(
                yaml.locate(experiment.node, path)[0], "a variance needs two draws or more", "Give `draws: 2` or more."
            )
        return draws, ()
    if len(over) > 1:
        raise problem_at(node.span, "`draws: all` goes over one draw, and 'over' names several", "Give a number.")
    sample = coins(experiment, over[0], node.span, MAX_TARGET_BITS, "Give a number of draws")
    return int(2 ** prod(sample.shape)), sample.path


def _exact(experiment: ExperimentScope, exact: Exact, gradient: t.Gradient) -> t.Term:
    """The value of a statistic where every example is there, as its row writes it."""
    span = gradient.span
    assert span is not None

    def operate(name: str, *arguments: t.Term | float) -> t.Term:
        terms = [
            item if isinstance(item, t.Term) else t.Literal(np.asarray(item), type=Type("real"), span=span)
            for item in arguments
        ]
        return experiment.checker.operate(OPERATIONS[name], terms, {}, span)

    def mean(term: t.Term) -> t.Term:
        return t.Expectation(term, type=Type("real", term.type.shape), span=span)

    return exact(gradient, mean, operate)

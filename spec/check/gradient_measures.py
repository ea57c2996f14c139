"""The statistics of gradients that are measures: their arguments, and their sampling floors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..diagnostics.problems import did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.data import Rows
from ..ir.plan import MeasurePlan
from ..ir.types import Type
from ..model.base import OneOf
from ..source import nodes as yaml
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.gradient_statistics import FLOOR, GRADIENT_STATISTICS, Exact, GradientStatistic
from ..tables.operations import OPERATIONS
from . import constant_folding as folding
from .context import Context
from .enumerated import coins
from .gradients import must_be_one_number, weights_of
from .modes_in_force import targets_said
from .scope import ExperimentScope
from .weighed_examples import mean, weighed_in_a_statistic

MAX_TARGET_BITS = 16
MAX_EIGENVALUES = 100
MAX_KERNEL = 4096


def statistic(experiment: ExperimentScope, name: str, entry: OneOf) -> tuple[MeasurePlan, ...]:
    """A statistic of a gradient, and its sampling floor as a measure of its own. Raises StudyError."""
    node = experiment.model.node("measures", name)
    floor = name + FLOOR in experiment.model.measures
    plans: tuple[MeasurePlan, ...] = experiment.part(
        ("statistic", name, floor), lambda: tuple(_statistic(experiment, name, entry)), node
    )
    return plans


def _statistic(experiment: ExperimentScope, name: str, entry: OneOf) -> list[MeasurePlan]:
    experiment.note_read("data")
    kind, arguments = entry.kind, entry.value
    row = GRADIENT_STATISTICS[kind]
    context = Context("measures", ("measures", name))
    of = experiment.memo.of_node(
        arguments.node("of"), lambda: _differentiated(experiment, arguments.node("of"), context)
    )
    asked = weights_of(experiment.checker.value(arguments.node("weights"), context))
    over = _over(experiment, of, arguments) if row.over_draws else ()
    draws, every = _draws(experiment, over, arguments) if over else (0, ())
    enumerated = experiment.data is not None and experiment.data.exact
    if enumerated and arguments.node("examples") is not None:
        message = "with `enumerate` all examples are taken, and this is another number"
        raise problem_at(arguments.span("examples"), message, "Remove it.")
    options = _options(experiment, row, arguments)
    if enumerated and row.exact is not None:
        gradient = t.Gradient(of, asked, type=Type("real", asked.type.shape), span=of.span)
        return [MeasurePlan(name, _exact(experiment, row.exact, gradient), ratio=row.ratio)]
    on = getattr(arguments, "on", "test")
    examples = _examples(experiment, row, arguments, on)
    if row.symmetric:
        must_be_symmetric(experiment, row, of)
    if row.matrix == "gauss_newton":
        must_be_of_the_output(experiment, row, of, asked.network)
    of = weighed_in_a_statistic(experiment.checker, row, of, on, arguments.span())
    term = t.GradientStatistic(
        kind, of, asked, examples, over, draws, every, options, on, type=Type("real", _shape(row, options, asked, examples, arguments)),
        span=arguments.extent,
    )  # fmt: skip
    if not row.floor:
        return [MeasurePlan(name, term, ratio=row.ratio)]
    if name + FLOOR in experiment.model.measures:
        key = experiment.model.span("measures", name + FLOOR)
        raise problem_at(key, f"'{name}{FLOOR}' is the sampling floor of '{name}'", "Choose another name.")
    if enumerated and over:  # each target's gradient is exact, and no value is lost in noise
        return [MeasurePlan(name, term, ratio=row.ratio)]
    floor = MeasurePlan(name + FLOOR, t.SamplingFloor(term, type=Type("real"), span=arguments.extent))
    return [MeasurePlan(name, term, ratio=row.ratio), floor]


def _differentiated(experiment: ExperimentScope, node: yaml.Node, context: Context) -> t.Term:
    """What a statistic's gradient is taken of."""
    of = experiment.checker.value(node, context)
    must_be_one_number(of)
    return of


def _shape(
    row: GradientStatistic,
    options: dict[str, int | float],
    weights: t.Weight | t.AllWeights,
    examples: int,
    arguments: Any,
) -> tuple[int, ...]:
    """The shape of a statistic: one number, or so many eigenvalues. Raises StudyError where the matrix has fewer."""
    if not row.values:
        return ()
    count = sum(int(options[name]) for name in row.values)
    size = examples if row.matrix == "kernel" else prod(weights.type.shape)
    if not count:
        hint = "Ask for at least one: `largest: 1`."
        raise problem_at(arguments.span(row.values[0]), "no eigenvalue is asked for", hint)
    if count > min(size, MAX_EIGENVALUES):
        most = f"the matrix has {size:,}" if count > size else f"the limit is {MAX_EIGENVALUES}"
        raise problem_at(
            arguments.span(row.values[0]), f"{count:,} eigenvalues are asked for, and {most}", "Ask for fewer."
        )
    if row.matrix == "kernel" and size > MAX_KERNEL:
        message = f"a matrix of {size:,} × {size:,} inner products; the limit is {MAX_KERNEL:,}"
        raise problem_at(arguments.span("of"), message, f"Give `examples: {MAX_KERNEL}` or fewer.")
    return (count,)


def must_be_symmetric(experiment: ExperimentScope, row: GradientStatistic, of: t.Term) -> None:
    """Refuses gradient modes that change a derivative on the way: the matrix need not be symmetric then."""
    reached = list(experiment.dependencies.reached(of))
    names = {item.network for item in reached if isinstance(item, t.NetworkOutput | t.Weight | t.AllWeights)}
    names |= {item.function for item in reached if isinstance(item, t.Invoke)}
    for target in targets_said(experiment.model):
        rows, _ = experiment.gradient(target)
        mode = next((row for row in rows if not row.keeps_derivative), None)
        if target.split(".")[0] in names and mode is not None:
            message = f"`{row.name}` takes second derivatives, and '{target}' has the gradient mode `{mode.name}`: the matrix need not be symmetric"
            plain = listing(f"`{name}`" for name, mode in GRADIENT_MODES.items() if mode.keeps_derivative)
            hint = f"Take it of a value without that mode; {plain} are allowed."
            raise problem_at(of.span, message, hint)


def must_be_of_the_output(experiment: ExperimentScope, row: GradientStatistic, of: t.Term, network: str) -> None:
    """Refuses a value that is made of a network otherwise than by its output: its Jacobian would not be all there is."""
    bare = False
    for item in experiment.dependencies.reached(of):
        if isinstance(item, t.NetworkOutput | t.Weight | t.AllWeights) and item.network == network:
            plain = isinstance(item, t.NetworkOutput) and item.input is None and item.layer is None
            if not plain:
                message = f"`{row.name}` takes a value of the bare output of '{network}', and this uses the network in another way"
                hint = f"Name the network alone: `(… - {network})^2`. `hessian_eigenvalues` takes any value."
                raise problem_at(item.span or of.span, message, hint)
            bare = True
    if not bare:
        raise problem_at(of.span, f"this does not use '{network}'", "Take a value of the network's output.")


def _examples(experiment: ExperimentScope, row: GradientStatistic, arguments: Any, on: str) -> int:
    """From how many examples it is estimated: all where data are enumerated."""
    least = 2 if row.over_draws else row.least
    data = experiment.data
    there = data.evaluated(on) if data is not None else 0
    given = arguments.node("examples")
    examples = experiment.count(given, arguments.examples or there or row.least, "'examples'")
    hint = "Give more `examples`."
    whole = row.parameters["examples"].default is None
    if whole and given is not None and data is not None and data.train and examples > there:
        message = f"{examples:,} examples are asked for, and the {on} set has {there:,}"
        raise problem_at(given.span, message, "Leave it out to take all.")
    if data is not None and data.tabled:
        if row.over_draws:
            these = "a file has only its rows" if isinstance(data, Rows) else "there are only those that do not train"
            message = f"`{row.name}` takes new examples for each target, and {these}"
            raise problem_at(arguments.span(), message, "Statistics over examples take them: `gradient_snr`.")
        if given is not None and examples > there:
            message = f"{examples:,} examples are asked for, and the {on} set has {there:,}"
            raise problem_at(given.span, message, "Give fewer.")
        examples = min(examples, there)
    if experiment.data is not None and experiment.data.exact:
        examples, hint = experiment.data.test, "Enumerate more, or sample the examples."
        least = 1 if row.over_draws else least
    if examples < least:
        message = f"gradient statistics need {least} examples or more, and this is {examples}"
        raise problem_at(arguments.span("examples"), message, hint)
    return examples


def _options(experiment: ExperimentScope, row: GradientStatistic, arguments: Any) -> dict[str, int | float]:
    """The arguments that a statistic has of its own: positive whole numbers, and real ones within their bounds."""
    options: dict[str, int | float] = {}
    for name, parameter in row.parameters.items():
        if parameter.kind == "count":
            options[name] = _count(experiment, name, arguments)
        elif parameter.kind == "size":
            options[name] = experiment.count(arguments.node(name), getattr(arguments, name), f"'{name}'")
        elif parameter.kind == "real":
            node = arguments.node(name)
            value = parameter.default
            if node is not None:
                value = float(folding.number(experiment.checker.value(node, Context("constants", ())), f"'{name}'"))
            if not parameter.within.hold(value):
                message = f"'{name}' is {parameter.within.text_outside(value)}, and has to be {parameter.within}"
                raise problem_at(node.span if node else None, message, "Choose another number.")
            options[name] = value
    return options


def _count(experiment: ExperimentScope, name: str, arguments: Any) -> int:
    """A whole number from 0 on."""
    node = arguments.node(name)
    if node is None:
        return int(getattr(arguments, name))
    count = int(folding.integer(experiment.checker.value(node, Context("constants", ())), f"'{name}'"))
    if count < 0:
        raise problem_at(node.span, f"'{name}' has to be at least 0, and is {count}", "Write 0 or more.")
    return count


def _over(experiment: ExperimentScope, of: t.Term, arguments: Any) -> tuple[str, ...]:
    """The draws that are made again: of `task.draw`, and such that the value depends on them."""
    reached = {item.name for item in experiment.dependencies.reached(of) if isinstance(item, t.Reference)}
    found = []
    for item in arguments.nodes("over"):
        assert isinstance(item, yaml.Scalar)
        known = experiment.stage("draw")
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
        node = arguments.node("over")
        raise problem_at(node.span, f"nothing is drawn in {listing(found)}", "Name the draw itself.")
    return tuple(found)


def _draws(experiment: ExperimentScope, over: tuple[str, ...], arguments: Any) -> tuple[int, tuple[str, ...]]:
    """How many targets, and the path of the draw whose values are all taken."""
    node = arguments.node("draws")
    if not isinstance(node, yaml.Scalar) or node.value != "all":
        draws = experiment.count(node, arguments.draws, "'draws'")
        if draws < 2:
            hint = "Give `draws: 2` or more."
            raise problem_at(arguments.span("draws"), "a variance needs two draws or more", hint)
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

    return exact(gradient, lambda term: mean(experiment.checker, term, span), operate)

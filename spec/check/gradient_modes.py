"""Gradient modes: their targets, and the numbers that they take."""

from __future__ import annotations

from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence
from ..ir import terms as t
from ..ir.plan import LayerPlan, Mode, NetworkPlan
from ..source import nodes as yaml
from ..tables.gradient_modes import DEFAULT_MODE, GRADIENT_MODES
from . import constant_folding as folding
from .argument_bounds import representable, within
from .context import Context
from .scope import ExperimentScope
from .timed_numbers import one_number
from .weight_paths import layer, steps_of


def modes(experiment: ExperimentScope) -> dict[str, Mode]:
    """The gradient modes, by target."""
    modes_by_target: dict[str, Mode] = {}
    for target, entry in experiment.model.gradient.items():
        node = experiment.model.node("gradient")
        key = node.key(target) if isinstance(node, yaml.Mapping) else None
        span = key.span if key else experiment.span
        mode = experiment.attempt(
            lambda target=target, entry=entry, span=span: experiment.part(
                ("mode", target), lambda: _mode(experiment, target, entry, span), entry.node()
            )
        )
        if mode is not None:
            modes_by_target.update(mode)
    return modes_by_target


def _mode(experiment: ExperimentScope, target: str, entry: Any, span: Span) -> dict[str, Mode]:
    """One gradient mode on its target."""
    row = GRADIENT_MODES[entry.kind]
    head, steps = steps_of(target)
    if head in experiment.functions and not steps:
        kind, key = "function", head
    elif head in experiment.model.architecture:
        plan = experiment.plan(head, span)
        part = layer(plan, steps, span) if steps else plan
        kind, key = ("layer", f"{head}.{part.key}") if isinstance(part, LayerPlan) else ("network", head)
        if plan.free and row is not DEFAULT_MODE and not row.freezes_weights:
            freezing = listing(f"`{one.name}`" for one in GRADIENT_MODES.values() if one.freezes_weights)
            message = f"'{head}' is a free parameter, and no backward pass goes through it"
            raise problem_at(span, message, f"It takes {freezing}; a mode of a function of it stands at that function.")
        given = part.given if isinstance(part, NetworkPlan) else part.input
        if row.route == "carrier" and given.shape != part.output.shape:
            shapes = f"whose input is {given} and output {part.output}"
            message = f"`{row.name}` passes the upstream gradient of '{target}' on, {shapes}"
            raise problem_at(span, message, "Both have to be of one shape.")
        if row.real_output and part.output.kind != "real":
            message = f"`{row.name}` is for what has a gradient, and '{target}' gives {part.output}"
            raise problem_at(span, message, "No gradient passes through ints: give the mode to the function itself.")
    else:
        known = [*experiment.functions, *experiment.model.architecture]
        near = did_you_mean(head, experiment.vocabulary.words(("targets",), lambda: known))
        hint = sentence(near, f"A mode is given to {listing(known) or 'a function or a network'}.")
        raise problem_at(span, f"there is no function, network or layer '{target}'", hint)
    if kind == "layer" and (row.route == "carrier" or row.per_example):
        _without_function(experiment.plan(head, span), key, span)
    if kind not in row.targets:
        raise problem_at(
            span,
            f"`{row.name}` is for a {' or a '.join(row.targets)}, and '{target}' is a {kind}",
            f"Name a {' or a '.join(row.targets)}, or choose another mode.",
        )
    if row.takes_constant:
        node = entry.node(row.name)
        assert node is not None
        what = f"'{row.name}'"
        term = experiment.checker.value(node, Context("timed", ()))
        if not isinstance(term, t.Literal):
            return {key: Mode(row.name, one_number(term, what))}
        value = float(folding.number(term, what))
        within(what, row.bounds, value, node.span, f"Here {row.meaning}.")
        representable(what, value, experiment.model.dtype, node.span)
        return {key: Mode(row.name, value)}
    return {key: Mode(row.name)} if row is not DEFAULT_MODE else {}


def _without_function(plan: NetworkPlan, key: str, span: Span) -> None:
    """Refuses a mode that hangs on what comes behind a layer, where a function is its activation."""
    layer_key = key.removeprefix(f"{plan.name}.")
    if any(leaf.key == f"{layer_key}.activation" for leaf in plan.leaves()):
        message = f"the activation of '{key}' is a function, and is no part of what this mode reaches"
        hint = f"Write the function into `layers` behind it, or give the mode to `{key}.activation`."
        raise problem_at(span, message, hint)

"""Gradient modes: their targets, and the numbers that they take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..diagnostics.problems import Problem, Span, did_you_mean, listing, problem_at, sentence
from ..ir import terms as t
from ..ir.plan import LayerPlan, Mode, NetworkPlan, Program, TrainingPlan
from ..passes.gradient_paths import Paths
from ..source import nodes as yaml
from ..tables.gradient_modes import DEFAULT_MODE, GRADIENT_MODES
from . import constant_folding as folding
from .argument_bounds import representable, within
from .context import Context
from .modes_in_force import one_surrogate
from .scope import ExperimentScope
from .timed_numbers import one_number
from .weight_paths import layer, steps_of

Modes = dict[str, Mode]
"""Gradient modes by target."""


def modes(experiment: ExperimentScope) -> dict[str, Modes]:
    """The gradient modes in force in each phase of training, by its name, `""` without phases: what it says goes over the experiment."""
    training = experiment.model.training
    base = _said(experiment, experiment.model.gradient, experiment.model.node("gradient"), ())
    phases = training.phases if training is not None else {}
    by_phase: dict[str, Modes] = {}
    for name, phase in phases.items():
        over = {**base, **_said(experiment, phase.gradient, phase.node("gradient"), (name,))}
        by_phase[name] = {target: mode for target, mode in over.items() if mode.name != DEFAULT_MODE.name}
    for name in experiment.functions if any(phase.gradient for phase in phases.values()) else ():
        experiment.attempt(partial(one_surrogate, experiment.model, name))
    return by_phase or {"": {target: mode for target, mode in base.items() if mode.name != DEFAULT_MODE.name}}


def in_phases(training: TrainingPlan, by_phase: Mapping[str, Modes]) -> tuple[Modes, TrainingPlan]:
    """The modes of the first phase, and the training whose phases have theirs where these are others."""
    known: dict[Any, Modes | None] = {}
    first = by_phase[training.phases[0].name]
    known[_meaning(first)] = None
    phases = []
    for phase in training.phases:
        own = by_phase[phase.name]
        gradient = known.setdefault(_meaning(own), own)
        phases.append(phase if gradient is None else replace(phase, gradient=gradient))
    return first, replace(training, phases=tuple(phases))


def by_gradient_modes(program: Program) -> list[Program]:
    """The program under each set of modes that is in force in some phases: what is minimised and estimated in these, and all that is measured."""
    every = program.under_each_mode
    if program.training is None or len(every) == 1:
        return [program]
    plan, programs = program.training, []
    for one in every:
        phases = [phase for phase in plan.phases if program.during(phase).gradient is one.gradient]
        loss = {id(term): term for phase in phases for term in phase.loss}
        names = {phase.name for phase in phases}
        estimates = tuple(estimate for estimate in one.estimates if estimate.phase in names)
        training = replace(plan, phases=tuple(phases))
        programs.append(replace(one, loss=tuple(loss.values()), training=training, estimates=estimates))
    return programs


def modes_in_force(program: Program) -> tuple[Any, ...]:
    """What tells the modes of a program from others where gradients are looked for: of each phase all but the values of numbers."""
    phases = program.training.phases if program.training is not None else ()
    return tuple(
        tuple((name, mode.name, mode.value if isinstance(mode.value, t.Term) else None) for name, mode in modes.items())
        for modes in [program.gradient, *(program.during(phase).gradient for phase in phases[1:])]
    )


Told = Callable[[Program, Paths], Iterable[Problem]]
"""What is wrong with a program under one set of modes."""


def in_their_phases(by_modes: Sequence[tuple[Program, Paths]], problems: Told) -> tuple[Problem, ...]:
    """What is wrong with a program under its sets of modes, each thing once; what is so in some phases alone is told with their names."""
    phases: dict[Problem, list[list[str]]] = {}
    for one, paths in by_modes:
        names = [phase.name for phase in one.training.phases] if one.training is not None else []
        for problem in dict.fromkeys(problems(one, paths)):
            phases.setdefault(problem, []).append(names)
    return tuple(
        problem
        if len(names) == len(by_modes)
        else replace(problem, message=f"in {_phases([name for some in names for name in some])}: {problem.message}")
        for problem, names in phases.items()
    )


def in_all_phases(by_modes: Sequence[tuple[Program, Paths]], problems: Told) -> tuple[Problem, ...]:
    """What is wrong with what is measured under each of its sets of modes: where it is fine in one phase, it is 0 in the others."""
    (first, *others) = (dict.fromkeys(problems(one, paths)) for one, paths in by_modes)
    return tuple(problem for problem in first if all(problem in other for other in others))


def _phases(names: Sequence[str]) -> str:
    return f"the phase{'' if len(names) == 1 else 's'} {listing(repr(name) for name in names)}"


def _meaning(modes_by_target: Modes) -> Any:
    return frozenset((target, mode.name, mode.value) for target, mode in modes_by_target.items())


def _said(
    experiment: ExperimentScope, entries: Mapping[str, Any], node: yaml.Node | None, phase: tuple[str, ...]
) -> Modes:
    """The modes that the experiment says, or a phase of its training, the default among them."""
    modes_by_target: Modes = {}
    for target, entry in entries.items():
        key = node.key(target) if isinstance(node, yaml.Mapping) else None
        make = partial(_mode, experiment, target, entry, key.span if key else experiment.span)
        mode = experiment.attempt(partial(experiment.part, ("mode", *phase, target), make, entry.node()))
        if mode is not None:
            modes_by_target.update(mode)
    return modes_by_target


def _mode(experiment: ExperimentScope, target: str, entry: Any, span: Span) -> Modes:
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
            raise problem_at(span, message, f"It takes {freezing}; give a mode of a function of it to that function.")
        given, made = part.given if isinstance(part, NetworkPlan) else part.input, part.output
        if isinstance(part, NetworkPlan) and part.copies is not None:
            made = replace(made, shape=made.shape[1:])
        if row.route == "carrier" and given.shape != made.shape:
            of_each = "" if made == part.output else " of each copy"
            shapes = f"whose input is {given} and output{of_each} {made}"
            message = f"`{row.name}` passes the upstream gradient of '{target}' on, {shapes}"
            raise problem_at(span, message, "Both must have the same shape.")
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
    return {key: Mode(row.name)}


def _without_function(plan: NetworkPlan, key: str, span: Span) -> None:
    """Refuses a mode that hangs on what comes behind a layer, where a function is its activation."""
    layer_key = key.removeprefix(f"{plan.name}.")
    if any(leaf.key == f"{layer_key}.activation" for leaf in plan.leaves()):
        message = f"the activation of '{key}' is a function, which this mode does not reach"
        hint = f"Write the function into `layers` after it, or give the mode to `{key}.activation`."
        raise problem_at(span, message, hint)

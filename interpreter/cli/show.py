"""Every stage of the pipeline as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import InitialValue, Program, StudyPlan
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.print_term import spell
from dlspec.spec.tables.gradient_modes import DEFAULT_MODE

from ..results.phase_text import phases
from ..results.precision_text import precision


def print_stage(text: str) -> None:
    """Prints a stage; on a terminal lines go on between words, further in than they begin."""
    from rich.text import Text

    from ..api.terminal import console_of, print_text

    console = console_of()
    for line in text.split("\n"):
        print_text(console, Text(line), " " * (len(line) - len(line.lstrip()) + 4))


def _programs(plan: StudyPlan) -> list[Program]:
    return [program for experiment in plan.experiments for program in experiment.programs]


def cells(plan: StudyPlan) -> str:
    """One line a program: name, digest, replicates, steps, parameters, floating-point operations a step."""
    lines = []
    for program in _programs(plan):
        counted = cost(program)
        steps = program.training.steps if program.training else 0
        lines.append(
            f"{program.digest}  {program.name}  replicates {program.replicates}  steps {steps:,}  "
            f"parameters {counted.parameters:,}  FLOP/step {counted.step:,}  numbers {program.dtype}"
        )
    return "\n".join(lines)


def resolved(plan: StudyPlan) -> str:
    """Each program with all its parts, defaults written out."""
    return "\n\n".join(_resolved(program) for program in _programs(plan))


def _start(start: InitialValue) -> tuple[str, dict[str, Any]]:
    """How a weight starts, a term as its text."""
    given = start.arguments.items()
    return start.keras, {name: spell(value) if isinstance(value, t.Term) else value for name, value in given}


def _resolved(program: Program) -> str:
    lines = [f"{program.name}  {program.digest}", f"  numbers {precision(program)}"]
    for network in program.networks:
        lines.append(f"  network {network.name}: {network.given} → {network.output}")
        for layer in network.leaves():
            starts = {name: _start(start) for name, start in layer.initializers.items()}
            kept: dict[str, Any] = {name: _start(constraint) for name, constraint in layer.constraints.items()}
            kept |= {name: spell(function.body) for name, function in layer.kept_by.items()}
            lines.append(
                f"    {layer.key}: {layer.keras or layer.kind} {_arguments(layer.config)} {layer.input} → {layer.output} {starts}"
                + (f" kept by {kept}" if kept else "")
            )
    if program.training:
        plan = program.training
        evaluated = f"evaluated at {len(plan.evaluations)} steps"
        if words := phases(plan):
            lines.append(f"  phases {words}")
        for phase in plan.phases:
            optimizers = [(name, plan) for update in phase.rounds for name, plan in update.optimizers.items()]
            for name, optimizer in optimizers:
                arguments = {
                    k: v if isinstance(v, int | float | bool) else "a schedule" for k, v in optimizer.arguments.items()
                }
                lines.append(f"  optimizer {name or 'for all'}: {optimizer.keras} {arguments}")
            lines.append(f"  batch {phase.batch}, steps {phase.steps:,}, {evaluated}")
    modes = {
        name: mode.name if mode.value is None else f"{mode.name} {_number(mode.value)}"
        for name, mode in program.gradient.items()
    }
    lines.append(f"  gradient {modes or DEFAULT_MODE.name}")
    return "\n".join(lines)


def expressions(plan: StudyPlan) -> str:
    """Every expression with its type."""
    lines = []
    for program in _programs(plan):
        lines.append(program.name)
        parts = [("draw", program.draws), ("example", program.examples), ("outputs", program.outputs)]
        for stage, items in parts:
            lines.extend(f"  {stage:<8} {item.name}: {item.type} = {spell(item.term)}" for item in items)
        lines.extend(
            f"  statistic {item.name}: {item.term.type} = {spell(item.term)}, over {program.data.train:,} training examples"
            for item in program.statistics
        )
        lines.extend(
            f"  estimate {estimate.name}: {estimate.term.type} = {spell(estimate.term)}, after {estimate.phase} over {estimate.examples:,} examples"
            for estimate in program.estimates
        )
        lines.extend(f"  loss     {term.name}: {term.term.type} = {spell(term.term)}" for term in program.loss)
        lines.extend(
            f"  measure  {measure.name}: {measure.term.type} = {spell(measure.term)}" for measure in program.measures
        )
    return "\n".join(lines)


def graph(plan: StudyPlan) -> str:
    """The compiled training program of each cell, as TensorFlow's operations by count."""
    from ..backend.jit_policy import uses_xla
    from ..backend.startup import device
    from ..program.program import Compiled

    lines, where = [], device()
    for program in _programs(plan):
        compiled = Compiled(program, [0], uses_xla(program, where))
        lines.append(f"{program.name}: {'xla' if compiled.xla else 'graph'}")
        counts = compiled.operations()
        lines.extend(f"  {count:>5} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
    return "\n".join(lines)


def _arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's arguments, those that change in training as they are written."""
    return {name: spell(value) if isinstance(value, t.Term) else value for name, value in config.items()}


def _number(value: float | t.Term) -> str:
    return spell(value) if isinstance(value, t.Term) else f"{value:g}"

"""A plan as text: a table an experiment, the totals, and how the time was reckoned."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TextIO

from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir.plan import ExperimentPlan, StudyPlan
from dlspec.spec.passes.flops_text import flops
from dlspec.spec.passes.memory import PROCESS_BYTES
from rich.text import Text

from ..results.number_text import duration, size
from ..results.phase_text import phases
from ..results.precision_text import plain, precisions
from ..schedule.estimate import RULE, Row
from .terminal import Columns, console_of, print_table, print_text


def plan_text(plan: StudyPlan, rows: Sequence[Row], rate: float) -> str:
    """A plan without colours, as wide as a file."""
    stream = io.StringIO()
    print_plan(plan, rows, rate, stream)
    return stream.getvalue().rstrip("\n")


def print_plan(plan: StudyPlan, rows: Sequence[Row], rate: float, stream: TextIO | None = None) -> None:
    """Prints a plan, on standard output where no other stream is given."""
    console = console_of(stream)
    print_text(
        console, Text(plan.title, "bold").append(f"  (profile {plan.profile})" if plan.profile else "", "not bold")
    )
    for experiment in plan.experiments:
        own = [row for row in rows if row.program.experiment == experiment.name]
        console.print()
        print_table(console, experiment.name, Columns(HEADS, [cell_words(row) for row in own], left=2))
        for words in notes(experiment, own):
            print_text(console, Text(words, "dim"))
        for words in warnings(own):
            print_text(console, Text(words, "yellow"))
    console.print()
    print_text(console, Text(totals(rows)))
    beside = f"memory: a cell's arrays at their peak; the process takes about {size(PROCESS_BYTES)} more, once"
    print_text(console, Text(beside, "dim"))
    print_text(console, Text(RULE.format(rate=rate / 1e9), "dim"))


def notes(experiment: ExperimentPlan, rows: Sequence[Row]) -> list[str]:
    """What is said below an experiment's table: its phases, which cells go on from others, and how its numbers are kept and rounded."""
    passed = dict.fromkeys(filter(None, (phases(program.training) for program in experiment.programs)))
    kept = [] if plain(experiment) else precisions(experiment)
    return [*(f"phases: {words}" for words in passed), *_going_on(rows), *(f"numbers: {words}" for words in kept)]


def warnings(rows: Sequence[Row]) -> list[str]:
    """What is warned of below it, each once."""
    return [f"warning: {words}" for words in dict.fromkeys(text for row in rows for text in row.warnings)]


def _going_on(rows: Sequence[Row]) -> list[str]:
    """Which cells go on from which border, to which another trains."""
    found: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        if row.begins is not None:
            found.setdefault((row.begins.step, row.begins.name), []).append(_name(row))
    return [
        f"trained once to the end of {name} ({step:,} steps): {listing(cells)} {'goes' if len(cells) == 1 else 'go'} on from there"
        for (step, name), cells in found.items()
    ]


def totals(rows: Sequence[Row]) -> str:
    """How much there is to run, and how long it takes about."""
    todo = [row for row in rows if row.to_run]
    cells, left = sum(row.program.replicates for row in rows), sum(row.to_run for row in rows)
    seconds = sum(row.seconds for row in todo)
    operations = flops(sum(_total(row) for row in todo))  # "1.2 G", or a bare number below a thousand
    operations += "" if operations[-1].isalpha() else " "
    kind = "compiled program" if any(row.beside > 1 for row in todo) else "cell"
    return (
        f"{cells:,} replicate{'' if cells == 1 else 's'} in {len(rows):,} cell{'' if len(rows) == 1 else 's'}, "
        f"{left:,} to run: about {duration(seconds)} one {kind} after the other; "
        f"{operations}FLOP"
    )


def _total(row: Row) -> int:
    plan = row.program.training
    before = row.begins.step if row.begins is not None else 0
    return row.cost.step * (plan.steps - before) * row.to_run if plan else 0


HEADS = ("cell", "networks", "parameters", "FLOPs a step", "steps", "memory", "time", "compiled", "results")


def cell_words(row: Row) -> tuple[str, ...]:
    """What is said of a cell, under `HEADS`."""
    plan = row.program.training
    return (
        _name(row), ", ".join(f"{network} {shape}" for network, shape in row.networks.items()), f"{row.cost.parameters:,}",
        flops(row.cost.step), f"{plan.steps:,}" if plan else "–", size(row.memory), duration(row.seconds), _compiled(row), _results(row),
    )  # fmt: skip


def _name(row: Row) -> str:
    return row.program.name.removeprefix(row.program.experiment).lstrip("/ ") or row.program.experiment


def _compiled(row: Row) -> str:
    return row.compiled + (f", {row.beside} side by side" if row.beside > 1 else "")


def _results(row: Row) -> str:
    count = row.program.replicates
    if row.of_equal > row.stored:
        return f"{row.to_run} to run, {row.of_equal} equal" if row.to_run else f"{count} equal to others"
    if not row.stored:
        return f"{count} to run"
    return f"{count} stored" if not row.to_run else f"{row.stored} of {count} stored"

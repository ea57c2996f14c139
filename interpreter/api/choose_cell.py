"""Which cell of a study a name means."""

from __future__ import annotations

from dlspec.spec.diagnostics.problems import Problem, StudyError, did_you_mean, listing, sentence
from dlspec.spec.ir.plan import Program, StudyPlan


def trained(plan: StudyPlan, name: str | None) -> Program:
    """The program that trains a cell, by the name that `dlspec show --stage cells` prints. Raises StudyError.

    A study with one cell needs no name.
    """
    programs = {program.name: program for experiment in plan.experiments for program in experiment.programs}
    names = [program.name for program in programs.values() if program.training is not None]
    these = f"These train: {listing(map(repr, names))}." if names else "No cell of this study trains."
    if name is None and len(programs) == 1:
        (name,) = programs
    if name is None:
        raise StudyError(Problem("say which cell to export with --cell", hint=these))
    if name not in programs:
        raise StudyError(Problem(f"there is no cell '{name}'", hint=sentence(did_you_mean(name, programs), these)))
    if programs[name].training is None:
        raise StudyError(Problem(f"the cell '{name}' does not train: it has no training program", hint=these))
    return programs[name]


def side_by_side(program: Program, count: int | None) -> range:
    """The numbers of so many replicates, or of all that can be trained side by side. Raises StudyError."""
    if program.one_replicate_at_a_time and count is not None and count > 1:
        hint = "Its optimiser mixes the entries of a weight, and would mix replicates. Leave --replicates out."
        raise StudyError(Problem(f"the cell '{program.name}' trains each replicate by itself", hint=hint))
    return range(count or (1 if program.one_replicate_at_a_time else program.replicates))

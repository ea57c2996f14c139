"""Describes the number types of a plan's programs: which values are rounded, and which are not."""

from __future__ import annotations

from dlspec.spec.ir.plan import ExperimentPlan, Program
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.tables.dtypes import DTYPES
from dlspec.spec.tables.stored_types import STORED_TYPES


def precision(program: Program) -> str:
    """A program's number type, and what its row in the table says of it."""
    words = f"{program.dtype}: {DTYPES[program.dtype].meaning}"
    if (stored := program.stored) is None:
        return words
    words += (
        f"; weights kept in {stored.type}, rounded once after each update ({STORED_TYPES[stored.type].meaning})"
        if stored.type != "float32"
        else ""
    )
    if stored.type != "float32":
        words += f"; what optimisers keep in {stored.state}"
    if stored.loss_scale is None:
        return words
    return f"{words}; losses scaled by {stored.loss_scale:g}, their gradients rounded to {stored.type}, updates left out where one is not finite"


def precisions(plan: ExperimentPlan) -> list[str]:
    """The number types of an experiment, each once; where variants differ in theirs, with the variants that have it."""
    found: dict[str, dict[str, None]] = {}
    for program in plan.programs:
        found.setdefault(precision(program), {})[program.variant] = None
    apart = len(found) > 1
    return [f"{words} ({', '.join(variants)})" if apart else words for words, variants in found.items()]


def plain(plan: ExperimentPlan) -> bool:
    """Whether there is nothing to say of it: all of the default, in single precision throughout."""
    default = Experiment.model_fields["dtype"].default
    return all(program.dtype == default and program.stored is None for program in plan.programs)

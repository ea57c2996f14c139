"""Names that enter the seeds: what a rename of theirs does to random numbers, alone and beside other changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .changes import FACTORS, Change

SAME_DISTRIBUTION = "the same distribution, and new random numbers"
NEW_NUMBERS = "new random numbers"
"""Of a rename beside a change that may alter what is drawn, trained or measured."""


def new_numbers(changes: Sequence[Change]) -> list[Change]:
    """Changes in which a rename that seeds promises the same distribution only where nothing else alters it."""
    altered = {name for change in changes if _alters(change) for name in (change.experiment, *change.heirs)}
    return [
        replace(change, note=NEW_NUMBERS)
        if change.note == SAME_DISTRIBUTION and (_renamed_in(change) in altered or "" in altered)
        else change
        for change in changes
    ]


def _alters(change: Change) -> bool:
    """Whether a change may alter the distribution of what is drawn, trained or measured, in some profile at least."""
    plain = change.action != "renamed" and not change.scope and not change.respelled and not change.opened
    return plain and bool({*FACTORS, "measure"} & {*change.classes})


def _renamed_in(change: Change) -> str:
    """The experiment whose random numbers are new, by its name now."""
    return change.after or "" if change.scope == "experiment" else change.experiment

"""Where changes are, in the words of a headline."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics.problems import listing
from .changes import Change, StudyDiff
from .description import describe, in_its_variants, in_variants


class Places:
    """Where changes are, in words. Experiments are named where the study has several; one that all is in is named once."""

    def __init__(self, diff: StudyDiff) -> None:
        self.several = len({cell.experiment for cell in diff.cells} | diff.unchanged.keys()) > 1
        held = {change.experiment for change in diff.changes if not change.inherited}
        held |= {item.experiment for item in diff.warnings}
        self.lone = len(held - {""}) == 1
        self.said = False

    def experiment(self, name: str, lead: str = " in experiment ") -> str:
        """Names an experiment, if that is needed."""
        if not name or not self.several or (self.lone and self.said):
            return ""
        self.said = True
        return f"{lead}`{name}`"

    def within(self, experiment: str, variants: Sequence[str]) -> str:
        """Names the variants and the experiment of a change."""
        text = in_variants(variants)
        return text + self.experiment(experiment, " of " if text else " in experiment ")

    def change(self, change: Change) -> str:
        """Names where a change is."""
        return self.within(change.experiment, change.where.variants)

    def described(self, changes: Sequence[Change], variants: bool = False, placed: bool = False) -> str:
        """Changes in a few words, with the experiments that they are in; `placed`: what is in front of them has named the one."""
        pause = ", " if len(changes) == 1 else " "
        alike = len({change.experiment for change in changes}) == 1
        texts = [
            describe(change, pause)
            + (in_its_variants(change) if variants and alike else "")
            + ("" if alike else self.change(change) if variants else self.experiment(change.experiment))
            for change in changes
        ]
        return listing(dict.fromkeys(texts), 4) + (
            self.experiment(changes[0].experiment) if alike and not placed else ""
        )

"""Two studies compared as they were run: each in its profile, with its overrides, and what was asked for of it alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.problems import StudyError
from ..ir.plan import ExperimentPlan, StudyPlan
from ..model.layers import LayerDefaults
from ..resolve.document import Document
from ..resolve.overrides import Override
from ..resolve.resolve import resolve
from .cells import cells_of
from .changes import Cell, Change, StudyDiff, Texts, Warned
from .claims import gone as claim_gone
from .experiment import Comparison
from .headline import with_headline
from .known_cells import with_known_cells
from .seeding import new_numbers
from .settings import side
from .study import SideError


@dataclass(frozen=True)
class AsRun:
    """A study with what it was run with: `profile` is empty without one; `overrides` are written `path=value`; `only` is what of it was run."""

    document: Document
    profile: str = ""
    overrides: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def plan(self) -> StudyPlan:
        """It, resolved. Raises StudyError."""
        return resolve(self.document, self.profile or None, [Override.read(text) for text in self.overrides], self.only)

    @property
    def defaults(self) -> LayerDefaults:
        """What it says of all layers."""
        return self.document.study.layer_defaults


def compare_as_run(before: AsRun, after: AsRun) -> StudyDiff:
    """What differs by meaning between two studies, each as it was run; experiments are paired by their names. Raises SideError."""
    old, new = (_experiments(run, name) for run, name in ((before, "before"), (after, "after")))
    changes: list[Change] = []
    cells: list[Cell] = []
    warnings: list[Warned] = []
    unchanged: dict[str, int] = {}
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            plan, run, action = (old[name], before, "removed") if name in old else (new[name], after, "added")
            changes.append(_whole(name, action))
            cells += cells_of(side(plan, run.defaults), older=name in old)
            warnings += [claim_gone(name, claim, "its experiment") for claim in plan.claims] if name in old else []
            continue
        result = Comparison(name, side(old[name], before.defaults), side(new[name], after.defaults)).result()
        changes += result.changes
        warnings += result.warnings
        if result.changes or result.warnings or any(cell.status != "same" for cell in result.cells):
            cells += result.cells
        else:
            unchanged[name] = len(new[name].programs)
    names = before.document.source.name, after.document.source.name
    diff = StudyDiff(*names, "", tuple(new_numbers(changes)), tuple(cells), tuple(warnings), unchanged)
    return with_known_cells(with_headline(diff))


def _experiments(run: AsRun, which: str) -> dict[str, ExperimentPlan]:
    try:
        return {plan.name: plan for plan in run.plan().experiments}
    except StudyError as error:
        raise SideError(which, error.problems) from None


def _whole(name: str, action: str) -> Change:
    texts: Texts = (None, name) if action == "added" else (name, None)
    return Change("", ("experiments", name), action, *texts, ("task",), scope="experiment")

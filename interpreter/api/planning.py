"""The plan of a study: what a run would take, cell by cell, and what of it is stored already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem
from dlspec.spec.passes.registration import registered

from ..results.folder_names import STORE
from ..schedule.estimate import Row, available_memory, calibrate, plan_data, refusal, rows, stored_replicates

if TYPE_CHECKING:
    import pandas as pd

GIB = 2**30
DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Plan:
    """What a run would take.

    `resolved` is the study in a profile, with its cells; `rows` their estimates; `rate` the operations a second that this machine
    was measured at. `refused` says of cells that do not fit into memory why, and what would. `unsettled` are the claims that the newest
    run did not settle, each with how many replicates would.
    """

    resolved: spec.StudyPlan
    rows: Sequence[Row]
    rate: float
    refused: Sequence[str]
    unsettled: Sequence[dict[str, Any]]

    @property
    def name(self) -> str:
        """The study's name."""
        return self.resolved.name

    @property
    def profile(self) -> str:
        """The profile; empty without one."""
        return self.resolved.profile

    @property
    def digest(self) -> str:
        """The digest of its claims, cells, replicates and seeds."""
        return str(registered(self.resolved)["digest"])

    @property
    def seconds(self) -> float:
        """How long what is not stored would take about, one cell after the other: right within a factor of three or so."""
        return sum(row.seconds for row in self.rows if row.to_run)

    @property
    def memory(self) -> int:
        """The bytes that the largest cell's arrays take at their peak."""
        return max((row.memory for row in self.rows), default=0)

    @property
    def cells(self) -> pd.DataFrame:
        """A row a cell: `cell` (its name), `experiment`, `variant`, a column an axis of the sweeps, `steps`, `replicates`, `stored` (how many of
        them are), `parameters`, `step_flops` and `forward_flops` (floating-point operations), `memory` (bytes), `seconds`, `compiled`, `dtype`,
        `digest`.

        Raises StudyError without pandas.
        """
        from .frames import plan_frame

        return plan_frame(self.rows)

    def data(self) -> dict[str, Any]:
        """Plain data: what `dlspec plan --json` prints."""
        return {**plan_data(self.resolved, self.rows, self.rate, self.refused), "unsettled": list(self.unsettled)}

    def __repr__(self) -> str:
        return f"Plan({self.name!r}{f', profile {self.profile!r}' if self.profile else ''}: {len(self.rows)} cells)"

    def __str__(self) -> str:
        from .plan_text import plan_text

        return "\n".join([plan_text(self.resolved, self.rows, self.rate), *self._remarks()])

    def _repr_html_(self) -> str:
        from . import html
        from .plan_text import HEADS, cell_words, notes, totals, warnings

        profile = f" (profile {self.profile})" if self.profile else ""
        parts = [html.paragraph(html.bold(f"{self.resolved.title}{profile}"))]
        for experiment in self.resolved.experiments:
            own = [row for row in self.rows if row.program.experiment == experiment.name]
            parts.append(html.table((experiment.name, *HEADS[1:]), [cell_words(row) for row in own], numbers=2))
            parts += [html.paragraph(words, muted=True) for words in notes(experiment, own)]
            parts += map(html.paragraph, warnings(own))
        parts.append(html.paragraph(totals(self.rows)))
        return "".join([*parts, *map(html.paragraph, self._remarks())])

    def unsettled_lines(self) -> list[str]:
        """Of each claim that the newest run did not settle, with how many replicates it would be."""
        if not self.unsettled:
            return []
        from ..verdicts.evidence_text import needed

        return [f"{one['id']}: {one['verdict']} in {one['run']}; {needed(one)}" for one in self.unsettled]

    def _remarks(self) -> list[str]:
        """What the command line says besides: claims that are not settled, cells that do not fit into memory."""
        return [*self.unsettled_lines(), *self.refused]


def planned(plan: spec.StudyPlan, runs: Path, device: str, memory: float | None, warn: Callable[[str], None]) -> Plan:
    """Estimates a resolved study; `warn` is told where a store or a run cannot be read. Raises StudyError for a device that is none.

    Args:
        plan: The resolved study.
        runs: The folder of runs, with its store.
        device: `cpu` or `gpu`.
        memory: How many GiB there are, or None for what is free here.
    """
    if device not in DEVICES:
        raise spec.StudyError(Problem(f"there is no device '{device}'", hint="It is cpu or gpu."))
    rate = calibrate()
    limit = available_memory() if memory is None else round(memory * GIB)
    try:
        stored = stored_replicates(plan, runs / STORE, device, warn)
    except spec.StudyError as error:
        problem = error.problems[0]
        warn(f"{problem.message}. {problem.hint} Nothing counts as stored in what follows.")
        stored = {}
    estimates = rows(plan, stored, rate, device)
    refused = [text for row in estimates if (text := refusal(row, limit))]
    return Plan(plan, estimates, rate, refused, unsettled(plan, runs, warn))


def unsettled(plan: spec.StudyPlan, root: Path, warn: Callable[[str], None]) -> list[dict[str, Any]]:
    """The claims that the newest run of a plan's study did not settle, and with how many replicates they would be, from its spread."""
    if not root.is_dir():
        return []
    from ..results.past_runs import judged_alike, plan_of
    from ..results.run_list import chosen, list_runs

    texts = {f"{e.name}.{claim.name}": claim.text for e in plan.experiments for claim in e.claims}
    try:
        for run in chosen(list_runs(root), plan.name, plan.profile)[:1]:
            claims = [
                claim
                for claim in run.read("claims.json")
                if claim.get("needed") and texts.get(claim["id"]) == claim["check"]
            ]
            before = plan_of(run) if claims else None
            same = {
                f"{item.name}.{name}"
                for item in plan.experiments
                for name in judged_alike(before, item, [claim.name for claim in item.claims], replicates=False)
            }
            return [
                {"id": claim["id"], "verdict": claim["verdict"], "needed": claim["needed"], "run": run.name}
                for claim in claims
                if claim["id"] in same
            ]
    except spec.StudyError as error:
        warn(f"{error.problems[0].message}. What it says of claims is left out.")
    return []

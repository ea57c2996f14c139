"""Whether claims can be decided by the replicates that they are judged on, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..diagnostics.problems import Problem, Span
from ..ir import claims as c
from ..ir.plan import ClaimPlan, JudgePlan, Program
from ..model.experiment import Claim
from ..passes.randomness import is_random, trains_at_random
from ..tables.judges import ERROR, HOLDS_FROM, JUDGES


def judge_of(claim: Claim) -> JudgePlan:
    """The judge that a claim names."""
    value = claim.judge.value
    return JudgePlan(claim.judge.kind, float(value) if isinstance(value, int | float) else None)


def enough_for_share(share: float) -> int:
    """With how many replicates, all of which agree, at least a share of seeds is certain to 95 %.

    >>> [enough_for_share(share) for share in (0.5, 0.9, 0.95)]
    [5, 29, 59]
    """
    return max(1, math.ceil(math.log(ERROR) / math.log(share)))


def enough_for(claim: ClaimPlan) -> int:
    """With how many replicates nothing is wrong with a claim, whatever it looks at."""
    share = enough_for_share(claim.judge.value or 0) if claim.judge.name == "share" else 1
    return max(JUDGES[claim.judge.name].fewest, share)


class ClaimDesign:
    """The cells of an experiment, as far as claims depend on how many replicates they have.

    `late` says that a profile or an override is in force: what it makes small is warned of, and no error.
    """

    def __init__(self, programs: Sequence[Program], late: bool) -> None:
        self.programs = programs
        self.late = late
        self._cells: dict[tuple[c.Selection, ...], list[Program]] = {}
        self._random: dict[tuple[str, tuple[c.Selection, ...]], bool] = {}

    def problems(self, claim: ClaimPlan, span: Span) -> list[Problem]:
        """What is wrong with a claim that its replicates can't decide; a warning of one that they can show, and not decide."""
        looks = [part for part in c.parts(claim.tree) if isinstance(part, c.Measured | c.Diverged)]
        counts = [program.replicates for part in looks for program in self._looked_at(part.selections)]
        if not counts or not any(map(self._differs, looks)):
            return []
        count, row = min(counts), JUDGES[claim.judge.name]
        there = f"and there {'is' if count == 1 else 'are'} {count}"
        if count < row.fewest:
            message = f"the claim '{claim.name}' can't be decided: `judge: {row.name}` takes {row.fewest} replicates or more, {there}"
            severity = "warning" if self.late else "error"
            return [Problem(message, span, f"With `replicates: {HOLDS_FROM}` it can hold.", severity)]
        if claim.judge.name == "share" and count < (enough := enough_for_share(claim.judge.value or 0)):
            takes = f"`judge: {claim.judge}` takes {enough} replicates or more to hold"
            message = f"the claim '{claim.name}' can fail, but cannot hold: {takes}, {there}"
            return [Problem(message, span, f"Write `replicates: {enough}`, or a smaller share.", "warning")]
        if count == 1 and not self.late:
            message = f"the claim '{claim.name}' is judged on one replicate of something random: it can be seen, but cannot hold"
            return [Problem(message, span, f"With `replicates: {HOLDS_FROM}` it can hold.", "warning")]
        return []

    def _looked_at(self, selections: tuple[c.Selection, ...]) -> list[Program]:
        """The cells that conditions leave."""
        if selections not in self._cells:
            self._cells[selections] = [program for program in self.programs if c.looked_at(selections, program.place)]
        return self._cells[selections]

    def _differs(self, part: c.Measured | c.Diverged) -> bool:
        """Whether what a part looks at differs from seed to seed, in some cell."""
        name = part.measure if isinstance(part, c.Measured) else ""
        if (name, part.selections) not in self._random:
            self._random[name, part.selections] = any(
                (not name and trains_at_random(program))
                or any(is_random(program, measure) for measure in program.measures if name in ("", measure.name))
                for program in self._looked_at(part.selections)
            )
        return self._random[name, part.selections]

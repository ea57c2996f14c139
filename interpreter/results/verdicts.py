"""Verdicts of claims as data: the verdict, its reason, and the evidence of each condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlspec.spec.ir.plan import ClaimPlan

HOLDS, FAILS, OPEN = "holds", "fails", "inconclusive"
MARKS = {HOLDS: "✓", FAILS: "✗", OPEN: "?"}
"""The sign of each verdict."""


@dataclass(frozen=True)
class Point:
    """The replicates at one place on the axes: mean and range of what is known, and how many never arrived or are undefined."""

    where: str
    mean: float | None
    low: float | None
    high: float | None
    never: int = 0
    undefined: int = 0


@dataclass(frozen=True)
class Seen:
    """One condition of a claim. `decided` is the entry that failed worst, or came closest to it, with its numbers in words."""

    text: str
    holds: bool | None
    points: Sequence[Point]
    of: int
    entry: str
    decided: str
    nearest: int


@dataclass(frozen=True)
class Verdict:
    """How a claim came out: `holds`, `fails` or `inconclusive`, why, and what was seen of each condition in it.

    Where it is one condition, `value` and `interval` are the mean and the range over replicates at the place that decided.
    """

    claim: ClaimPlan
    verdict: str
    value: float | None
    interval: tuple[float, float] | None
    reason: str = ""
    seen: Sequence[Seen] = ()

    @property
    def id(self) -> str:
        """What it is called: experiment and name."""
        return f"{self.claim.experiment}.{self.claim.name}"

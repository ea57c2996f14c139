"""How a claim came out, as data: its verdict, how strong that is, and what was seen of each condition in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dlspec.spec.ir.plan import ClaimPlan

HOLDS, SEEN, FAILS, OPEN = "holds", "seen", "fails", "inconclusive"
MARKS = {HOLDS: "✓", SEEN: "~", FAILS: "✗", OPEN: "?"}
"""The sign of each verdict."""
VERDICTS = tuple(MARKS)
"""All verdicts, in the order in which they are listed."""
PLURAL = {HOLDS: "hold", SEEN: "seen", FAILS: "fail", OPEN: "inconclusive"}
"""What several claims do."""


def counted(verdict: str, count: int) -> str:
    """So many claims and what they do.

    >>> counted("holds", 1), counted("holds", 2)
    ('1 holds', '2 hold')
    """
    return f"{count} {verdict if count == 1 else PLURAL[verdict]}"


@dataclass(frozen=True)
class Point:
    """The replicates at one place on the axes: mean and range of what is known, and how many never arrived or are undefined.

    `digits` are how many show on which side they lie of the number that a condition compares them with.
    """

    where: str
    mean: float | None
    low: float | None
    high: float | None
    never: int = 0
    undefined: int = 0
    digits: int = 3


@dataclass(frozen=True)
class Evidence:
    """One condition of a claim. `decided` is the entry that failed worst, or came closest to it, with its numbers in words.

    `holds` says whether the condition is true everywhere, `met` whether it is as the claim wants it: the other way round under `not`.
    `margins` are by how much each replicate is as the claim wants it in the cell that decided, below 0 where it is not.
    """

    text: str
    holds: bool | None
    points: Sequence[Point]
    of: int
    entry: str
    decided: str
    nearest: int
    margins: Sequence[float] = ()
    met: bool | None = None


@dataclass(frozen=True)
class Decision:
    """What a judge says: the verdict, and how strong it is.

    `strength` says it in words, `reason` what else there is to say. `chance` is how often chance alone gives as good a result (a
    p-value), None where nothing is random or it is not told. `interval` (95 %) is that of the share of seeds that meet the claim,
    or of the mean margin in the `cell` that decided; `margins` are by how much each counted replicate meets the claim there. `error` is
    how often the judge lets a claim hold or be seen that is not so, with its replicates; None for what is exact or was judged in a
    family. `counted` replicates were judged, `undefined` ones were not. `needed` is how many would settle it, from the spread seen.
    """

    verdict: str
    reason: str = ""
    strength: str = ""
    chance: float | None = None
    interval: tuple[float, float] | None = None
    margins: Sequence[float] = ()
    cell: str = ""
    error: float | None = None
    counted: int = 0
    undefined: int = 0
    needed: int | None = None

    def lowered(self, verdict: str, why: str) -> Decision:
        """The same with another verdict, and why beside what else there is to say."""
        return replace(self, verdict=verdict, reason="; ".join(filter(None, (self.reason, why))))


@dataclass(frozen=True)
class Verdict:
    """A claim's verdict: the decision, and the evidence on each condition in it.

    Where it is one condition, `value` and `range` are the mean and the least and largest value over replicates at the place that decided.
    `looks` are the ways in which earlier runs judged the claim otherwise: on other data, or by another check. `meaning` is a digest
    of how it is judged, `judged_on` one of its cells and measures.
    """

    claim: ClaimPlan
    decision: Decision
    value: float | None = None
    range: tuple[float, float] | None = None
    evidence: Sequence[Evidence] = field(default=())
    looks: Sequence[str] = field(default=())
    meaning: str = ""
    judged_on: str = ""

    @property
    def verdict(self) -> str:
        """`holds`, `seen`, `fails` or `inconclusive`."""
        return self.decision.verdict

    @property
    def reason(self) -> str:
        """What else there is to say of it."""
        return self.decision.reason

    @property
    def id(self) -> str:
        """What it is called: experiment and name."""
        return f"{self.claim.experiment}.{self.claim.name}"

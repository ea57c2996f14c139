"""The replicates that did not come to their end, by what ended them, and those that held their weights in a phase: said at the head of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..results.replicates import DONE
from .final_values import Finals, label

MOST_LISTED = 200
"""How many replicates of one cause are listed."""
HELD = "held to the end of a phase"
"""What is said of replicates that came to their end, and met the condition of a phase on the way: their messages say in which."""
_STEP = re.compile(r"\bat step [\d,]+\b")


@dataclass(frozen=True)
class Ended:
    """One replicate: its cell, where on the page that stands, its number, and what was said of it."""

    name: str
    anchor: str
    number: int
    message: str


@dataclass(frozen=True)
class Cause:
    """Replicates of an experiment that ended in one way."""

    experiment: str
    status: str
    reason: str
    replicates: Sequence[Ended]
    cells: int

    @property
    def listed(self) -> Sequence[Ended]:
        """Those that are named."""
        return self.replicates[:MOST_LISTED]

    @property
    def words(self) -> str:
        """The cause in a line: how, why, how many."""
        many = f"{len(self.replicates):,} replicate{'' if len(self.replicates) == 1 else 's'}"
        why = f", {self.reason}" if self.reason else ""
        return f"{self.status}{why}: {many} in {self.cells:,} cell{'' if self.cells == 1 else 's'}"


def causes(sections: Sequence[Finals]) -> list[Cause]:
    """What ended replicates early, the most frequent cause first; causes differ in more than the step."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    anchors: dict[int, str] = {}
    for own in sections:
        for anchor, group in zip(own.anchors, own.programs, strict=True):
            for replicate in group:
                if replicate["status"] != DONE or replicate["message"]:
                    anchors[id(replicate)] = anchor
                    why = " ".join(_STEP.sub("", replicate["message"] or "").split()).strip(" ,:;")
                    cause = (replicate["status"], why) if replicate["status"] != DONE else (HELD, "")
                    found.setdefault((own.experiment, *cause), []).append(replicate)
    made = [
        Cause(
            experiment, status, why,
            [Ended(label(one), anchors[id(one)], one["replicate"], one["message"] or "") for one in ended],
            len({anchors[id(one)] for one in ended}),
        )
        for (experiment, status, why), ended in found.items()
    ]  # fmt: skip
    return sorted(made, key=lambda cause: -len(cause.replicates))

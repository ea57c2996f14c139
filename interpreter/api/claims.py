"""The claims of a run and how they came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, overload

from ..report.page import seen
from ..results.verdicts import MARKS, Verdict
from ..verdicts.evidence_text import chance_text
from . import html


class Claims(Sequence[Verdict]):
    """The verdicts of a run, claim by claim, in the order of the study. Printed, it is a line a claim; a notebook shows what was seen.

    Each has `id` (`EXPERIMENT.CLAIM`), `claim.says`, `claim.text` (the check), `verdict` (`holds`, `seen`, `fails` or `inconclusive`),
    `decision` and `evidence`: docs/verdicts.md says what they are worth.
    """

    def __init__(self, verdicts: Sequence[Verdict], data: Sequence[Mapping[str, Any]]) -> None:
        self.verdicts = tuple(verdicts)
        self.data = tuple(data)

    @overload
    def __getitem__(self, place: int) -> Verdict: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Verdict]: ...

    def __getitem__(self, place: int | slice) -> Verdict | Sequence[Verdict]:
        return self.verdicts[place]

    def __len__(self) -> int:
        return len(self.verdicts)

    def __repr__(self) -> str:
        return "\n".join(f"{MARKS[one.verdict]} {one.verdict:<12} {one.id}: {one.claim.says}" for one in self.verdicts)

    def _repr_html_(self) -> str:
        if not self.data:
            return html.paragraph("no claims", muted=True)
        rows = [(html.mark(item["verdict"]), html.Html(_claim(item))) for item in self.data]
        by_chance = chance_text(self.data)
        counts = html.tally(dict(Counter(item["verdict"] for item in self.data)))
        parts = [html.paragraph(counts), html.table(("verdict", "claim"), rows)]
        return "".join([*parts, html.paragraph(html.worded(by_chance), muted=True) if by_chance else ""])


def _claim(item: Mapping[str, Any]) -> str:
    """A claim: its sentence, its check, how strong its verdict is, and what was seen of each condition."""
    lines = [html.paragraph(item["says"] or item["id"]), html.paragraph(html.code(item["check"]), muted=True)]
    lines += [html.paragraph(html.worded(line)) for line in (item["strength"], *seen(item), item["reason"]) if line]
    return "".join(lines)

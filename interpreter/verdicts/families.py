"""Several claims judged together: those of one family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlspec.spec.tables.judges import ERROR

from ..results.number_text import pair
from ..results.verdicts import HOLDS, OPEN, SEEN, Verdict


def judged_together(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The same verdicts, where claims of a family hold only as far as all of them do at 5 % (Holm 1979).

    Of m claims the one that chance explains least must stay below 5 % / m, the next below 5 % / (m - 1), and so on; from the
    first on that does not, none holds: what would hold by itself is *seen*. What does not hold by itself is one of the m, and none of
    those that stay below. What is exact needs no such care.
    """
    families: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.claim.family and (verdict.decision.chance is not None or verdict.verdict == OPEN):
            alone = replace(verdict, decision=replace(verdict.decision, error=None))
            families.setdefault(verdict.claim.family, []).append(alone)
    lowered: dict[str, Verdict] = {}
    for family in families.values():
        lowered |= {verdict.id: verdict for verdict in [*family, *_holm(family)]}
    return [lowered.get(verdict.id, verdict) for verdict in verdicts]


def _holm(family: Sequence[Verdict]) -> list[Verdict]:
    """The claims that hold by themselves and not together, as seen."""
    lowered, rejecting = [], True
    holding = [verdict for verdict in family if verdict.verdict == HOLDS]
    for place, verdict in enumerate(sorted(holding, key=lambda verdict: verdict.decision.chance or 0.0)):
        level = ERROR / (len(family) - place)
        chance = verdict.decision.chance or 0.0
        rejecting = rejecting and chance <= level
        if not rejecting:
            shown, above = pair(chance, level)
            together = f"judged together with {len(family) - 1} more of '{verdict.claim.family}': chance {shown}, above {above}"
            lowered.append(replace(verdict, decision=verdict.decision.lowered(SEEN, together)))
    return lowered

"""Claims that are judged together: who is in the family of a claim before and after, whatever the family is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..diagnostics.problems import listing
from ..ir.plan import ClaimPlan
from .checks import LOOSER, STRICTER, UNKNOWN, Verdict


class Families:
    """The families of both sides, their claims under the new names."""

    def __init__(self, before: Iterable[ClaimPlan], after: Iterable[ClaimPlan], names: Mapping[str, str]) -> None:
        """`names` are the new names of claims that were renamed."""
        self.family = (
            {names.get(claim.name, claim.name): claim.family for claim in before},
            {claim.name: claim.family for claim in after},
        )

    def beside(self, side: int, claim: str) -> frozenset[str]:
        """The claims that one is judged together with, on the older (0) or the newer (1) side."""
        families = self.family[side]
        own = families[claim]
        return frozenset(name for name, family in families.items() if own and family == own and name != claim)

    @property
    def renamed(self) -> dict[str, str]:
        """Families of the same claims under another name: old to new."""
        old, new = self.family
        pairs = {(old[claim], new[claim]) for claim in old.keys() & new.keys() if old[claim] and new[claim]}
        return {
            was: now for was, now in pairs
            if was != now and self._claims(0, was) == self._claims(1, now)
        }  # fmt: skip

    def moved(self, claim: str) -> list[Verdict]:
        """How the family of a claim moved: the fewer are judged together, the more of them hold (Holm 1979)."""
        old, new = (self.family[side][claim] for side in (0, 1))
        before, after = self.beside(0, claim), self.beside(1, claim)
        if before == after:
            return []
        gone, fresh = _named(before - after), _named(after - before)
        if old != new and not (old and new and before & after):
            was, now = (f"in the family '{family}'" if family else "by itself" for family in (old, new))
            what = f"it is judged {now} instead of {was}"
        else:
            parts = [f"{word} {names}" for word, names in (("without", gone), ("with", fresh)) if names]
            what = f"it is judged in its family {' and '.join(parts)}"
        return [Verdict(UNKNOWN if gone and fresh else LOOSER if gone else STRICTER, what)]

    def others(self, claim: str, moves: Mapping[str, Sequence[Verdict]]) -> list[Verdict]:
        """What the moved checks and judges of the claims that one is judged together with do to it, on both sides."""
        stay = self.beside(0, claim) & self.beside(1, claim)
        moved = [name for name in self.family[1] if name in stay and moves.get(name)]
        if not moved:
            return []
        directions = {verdict.direction for name in moved for verdict in moves[name]}
        verb = "asks" if len(moved) == 1 else "ask"
        what = f"{_named(moved)}, judged together with it, {verb} something else"
        return [Verdict(STRICTER if directions == {STRICTER} else UNKNOWN, what)]

    def _claims(self, side: int, family: str) -> set[str]:
        return {claim for claim, own in self.family[side].items() if own == family}


def _named(claims: Iterable[str]) -> str:
    return listing((f"`{name}`" for name in (claims if isinstance(claims, list) else sorted(claims))), 4)

"""The table of judges: when a claim holds, from the replicates of a run.

A replicate's truth is random wherever a draw, a random initial weight, a sampled example or noise reaches what is compared.
Every judge states its error rate; with fewer than `HOLDS_FROM` replicates of something random the best verdict is *seen*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .bounds import ANY, Bounds
from .by_name import by_name

ERROR = 0.05
"""How often a judge may say *holds* where it is not so, at most."""
HOLDS_FROM = 5
"""From how many replicates on a claim can hold: the least n with 2^-n ≤ ERROR."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A row. `argument` says what stands under the judge's name, within `bounds`.

    `takes` is what a claim must be: `condition` any, `size` one comparison by <, <=, > or >=, `within` one `within(x, low, high)`.
    With fewer than `fewest` replicates it decides nothing.
    """

    name: str
    meaning: str
    takes: str = "condition"
    fewest: int = 1
    argument: str | None = None
    source: str = ""
    bounds: Bounds = ANY

    @property
    def averages(self) -> bool:
        """Whether it looks at the mean over replicates, and not at each by itself."""
        return self.takes != "condition"


JUDGES: Mapping[str, Judge] = by_name(
    (
        Judge(
            "replicates",
            "every replicate has to agree; by chance all n do once in 2^n, if half of all seeds meet the claim; the default",
            source="sign test",
        ),
        Judge(
            "share", "at least this share of seeds meets the claim, by an exact binomial bound of 95 % either way",
            argument="a share", source="Clopper & Pearson 1934", bounds=Bounds(0, 1, above=True, below=True),
        ),
        Judge(
            "mean",
            "the mean margin over replicates, by a paired t interval of 95 %; it holds if an interval wide enough for skewed (lognormal) "
            "results agrees, and is seen if only the t interval does",
            "size", 3, source="Student 1908; table of docs/verdicts.md",
        ),
        Judge(
            "geometric_mean",
            "the same for the ratio of both sides, which are positive: a t interval of their logarithms, for skewed results",
            "size", 3, source="Land 1971",
        ),
        Judge(
            "equivalent",
            "the mean lies between both bounds: two one-sided tests at 5 % each, as for 'no better than chance'",
            "within", 3, source="Schuirmann 1987",
        ),
    ),
    "judge",
)  # fmt: skip

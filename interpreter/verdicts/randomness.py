"""Whether what a claim looks at differs from seed to seed."""

from __future__ import annotations

from typing import Any

from dlspec.spec.ir import claims as c

from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, Decision


def exactly(met: bool, counted: int) -> Decision:
    """The decision on a claim that nothing random enters."""
    return Decision(HOLDS if met else FAILS, strength="exact: nothing random enters it", counted=counted)


def differs(tree: Any, results: Results) -> bool:
    """Whether something random reaches what a claim looks at: else one replicate is as good as many."""
    for part in c.parts(tree):
        if isinstance(part, c.Measured) and part.measure not in results.exact:
            return True
        if isinstance(part, c.Diverged) and not results.all_exact:
            return True
    return False

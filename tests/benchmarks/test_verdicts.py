"""The simulated judges of `docs/verdicts.md`, a few studies of each: what is not so seldom holds, and more replicates see more."""

from __future__ import annotations

import numpy as np
import pytest
from dlspec.interpreter.results.verdicts import HOLDS, SEEN
from dlspec.spec.ir.plan import JudgePlan
from dlspec.spec.tables.judges import JUDGES

from benchmarks.verdicts import LAWS, _nulls, _power, _verdict, judges

STUDIES = 120
MOST = 0.05 + 2.5 * (0.05 * 0.95 / STUDIES) ** 0.5
"""How often 5 % is seen at most in so many studies, at two and a half deviations."""


@pytest.mark.parametrize("judged_by", judges(), ids=str)
def test_what_is_not_so_seldom_holds_and_never_on_few_replicates(judged_by: JudgePlan) -> None:
    """Two variants of one law, or a mean on a bound; of lognormal results, and of normal ones with the fewest replicates."""
    for law, count in ((LAWS[2], 5), (LAWS[2], 10), (LAWS[0], 3)):
        rng, marks = np.random.default_rng(count), []
        for _ in range(STUDIES):
            tree = _nulls(judged_by.name, law)[0][1]
            marks.append(_verdict(tree, judged_by, law.draw(rng, count), law.draw(rng, count)).verdict)
        held = marks.count(HOLDS) / STUDIES
        assert held <= (MOST if count >= 5 else 0), (law.name, count)
        if (judged_by.name, count) == ("replicates", 3):
            assert abs(marks.count(SEEN) / STUDIES - 1 / 8) < 3 * (7 / 64 / STUDIES) ** 0.5, "three coins fall alike"


@pytest.mark.parametrize("judged_by", judges(), ids=str)
def test_more_replicates_see_more_but_for_the_judge_that_asks_all_of_them(judged_by: JudgePlan) -> None:
    few, many = (_power(judged_by, count, 60, count) for count in (max(5, JUDGES[judged_by.name].fewest), 20))
    assert few > many if judged_by.name == "replicates" else many > few + 0.1

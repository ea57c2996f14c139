"""Studies of which too little is alike for a rename: the headline says what stands in the place of what."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare

CASES = Path(__file__).parents[3] / "examples" / "failures"
STUDY = """\
dlspec: 1
study: s
experiments:
  kept: {constants: {d: 2}, measures: {m: d + 1}}
  old: {constants: {d: 2}, task: {example: {x: "normal([d])"}}, measures: {size: E(sum(x^2))}, claims: {c: {says: It is., check: final(size) > 1}}}
"""


@pytest.mark.parametrize(
    ("before", "after", "headline"),
    [
        ("wasserstein", "ring", "another study: experiment `ring` in place of `lines`, alike in architecture, loss and training; "
         "claims `saturates`, `no_gradient` and `grows` removed"),
        # online descent on examples that are new at each step, against full batches of eight
        ("committee", "deep_linear", "another study: experiment `linear` in place of `committee`; claims `plateau` and `escapes` removed"),
        ("edge_of_chaos", "vanishing", "another study: experiment `vanishing` in place of `correlation` and `digits`; "
         "claims `order`, `chaos`, `edge`, `frozen` and 2 more removed; profile `quick` removed"),
    ],
)  # fmt: skip
def test_two_cases_of_the_gallery(before: str, after: str, headline: str) -> None:
    one, other = (spec.load(CASES / f"{name}.yaml") for name in (before, after))
    assert compare(one, other).headline.startswith(headline.removesuffix("; profile `quick` removed"))


def test_one_experiment_of_a_study_gives_way_to_another() -> None:
    new = STUDY.replace("  old: {constants: {d: 2}", "  new: {constants: {k: 3}, dtype: float64").replace(
        "normal([d])", "uniform()"
    )
    new = new.replace("E(sum(x^2))", "E(x)").replace("claims: {c: {says: It is., check: final(size) > 1}}", "seed: 3")
    one, other = (spec.parse(Source("s.yaml", text)) for text in (STUDY, new))
    found = compare(one, other).headline
    assert found == "experiment `new` in place of `old`, alike in task; claim `c` removed"

"""Conditions on `phase` and `pass` leave out the passes in which what a loss needs is not there."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {{later(v): "v if pass >= 1 else 0"}}
    task: {{example: {{x: "normal([2])"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{held: "after(b, f) if pass > 0 else initial(f)", used: "later(x[0])"}}
    loss: {{l: f^2}}
    training:
      optimizer: {{sgd: 0.1}}
      batch: 4
      phases: {{a: {{steps: 2}}, b: {{steps: 2, times: 3, loss: {{l: "{}"}}}}, c: {{steps: 2}}}}
    estimates: {{m: {{after: b, of: "E(f^2)", examples: 100}}}}
    measures: {{size: "E(f^2)"}}
"""
THERE = (
    "(f - held)^2", "(f - after(b, f))^2 if pass != 0 else f^2", "f^2 if pass == 0 else (f - after(b, f))^2",
    "f^2 if phase < 2 or x[0] < 0 else (f - after(b, f))^2", "(f - after(b, f))^2 if x[0] > 0 and pass > 0 else f^2",
    "(f - after(b[1], f))^2 if pass > 1 else f^2", "f^2 + (m if pass > 0 else 0)", "(f - after(a, f))^2",
    "((f - after(b, f))^2 if x[0] > 0 else f) if not (pass == 0) else f^2", "f^2 if pass < 1 else (f - after(b, f))^2",
)  # fmt: skip
NOT_THERE = (
    "(f - after(b, f))^2", "(f - after(b, f))^2 if pass == 0 else f^2", "(f - after(b, f))^2 if pass > 0 or x[0] > 0 else f^2",
    "f^2 if phase < 2 and x[0] < 0 else (f - after(b, f))^2", "(f - after(b[1], f))^2 if pass > 0 else f^2",
    "f^2 + (m if pass < 2 else 0)", "(f - after(c, f))^2 if pass > 1 else f^2", "held * (after(b, f) if x[0] > 0 else f)",
    "f^2 + later(after(b, f))",
)  # fmt: skip


@pytest.mark.parametrize("loss", THERE)
def test_what_a_condition_leaves_out_is_not_needed(loss: str) -> None:
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", STUDY.format(loss)))).experiments
    assert len(plan.programs) == 1


@pytest.mark.parametrize("loss", NOT_THERE)
def test_what_is_needed_too_early_is_told(loss: str) -> None:
    with pytest.raises(StudyError, match="which has not ended then"):
        spec.resolve(spec.parse(Source("s.yaml", STUDY.format(loss))))

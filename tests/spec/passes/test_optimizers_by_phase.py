"""Which optimisers go on over phases: those of updates that are called and made alike, and change the same weights by the same optimisers."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.optimizers_by_phase import optimizers_by_phase

ADAM = "{adam: {learning_rate: 0.1}}"
U, V = "u: {networks: [f], loss: [lf]}", "v: {networks: [h], loss: [lh]}"
BOTH = f"updates: {{{U}, {V}}}"
OWN = BOTH.replace("[lf]", "[lf], optimizer: {sgd: 0.1}")
ALIKE = [[0], [0], [0]]
CASES = {
    "once for all": ("", "", ALIKE),
    "other steps": ("batch: 3, times: 2", "loss: {l: (f - h)^2}", ALIKE),
    "said again": (f"optimizer: {ADAM}", "", [[0], [1], [0]]),
    "one frozen": ("gradient: {h: freeze}", "", [[0], [1], [0]]),
    "one frozen, and another": ("gradient: {h: freeze}", "gradient: {f: freeze}", [[0], [1], [2]]),
    "one frozen twice": ("gradient: {h: freeze}", "gradient: {h: freeze}", [[0], [1], [1]]),
    "out of the loss": ("loss: {l: f^2}", "loss: {l: f^2 + f}", [[0], [1], [1]]),
    "all reached": ("loss: {l: (f - h)^2}", "loss: {l: f * h}", ALIKE),
    "updates": (BOTH, BOTH, [[0], [1, 2], [1, 2]]),
    "updates made more often": (BOTH, BOTH.replace("[lh]", "[lh], times: 2"), [[0], [1, 2], [1, 3]]),
    "updates called otherwise": (BOTH, BOTH.replace("v:", "w:"), [[0], [1, 2], [1, 3]]),
    "updates in another order": (BOTH, f"updates: {{{V}, {U}}}", [[0], [1, 2], [2, 1]]),
    "an optimiser of an update's own": (OWN, OWN, [[0], [1, 2], [3, 2]]),
}  # fmt: skip


def program(b: str, c: str) -> Program:
    text = f"""
dlspec: 1
study: phases
experiments:
  e:
    task: {{example: {{x: "normal([3])"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}, h: {{input: x, layers: [dense: 1]}}}}
    loss: {{lf: (f - 1)^2, lh: (h + 1)^2}}
    training: {{optimizer: {ADAM}, batch: 8, phases: {{a: {{steps: 1}}, b: {{steps: 1, {b}}}, c: {{steps: 1, {c}}}}}}}
    measures: {{m: E(f + h)}}
"""
    return spec.resolve(spec.parse(Source("phases.yaml", text))).experiments[0].programs[0]


@pytest.mark.parametrize("case", CASES)
def test_updates_that_share_their_optimisers_have_one_number(case: str) -> None:
    b, c, expected = CASES[case]
    assert [[own.number for own in phase] for phase in optimizers_by_phase(program(b, c))] == expected


def test_each_weight_is_given_with_the_optimiser_that_changes_it() -> None:
    made = optimizers_by_phase(program("optimizer: {f: {sgd: 0.1}, h: {adam: 0.1}}", "gradient: {f: freeze}"))
    names = [
        {place[0]: (group, plan.name) for own in phase for group, place, plan in own.of_weights()} for phase in made
    ]
    assert names == [
        {"f": ("", "adam"), "h": ("", "adam")}, {"f": ("f", "sgd"), "h": ("h", "adam")}, {"h": ("", "adam")},
    ]  # fmt: skip
    assert [len(own.changed) for phase in made for own in phase] == [4, 4, 2]

"""Updates are checked in each variant, whatever its terms share with those of others."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

STUDY = """
dlspec: 1
study: case
experiments:
  line:
    task: {example: {x: "normal([3])", z: "normal([3])"}}
    architecture: {G: {input: z, layers: [dense: 3]}, D: {input: x, layers: [dense: 1]}}
    loss: {critic: "logistic(1, D(x))", fool: "logistic(1, D(G))"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 5, updates: {D: {networks: [D], loss: [critic]}, G: {networks: [G], loss: [fool]}}}
    measures: {m: E(D)}
    variants: {good: {}, other: {training: {updates: {D: PATCH}}}}
"""


def test_an_update_out_of_reach_is_seen_behind_one_that_is_not() -> None:
    with pytest.raises(StudyError, match="the update 'D' does not change 'G'"):
        spec.validate(spec.parse(Source("case.yaml", STUDY.replace("PATCH", "{networks: [D, G]}"))))


def test_another_sound_update_is_taken() -> None:
    spec.validate(spec.parse(Source("case.yaml", STUDY.replace("PATCH", "{networks: [D, G], loss: [critic, fool]}"))))

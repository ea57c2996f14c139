"""Claims on measures that chance lifts in all replicates alike: what it may have added decides nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.verdicts import FAILS, HOLDS, OPEN, Verdict
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source

N, D, REPLICATES = 1000, 21, 20


def verdict(check: str, seen: Mapping[str, Any], kind: str = "replicates") -> Verdict:
    """The verdict on replicates of variants with these values and biases of the measure `m`, [REPLICATES, steps] each."""
    experiment = {
        "task": {"data": {"test": N}, "example": {"x": f"normal([{D}])"}},
        "variants": {"a": {"task": {"example": {"y": "1"}}}, "b": {"task": {"example": {"y": "2"}}}},
        "measures": {"m": "norm(E(x))", "v": "E(x)^2"},
        "replicates": REPLICATES,
        "claims": {"c": {"says": "It is so.", "check": check, "judge": kind}},
    }  # fmt: skip
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = []
    for program in plan.programs:
        for number in range(REPLICATES):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            values, biases = seen[program.variant]
            for step, (value, bias) in enumerate(zip(values[number], biases[number], strict=True)):
                found = {"m": value, "v": np.zeros(D)}
                replicate.record(step, found, bias={} if bias is None else {"m": bias})
            replicates.append(replicate)
    return judge(plan.claims[0], Results.of_plan(plan, replicates))


def length(random: np.random.Generator, true: float = 0.0, deviation: float = 1.0) -> tuple[Any, Any]:
    """The norm of the mean of N normal vectors with a mean of some norm, and what its quarters say chance has added: [REPLICATES, 1]."""
    quarters = random.normal(size=(REPLICATES, 4, D), scale=deviation / math.sqrt(N / 4))
    quarters[..., 0] += true
    whole = np.linalg.norm(quarters.mean(axis=1), axis=-1)
    return whole[:, None], (np.linalg.norm(quarters, axis=-1).mean(axis=1) - whole)[:, None]


@pytest.mark.parametrize("kind", ["replicates", "mean", "geometric_mean"])
@pytest.mark.parametrize(
    ("true", "check", "without", "with_it"),
    [
        (0.0, "final(m) > 0.02", HOLDS, OPEN), (0.0, "final(m) < 0.02", FAILS, OPEN), (0.0, "final(m) < 0.5", HOLDS, HOLDS),
        (1.0, "final(m) > 0.5", HOLDS, HOLDS), (1.0, "final(m) < 0.5", FAILS, FAILS), (1.0, "final(m) < 2", HOLDS, HOLDS),
    ],
)  # fmt: skip
def test_what_chance_alone_may_have_added_decides_nothing(
    true: float, check: str, without: str, with_it: str, kind: str
) -> None:
    """√(21 / 1000) = 0.14 is seen where there is nothing, in each of 20 replicates."""
    for seed in range(10):
        values, biases = length(np.random.default_rng(seed), true)
        told = {"a": (values, biases), "b": (values, biases)}
        before = {name: (values, np.full(values.shape, None)) for name in told}
        assert verdict(check, before, kind).verdict == without
        found = verdict(check, told, kind)
        nothing_left = kind == "geometric_mean" and true == 0  # the logarithm of what chance may have made alone
        assert found.verdict == (OPEN if nothing_left else with_it)
        assert ("chance alone may have added up to 0.1" in found.decision.reason) == (found.verdict == OPEN)


def test_cells_that_chance_lifts_unequally_are_not_told_apart() -> None:
    """What varies more has the longer mean, and no bias at all: `norm` of a noisy estimator beside a quiet one."""
    random = np.random.default_rng(0)
    noisy, quiet, large = length(random, 0.0, 3.0), length(random, 0.0, 1.0), length(random, 2.0, 1.0)
    assert verdict("final(m, variant == a) > final(m, variant == b)", {"a": noisy, "b": quiet}).verdict == OPEN
    assert verdict("final(m, variant == a) > final(m, variant == b)", {"a": large, "b": noisy}).verdict == HOLDS
    assert verdict("final(m, variant == a) < final(m, variant == b)", {"a": large, "b": noisy}).verdict == FAILS


def test_of_several_evaluations_each_has_its_own() -> None:
    random = np.random.default_rng(0)
    steps = [length(random, true) for true in (1.0, 0.0)]
    seen = tuple(np.concatenate(parts, axis=1) for parts in zip(*steps, strict=True))
    told = {"a": seen, "b": seen}
    assert verdict("at(m, 0) > 0.5", told).verdict == HOLDS and verdict("final(m) > 0.02", told).verdict == OPEN
    assert verdict("first_step(m < 0.5) == 1", told).verdict == HOLDS
    assert verdict("first_step(m < 0.1) > 1", told).verdict == OPEN


def test_what_is_not_known_of_so_few_examples_leaves_it_open() -> None:
    values = np.ones((REPLICATES, 1))
    undefined = (values, np.full((REPLICATES, 1), math.nan))
    found = verdict("final(m) > 0.5", {"a": undefined, "b": undefined})
    assert found.verdict == OPEN and "by an unknown amount" in found.decision.reason

"""Claims along the index of an array measure: beside the same claims of one number that NumPy reduced, under every judge."""

from __future__ import annotations

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.print_claim import claim_text

FORMS = {"max": np.max, "min": np.min, "mean": np.mean, "argmax": np.argmax, "argmin": np.argmin}
STUDY = """
dlspec: 1
study: claims
experiments:
  e:
    constants: {d: 1, k: 2}
    sweep: {d: [1, 2]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, until: "max(m[i], i) > 99", evaluate: {every: 10, examples: 8}}
    measures: {m: E(f * x), w: "E([[f, 2 * f, f], [f, f, f]])", max: E(f), min: E(f), mean: E(f), argmax: E(f), argmin: E(f)}
    replicates: 6
    variants: {a: {}, b: {seed: 1}}
    claims:
"""
JUDGES = {
    "replicates": ("<", ">"),
    "{share: 0.6}": ("<", ">"),
    "mean": ("<",),
    "geometric_mean": ("<",),
    "equivalent": (),
}


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[str, str, str]]:
    """The verdict, its numbers and its text of each claim, by name: of entries, and of what NumPy makes of them."""
    random = np.random.default_rng(0)
    lines = []
    for form in FORMS:
        sides = {"entries": f"{form}(final(m[i]), i)", "number": f"final({form})"}
        for number, (by, signs) in enumerate(JUDGES.items()):
            for side, text in sides.items():
                checks = [f"{text} {sign} 1.4" for sign in signs]
                checks += [
                    f"{text.replace(')', ', variant == a)', 1)} < 2 * {text}" if signs else f"within({text}, 0.5, 2)"
                ]
                for place, check in enumerate(checks):
                    name = f"{side}_{form}_{number}_{place}"
                    lines.append(f'      {name}: {{says: so, check: "{check}", judge: {by}}}\n')
    lines.append('      nested: {says: so, check: "max(min(final(w[i, j]), i) * (j + 1), j) == 9"}\n')
    lines.append('      all: {says: so, check: "max(final(w[r][j]), j) >= 3 for r < k"}\n')
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", STUDY + "".join(lines)))).experiments
    replicates = []
    for program in plan.programs:
        for number in range(program.replicates):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            m = random.choice([0.5, 1.0, 2.0, 3.0], 3)
            reduced = {form: float(of(m)) for form, of in FORMS.items()}
            for step in (0, 10, 20):
                replicate.record(step, {"m": m, "w": np.array([[1.0, 9.0, 3.0], [4.0, 2.0, 3.0]]), **reduced})
            replicates.append(replicate)
    results = Results("e", dict(plan.axes), 6, replicates)
    found = {}
    for claim in plan.claims:
        verdict = judge(claim, results)
        found[claim.name] = (verdict.verdict, str(verdict.evidence[0].points), claim_text(claim.tree))
    return found


def test_each_reduction_under_each_judge_is_that_of_one_number(judged: dict[str, tuple[str, str, str]]) -> None:
    names = [name for name in judged if name.startswith("entries")]
    assert len(names) >= 5 * len(JUDGES)
    for name in names:
        other = name.replace("entries", "number")
        assert judged[name][:2] == judged[other][:2], (judged[name], judged[other])
    assert len({judged[name][0] for name in names}) >= 3


def test_indices_nest_and_stand_beside_a_quantifier(judged: dict[str, tuple[str, str, str]]) -> None:
    assert judged["nested"][0] == judged["all"][0] == "holds"


def test_a_claim_along_an_index_is_written_as_it_stands(judged: dict[str, tuple[str, str, str]]) -> None:
    assert judged["entries_max_0_0"][2] == "max(final(m[i]), i) < 1.4"

"""What is the same for every seed is told from what is not."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.randomness import is_random, trains_at_random

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 3}
    task: TASK
    architecture: {f: {input: x, layers: [LAYER]}}
    measures: {m: "MEASURE"}
"""
TRAINED = """    loss: {l: square(f - 1)}
    training: TRAINING
"""
DRAWN = '{example: {x: "normal([n])"}}'
EVERY = '{example: {x: "rademacher([n])"}, data: {enumerate: x}}'
FIXED = "dense: {units: 1, kernel_initializer: 0.5, bias_initializer: 0}"


def random(task: str, measure: str, layer: str = "dense: 1", training: str = "") -> bool:
    text = STUDY.replace("TASK", task).replace("LAYER", layer).replace("MEASURE", measure)
    text += TRAINED.replace("TRAINING", training) if training else ""
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
    return is_random(plan.programs[0], plan.programs[0].measures[0])


@pytest.mark.parametrize(
    ("measure", "task", "layer", "expected"),
    [
        ("n + 1", DRAWN, "dense: 1", False),
        ("E(sum(x))", DRAWN, FIXED, True),
        ("E(sum(x))", EVERY, "dense: 1", False),
        ("E(f)", EVERY, "dense: 1", True),
        ("E(f)", EVERY, FIXED, False),
        ("E(f)", DRAWN, FIXED, True),
        ("norm(f.dense_1.kernel)", DRAWN, FIXED, False),
        ("norm(f.dense_1.kernel)", DRAWN, "dense: 1", True),
        ("E(f)", EVERY, 'dense: {units: 1, kernel_initializer: "normal(0, 1)"}', True),
        ("E(f * w)", '{draw: {w: "normal()"}, example: {x: "rademacher([n])"}, data: {enumerate: x}}', FIXED, True),
        ("E(y)", '{draw: {w: "normal()"}, example: {x: "rademacher([n])", y: sum(x)}, data: {enumerate: x}}', FIXED, False),
    ],
)  # fmt: skip
def test_without_training(measure: str, task: str, layer: str, expected: bool) -> None:
    assert random(task, measure, layer) == expected


@pytest.mark.parametrize(
    ("task", "layer", "training", "expected"),
    [
        (EVERY, FIXED, "{optimizer: sgd, steps: 3}", False),
        (EVERY, "dense: 1", "{optimizer: sgd, steps: 3}", True),
        (EVERY, "gaussian_noise: 0.1}, {" + FIXED, "{optimizer: sgd, steps: 3}", True),
        (DRAWN, FIXED, "{optimizer: sgd, batch: 4, steps: 3}", True),
    ],
)
def test_trained_weights_hold_what_their_training_met(task: str, layer: str, training: str, expected: bool) -> None:
    for measure in ("norm(f.dense_1.kernel)", "E(f)"):
        assert random(task, measure, "{" + layer + "}", training) == expected


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ("m: E(f^2), z: E(noisy), two: n", True),
        ("m: n, z: E(noisy)", False),
        ("m: E(f^2), z: E(f^2)", False),
    ],
)
def test_what_is_exact_at_each_step_is_not_where_training_ends_at_a_random_one(measures: str, expected: bool) -> None:
    task = '{draw: {w: "normal()"}, example: {x: "rademacher([n])"}, data: {enumerate: x}}'
    text = STUDY.replace("TASK", task).replace("LAYER", FIXED).replace('m: "MEASURE"', measures)
    text = text.replace("    measures", '    outputs: {noisy: "f^2 + w"}\n    measures')
    text += TRAINED.replace("TRAINING", "{optimizer: sgd, steps: 30, evaluate: {every: 1}, until: final(z) < 0.1}")
    (program,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs
    assert is_random(program, program.measures[0]) == expected
    assert trains_at_random(program) == any(name in measures for name in ("noisy",))


@pytest.mark.parametrize(
    ("example", "expected"), [("{}", False), ('{x: "normal([n])"}', True), ('{x: "[step, n]"}', False)]
)
def test_training_without_a_draw_is_the_same_for_every_seed(example: str, expected: bool) -> None:
    """Descent from fixed weights on examples that are all alike: one replicate is as good as many."""
    text = f"""
dlspec: 1
study: s
experiments:
  e:
    constants: {{n: 2}}
    task: {{example: {example}}}
    architecture: {{w: {{parameter: [2], initializer: 1.0}}}}
    loss: {{l: "(w[0]^2 + 100 * w[1]^2) / 2{" + sum(x)" if "x" in example else ""}"}}
    training: {{optimizer: {{sgd: {{learning_rate: 0.01}}}}, batch: 1, steps: 3}}
    measures: {{m: "abs(w[0])"}}
    claims: {{c: {{says: it, check: final(m) < 1}}}}
"""
    plan = spec.resolve(spec.parse(Source("s.yaml", text)))
    (program,) = plan.experiments[0].programs
    assert is_random(program, program.measures[0]) == trains_at_random(program) == expected
    assert [("judged on one replicate" in one.message) for one in plan.warnings] == [True] * expected

"""What is checked for all sweep points at once is what is sound, and refused, at each of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.check.all_points import AllValues, OnePointNeeded
from dlspec.spec.check.expressions import Checker
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError
from dlspec.spec.resolve import resolve
from dlspec.spec.resolve.resolve import in_every_profile

VALUES = ["-2", "-1", "0", "1", "2", "3", "5", "0.5", "-1.5", "1e300", "2000000000", "5000000000", "true", "[1, 2]"]
SOUND = ["1", "2", "3", "4", "6"]
LEAVES = ["c", "c", "c", "k", "k", "m", "2", "3.5", "u", "y", "x[0]", "f", "o", "i", "g(c)", "g(u)", "len(x)"]


def _expression(rng: random.Random, depth: int) -> str:
    """A random expression over swept constants, what is made of them, draws, examples, functions and outputs."""
    if depth == 0:
        return rng.choice(LEAVES)
    one, two, three = (_expression(rng, depth - 1 if rng.random() < 0.6 else 0) for _ in range(3))
    forms = [
        f"({one} + {two})", f"({one} - {two})", f"({one} * {two})", f"({one} / {two})", f"({one} // {two})",
        f"({one} % {two})", f"({one} ^ {two})", f"x[{one}]", f"x[0:{one}]", f"({one} if {two} > {three} else {three})",
        f"abs({one})", f"sqrt({one})", f"[{one}, {two}]", f"sum([{one} * j for j < {two}])", f"zeros([{one}])",
        f"scatter(i, {one}, {two})", f"one_hot(i, {one})", f"clip({one}, {two}, {three})", f"range({one})",
        f"maximum({one}, {two})", f"(not {one} > {two})", f"g({one})", f"E({one})", f"quantile({one}, {two})", f"h({one})",
        f"stop({one})", f"floor({one})", f"norm([{one}, {two}])", f"mean(x) * {one}", f"cross_entropy(x, {one})",
    ]  # fmt: skip
    return rng.choice(forms)


def _study(rng: random.Random) -> str:
    """A study that sweeps two constants and has a third made of them; a few of its parts are sound at no point, or at some."""
    values = SOUND if rng.random() < 0.6 else VALUES
    axes = ", ".join(f"{name}: [{', '.join(rng.sample(values, 3))}]" for name in rng.choice([["c"], ["c", "m"]]))
    variants = rng.choice(
        [
            "{}",
            "{a: {}, b: {constants: {m: 5}}}",
            "{a: {constants: {k: 3}}, b: {constants: {k: 4}}, d: {constants: {k: 0}}}",
        ]
    )
    measures = "\n".join(
        f'      m{n}: "{_expression(rng, rng.randint(1, 3))}"' for n in range(rng.choice([1, 1, 2, 8]))
    )
    return f"""
dlspec: 1
study: points
experiments:
  e:
    constants: {{c: 1, m: 2, k: "{rng.choice(["2 * c", "c + m", "1 / c", "c // 2", "[c, m][0]", "c - 1", "h(c)"])}"}}
    sweep: {{{axes}}}
    variants: {variants if axes.count(":") == 1 else "{}"}
    functions: {{g(a): a * c + 1, h(a): a // k}}
    task:
      draw: {{w: "normal([4])"}}
      example: {{x: "normal([4])", y: "dot(w, x)", u: "uniform(0, 1)", i: "integer(3)"}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{o: "f * {rng.choice(["c", "k", "2", "x[c]"])}", p: "{rng.choice([_expression(rng, 1), "y"])}"}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 2}}
    measures:
{measures}
    figures:
      shown: {{kind: function, x: y, y: {{one: "{rng.choice([_expression(rng, 2), "u"])}"}}}}
"""


def _seen(text: str, together: bool) -> list[Problem]:
    """The problems or the warnings of a study."""
    try:
        document = spec.parse(Source("study.yaml", text))
        return [item for plan in in_every_profile(document, lambda plan: plan.warnings, together) for item in plan]
    except StudyError as error:
        return list(error.problems)


def test_points_together_are_refused_what_each_is_refused() -> None:
    rng = random.Random(7)
    sound = 0
    for _ in range(60):
        text = _study(rng)
        alone = _seen(text, together=False)
        assert _seen(text, together=True) == alone, text
        sound += not any(problem.severity == "error" for problem in alone)
    assert 5 < sound < 40


MANY = """
dlspec: 1
study: many
experiments:
  e:
    constants: {c: 1, k: c * 2}
    sweep: {c: [%s]}
    functions: {g(a): a * k}
    task:
      draw: {w: "normal([4])"}
      example: {x: "normal([4])", y: "dot(w, x)"}
    architecture: {f: {input: x, layers: [dense: 1]}}
    outputs: {o: f * c}
    loss: {l: "(f - y)^2"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
    measures:
      bare: abs(f - y) > c + k
      called: E(g(o))
      branch: E((o if f > c else y) * 3)
      noise: {gradient_noise: {of: "(f - y)^2 * c", weights: f.weights}}
    figures:
      shown: {kind: function, x: y, y: {scaled: f * k}}
"""


def _operations(monkeypatch: pytest.MonkeyPatch, text: str) -> int:
    """How many operations are checked in a validation of a study, beside what compares cells one by one: a hundred along an axis at most."""
    calls = []
    operate = Checker.operate

    def counted(self: Checker, row: Any, *rest: Any) -> Any:
        calls.append(row.name)
        return operate(self, row, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Checker, "operate", counted)
        patched.setattr(resolve, "_equal", lambda *_: [])
        spec.validate(spec.parse(Source("many.yaml", text)))
    return len(calls)


def test_more_points_take_no_more_checks_of_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_operations(monkeypatch, MANY % ", ".join(str(n + 1) for n in range(points))) for points in (10, 100))
    assert few > 10
    assert many - few == 90, "beside `k: c * 2`, which each point has for itself, nothing is checked again"


def test_more_variants_of_a_constant_take_no_more_checks_of_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (
        _operations(
            monkeypatch,
            MANY.replace("sweep: {c: [%s]}", f"variants: {{{', '.join(f'v{n}: {{constants: {{c: {n + 2}}}}}' for n in range(variants))}}}"),
        )
        for variants in (10, 100)
    )  # fmt: skip
    assert few > 10
    assert many - few == 180, "each variant looks at `k: c * 2` for itself, and for all"


def test_a_part_that_fails_at_one_point_is_looked_at_again_at_the_others() -> None:
    text = MANY.replace("%s", "5, 1").replace("{o: f * c}", "{o: 'x[c] * f'}").replace("k: c * 2", "k: 3")
    text = text.replace("branch: E((o if f > c else y) * 3)", "branch: E(o[0])")
    for together in (True, False):
        assert [problem.message for problem in _seen(text, together)] == [
            "the index 5 is outside the array, whose length is 4",
            "a single number takes no subscript, and this is real",
        ]


@pytest.mark.parametrize(
    "look",
    [
        bool, int, float, list, len, str, repr, np.asarray, np.sqrt, lambda value: value + 1, lambda value: value > 1,
        lambda value: value == 1, lambda value: np.array([value]), lambda value: np.broadcast_to(value, (2,)),
        lambda value: np.stack([value, value]), lambda value: value.astype(float), lambda value: value[()], lambda value: -value,
        lambda value: np.float64(1) * value, lambda value: np.ones(2) < value, lambda value: f"{value}", hash,
    ],
)  # fmt: skip
def test_one_value_of_all_is_not_to_be_had(look: Callable[[Any], Any]) -> None:
    with pytest.raises(OnePointNeeded):
        look(AllValues(np.array([1, 2])))

"""`on` inside an expression, and conditions of quantiles, against the same rows in NumPy, in both compiled forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import measure_digest
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.print_term import spell
from dlspec.spec.passes.randomness import is_random

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
VALUES = np.random.default_rng(5).normal(size=(40, 2)).round(3)
TRAIN = 15

BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    functions: {"spread(v)": "E((v - E(v))^2)", "above(v, low)": "E(v, where=v > low)"}
    sweep: {rate: [0.5, 0.25]}
    constants: {rate: 0.5}
    task:
      data: {files: {d: d.csv}, train: 15, order: file}
      example: {a: d.a, b: d.b, c: a + b}
      tests: {far: {a: 3 * d.a}}
    architecture: {f: {input: "[a, b]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: ones}]}}
    loss: {linear: f}
    training: {optimizer: {sgd: rate}, batch: 5, steps: 2, evaluate: {every: 2}}
    measures: {MEASURES}
    replicates: 2
"""


def resolved(folder: Path, **measures: str) -> tuple[Program, ...]:
    (folder / "d.csv").write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in VALUES)]) + "\n")
    text = BODY.replace("MEASURES", ", ".join(f"{name}: {of}" for name, of in measures.items()))
    return spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments[0].programs


def streams() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The names `a` and `c` of the examples of each stream."""
    train, test = VALUES[:TRAIN], VALUES[TRAIN:]
    own = {"train": (train[:, 0], train[:, 1]), "test": (test[:, 0], test[:, 1]), "far": (3 * test[:, 0], test[:, 1])}
    return {name: (a, a + b) for name, (a, b) in own.items()}


CASES = {
    "single": '"E(c, on=far)"',
    "gap": '"E(c, on=far) - E(c)"',
    "three": '"E(c, on=far) / E(a, on=train) + E(a^2, on=test)"',
    "inner": '"E((c - E(c))^2, on=far)"',
    "innermost": '"E((c - E(c, on=train))^2, on=far)"',
    "reached": '"E(E(c) + E(a, on=train), on=far)"',
    "called": '"E(c + spread(c), on=far)"',
    "chosen": '"E(a, where=c > E(c), on=train)"',
    "above": '"E(above(a, 0) * c, on=far)"',
    "other": '{of: "E(c) - E(a, on=train)", "on": far}',
    "named": '"gap - E(c, on=train) + other"',
    "elsewhere": '{of: "E(a) * other", "on": train}',
    "median": '"quantile(c, 0.5, where=a > 0, on=far)"',
    "third": '"quantile(c, 0.3, where=a > 0)"',
    "by_index": '"quantile(c, 0.9, where=a > 2 * k - 3) for k < 4"',
    "array": '"quantile([a, c], 0.25, where=c < E(c), on=train)"',
    "largest": '"quantile(a, 1, where=c < 0)"',
    "nothing": '"quantile(a, 0.5, where=c > 100)"',
}


def expected() -> dict[str, np.ndarray]:
    own = streams()
    (train_a, train_c), (a, c), (far_a, far_c) = own["train"], own["test"], own["far"]
    gap, other = far_c.mean() - c.mean(), far_c.mean() - train_a.mean()
    low = train_c < train_c.mean()
    by_index = [np.quantile(c[a > 2 * k - 3], 0.9) if (a > 2 * k - 3).any() else np.nan for k in range(4)]
    found = {
        "single": far_c.mean(),
        "gap": gap,
        "three": far_c.mean() / train_a.mean() + (a**2).mean(),
        "inner": far_c.var(),
        "innermost": ((far_c - train_c.mean()) ** 2).mean(),
        "reached": far_c.mean() + train_a.mean(),
        "called": far_c.mean() + far_c.var(),
        "chosen": train_a[train_c > train_c.mean()].mean(),
        "above": far_a[far_a > 0].mean() * far_c.mean(),
        "other": other,
        "named": gap - train_c.mean() + other,
        "elsewhere": train_a.mean() * other,
        "median": np.quantile(far_c[far_a > 0], 0.5),
        "third": np.quantile(c[a > 0], 0.3),
        "by_index": by_index,
        "array": np.quantile(np.stack([train_a, train_c], 1)[low], 0.25, axis=0),
        "largest": a[c < 0].max(),
        "nothing": np.nan,
    }
    return {name: np.asarray(value) for name, value in found.items()}


@FORMS
def test_each_expectation_is_over_its_own_examples(tmp_path: Path, xla: bool) -> None:
    """Also with cells side by side: the streams of all rows are the same."""
    programs = resolved(tmp_path, **CASES)
    batch = merge_cells(programs)
    assert batch is not None
    found = Compiled(batch, range(2), xla).evaluate()
    for name, value in expected().items():
        for row in range(4):
            np.testing.assert_allclose(found[name][row], value, rtol=1e-10, atol=1e-12, err_msg=name)
    missing = {measure.name: measure.ratio for measure in programs[0].measures}
    assert {name for name, late in missing.items() if late} == {
        "chosen", "above", "median", "third", "by_index", "array", "largest", "nothing"
    }  # fmt: skip


@FORMS
def test_values_that_are_not_chosen_enter_no_quantile(tmp_path: Path, xla: bool) -> None:
    """Undefined and infinite ones; one that is chosen and undefined makes the whole undefined."""
    measures = {"good": '"quantile(sqrt(a), 0.5, where=a > 0)"', "bad": '"quantile(sqrt(a), 0.5, where=a > -1)"'}
    found = Compiled(merge_cells(resolved(tmp_path, **measures)), range(2), xla).evaluate()
    a, _ = streams()["test"]
    np.testing.assert_allclose(found["good"], np.quantile(np.sqrt(a[a > 0]), 0.5), rtol=1e-12)
    assert np.isnan(found["bad"]).all() and (a[a > -1] < 0).any()


def test_what_is_said_twice_is_said_once(tmp_path: Path) -> None:
    """`E(x, on=train)` and `{of: E(x), on: train}` are one measure, and `on=test` is what holds without it."""
    (program, _) = resolved(
        tmp_path, a="E(c)", b='"E(c, on=test)"', c_='"E(c, on=far)"', d='{of: E(c), "on": far}', e='"E(c, on=far) + E(a)"',
        g='{of: "E(a)", "on": far}',
    )  # fmt: skip
    digests = {measure.name: measure_digest(program, measure) for measure in program.measures}
    assert digests["a"] == digests["b"] and digests["c_"] == digests["d"]
    assert len(set(digests.values())) == 4
    streams_by_name = {measure.name: measure.streams for measure in program.measures}
    assert streams_by_name["e"] == ("test", "far") and streams_by_name["c_"] == ("far",)
    assert spell(program.measures[4].term) == "(E(c, on=far) + E(a))"
    assert set(program.streams) == {"far"}


def test_what_the_other_examples_are_is_in_the_digest(tmp_path: Path) -> None:
    """A stream that is said otherwise changes the measures that are over it alone, and the text of a condition its quantile."""

    def digests(text: str) -> dict[str, str]:
        (tmp_path / "d.csv").write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in VALUES)]) + "\n")
        program = spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), text))).experiments[0].programs[0]
        return {measure.name: measure_digest(program, measure) for measure in program.measures}

    text = BODY.replace("MEASURES", 'gap: "E(c, on=far) - E(c)", own: E(c), q: "quantile(c, 0.5, where=a > 0)"')
    before = digests(text)
    after = digests(text.replace("3 * d.a", "4 * d.a"))
    assert before["gap"] != after["gap"] and before["own"] == after["own"] and before["q"] == after["q"]
    other = digests(text.replace("where=a > 0", "where=a > 1"))
    assert before["q"] != other["q"] and before["own"] == other["own"]


def test_what_is_drawn_in_one_stream_alone_makes_a_measure_random() -> None:
    text = """
dlspec: 1
study: t
experiments:
  e:
    task:
      example: {x: "ones([2])", y: "x[0]"}
      tests: {noisy: {x: "normal([2])"}}
    measures: {still: E(y), noisy: "E(y, on=noisy) - E(y)"}
"""
    program = spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs[0]
    assert {measure.name: is_random(program, measure) for measure in program.measures} == {
        "still": False,
        "noisy": True,
    }
    noisy = Compiled(program, [0], False).evaluate()["noisy"]
    assert abs(noisy).max() > 0, "a name that is the same for all examples here need not be so there"
    assert any(isinstance(item, t.Expectation) and item.on == "noisy" for item in t.walk(program.measures[1].term))


def test_a_stream_that_a_variant_takes_away_is_missed_there() -> None:
    """The measure is not taken for the one of the variant that has the stream."""
    text = """
dlspec: 1
study: t
experiments:
  e:
    task:
      example: {x: "normal([2])", y: "x[0]"}
      tests: {noisy: {x: "2 * normal([2])"}}
    variants: {a: {}, b: {task: {tests: {noisy: null}}}}
    measures: {m: OF}
"""
    for of in ('{of: E(y), "on": noisy}', '"E(y, on=noisy)"', '"quantile(y, 0.5, on=noisy)"'):
        with pytest.raises(StudyError, match="there are no examples 'noisy'"):
            spec.resolve(spec.parse(Source("t.yaml", text.replace("OF", of))))

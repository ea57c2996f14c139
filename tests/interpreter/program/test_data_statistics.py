"""Statistics of the training examples beside NumPy: over the training rows of each replicate, in both compiled forms, cells side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import measure_digest
from dlspec.spec.passes.held_columns import examples_read
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.randomness import is_random

ROWS, TRAIN, REPLICATES, STEPS = 30, 20, 2, 6
VALUES = np.random.default_rng(5).normal(3.0, 2.0, (ROWS, 2)).round(3)
LABELS = (VALUES @ [1.0, -2.0]).round(3)

BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    sweep: {c: [1.0, 0.5]}
    constants: {c: 1.0, rate: 0.1}
    task:
      data: {file: d.csv, train: 20}
      example: {raw: "d[a:b]", label: "d.y", x: "(raw - mu) / sd", y: "label / span", noisy: "raw + normal([2])"}
      statistics:
        sd: "c * sqrt(E((raw - mu)^2))"
        mu: E(raw)
        span: "quantile(label, 1.0) - quantile(label, 0.0)"
        above: "E(x[0], where=x[1] > 0)"
      tests: {far: {raw: "10 * d[a:b]"}}
    architecture: {f: {input: x, layers: [dense: {units: 1, kernel_initializer: zeros, name: out}]}}
    loss: {fit: "(f - y)^2"}
    training: {optimizer: {sgd: rate}, batch: full, steps: 6, evaluate: {every: 3}}
    measures:
      seen: {of: E(x), "on": train}
      squares: {of: "E(x^2)", "on": train}
      test: E(x)
      far: {of: E(x), "on": far}
      span: span
      above: above
      kernel: f.out.kernel
      slope: "E(gradient(f, x))"
    replicates: 2
"""


def programs(folder: Path, **replaced: str) -> tuple[Program, ...]:
    rows = [f"{a},{b},{y}" for (a, b), y in zip(VALUES, LABELS, strict=True)]
    (folder / "d.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    text = BODY
    for before, after in replaced.items():
        assert before in text
        text = text.replace(before, after)
    return spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments[0].programs


def expected(rows: np.ndarray, c: float) -> dict[str, np.ndarray]:
    """The measures after training, of a replicate with its rows in the order of its examples."""
    train, test = VALUES[rows[:TRAIN]], VALUES[rows[TRAIN:]]
    labels = LABELS[rows[:TRAIN]]
    mu, sd, span = train.mean(axis=0), c * train.std(axis=0), labels.max() - labels.min()
    x, y = (train - mu) / sd, labels / span
    kernel, bias = np.zeros(2), 0.0
    for _ in range(STEPS):
        gap = x @ kernel + bias - y
        kernel, bias = kernel - 0.1 * 2 * (gap[:, None] * x).mean(axis=0), bias - 0.1 * 2 * gap.mean()
    return {
        "seen": np.zeros(2), "squares": np.full(2, c**-2), "test": ((test - mu) / sd).mean(axis=0),
        "far": ((10 * test - mu) / sd).mean(axis=0), "span": span, "above": x[x[:, 1] > 0, 0].mean(),
        "kernel": kernel[:, None], "slope": kernel,
    }  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_statistics_are_those_of_the_training_rows_and_hold_for_all_examples(tmp_path: Path, xla: bool) -> None:
    cells = programs(tmp_path)
    batch = merge_cells(cells)
    assert batch is not None
    compiled = Compiled(batch, range(REPLICATES), xla)
    compiled.train(STEPS)
    found = compiled.evaluate()
    rows = compiled.seeds.draws["file rows"].numpy()
    assert (rows[0] != rows[1]).any()
    for row in range(2 * REPLICATES):
        for name, value in expected(rows[row % REPLICATES], (1.0, 0.5)[row // REPLICATES]).items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-10, atol=1e-12, err_msg=name)
    again = Compiled(cells[1], range(REPLICATES), xla)
    again.restore(STEPS, [compiled.saved()[1]])  # a checkpoint holds none of them: they are taken again
    for name, value in again.evaluate().items():
        np.testing.assert_allclose(value, found[name][REPLICATES:], rtol=1e-10, atol=1e-12, err_msg=name)


def test_what_a_statistic_is_of_is_in_the_digests_of_what_uses_it(tmp_path: Path) -> None:
    first = programs(tmp_path)[0]
    digests = {measure.name: measure_digest(first, measure) for measure in first.measures}
    other = programs(tmp_path, **{"mu: E(raw)": "mu: 1.0 * quantile(raw, 0.5)"})[0]
    assert other.digest != first.digest
    changed = {m.name for m in other.measures if measure_digest(other, m) != digests[m.name]}
    assert changed == set(digests) - {"span"}
    unused = programs(tmp_path, **{'above: "E(x[0], where=x[1] > 0)"': "above: E(x[0])", "above: above": "above: 1"})[0]
    assert unused.digest == first.digest and [one.name for one in unused.statistics] == ["mu", "span", "sd"]
    # over other examples a statistic is still of the training examples as they are without what the stream says
    stream = programs(tmp_path, **{'raw: "d[a:b]"': 'raw: "2 * d[a:b]"'})[0]
    far = next(measure for measure in stream.measures if measure.name == "far")
    assert measure_digest(stream, far) != digests["far"]


def test_levels_randomness_and_the_rows_that_are_read(tmp_path: Path) -> None:
    program = programs(tmp_path)[0]
    assert [(one.name, one.level) for one in program.statistics] == [("mu", 0), ("span", 0), ("sd", 1), ("above", 2)]
    assert examples_read(program)["train"] == TRAIN
    span = next(measure for measure in program.measures if measure.name == "span")
    assert is_random(program, span)
    fixed = programs(tmp_path, **{"train: 20}": "train: 20, order: file}"})[0]
    assert not is_random(fixed, next(measure for measure in fixed.measures if measure.name == "span"))

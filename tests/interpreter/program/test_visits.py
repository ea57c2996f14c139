"""Draws that finite data make anew at each visit, and draws beside rows of files that are made once, in both compiled forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import training_digest
from dlspec.spec.passes.held_columns import held_whole
from dlspec.spec.passes.merge_cells import merge_cells

pytestmark = pytest.mark.usefixtures("traced_once")
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
TRAIN = 20

BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    sweep: {rate: [0.5, 0.25]}
    constants: {rate: 0.5}
    task:
      data: DATA
      example: {x: NUMBER, noise: "uniform(0, 1, [20])", kept: "uniform(0, 1)", both: "sum(noise) + kept + 0 * x"}
    architecture:
      f: {input: "[1.0]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}
      g: {input: "[1.0]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}
      h: {input: "[1.0]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}
    loss: {linear: "-noise[0] * f - kept * g - both * h"}
    training: {optimizer: {sgd: rate}, batch: 5, steps: 8, evaluate: {every: 4}}
    measures:
      f: E(f)
      g: E(g)
      h: E(h)
      noise: {of: "E(noise[0])", "on": train}
      kept: {of: E(kept), "on": train}
    replicates: 2
"""


def programs(data: str, folder: Path | None = None) -> tuple[Program, ...]:
    text = BODY.replace("DATA", data).replace("NUMBER", "normal()" if folder is None else "d.a")
    name = "t.yaml"
    if folder is not None:
        (folder / "d.csv").write_text("a\n" + "\n".join(map(str, np.arange(30) / 10)) + "\n")
        name = str(folder / name)
    return spec.resolve(spec.parse(Source(name, text))).experiments[0].programs


def trained(data: str, xla: bool, folder: Path | None = None) -> dict[int, dict[str, np.ndarray]]:
    """The measures after one and after two epochs, of both cells side by side: [rows]."""
    batch = merge_cells(programs(data, folder))
    assert batch is not None
    compiled = Compiled(batch, range(2), xla)
    found = {0: compiled.evaluate()}
    for step in (4, 8):
        compiled.train(4)
        found[step] = compiled.evaluate()
    return found


RATES = np.array([0.5, 0.5, 0.25, 0.25])


@FORMS
def test_what_is_redrawn_is_that_of_new_examples_and_all_else_stays(xla: bool) -> None:
    """The n-th visit draws what the n-th new example would; what is made of both follows both."""
    found, fresh = trained("{train: 20, test: 5, redraw: [noise]}", xla), trained("{test: 5}", xla)
    once = trained("{train: 20, test: 5}", xla)
    for step in (4, 8):
        np.testing.assert_allclose(found[step]["f"], fresh[step]["f"], rtol=1e-12)
        np.testing.assert_allclose(found[step]["g"], once[step]["g"], rtol=1e-12)
    np.testing.assert_allclose(found[8]["g"], 2 * found[4]["g"], rtol=1e-12)
    np.testing.assert_allclose(found[4]["g"], RATES * 4 * found[0]["kept"], rtol=1e-12)
    assert (abs(found[8]["f"] - 2 * found[4]["f"]) > 1e-3).all()
    assert (abs(found[8]["h"] - 2 * found[4]["h"]) > 1e-3).all()
    every = trained("{train: 20, test: 5, redraw: [noise, kept]}", xla)
    np.testing.assert_allclose(every[8]["h"], fresh[8]["h"], rtol=1e-12)
    for name in ("noise", "kept"):  # in evaluations an example's draws are always the same
        np.testing.assert_array_equal(found[0][name], found[8][name])
        np.testing.assert_array_equal(found[0][name], once[0][name])


@pytest.mark.parametrize(("order", "xla"), [("shuffle", True), ("file", False)])
def test_what_is_drawn_once_stays_with_its_row(tmp_path: Path, xla: bool, order: str) -> None:
    """An epoch takes the mean over the training set whatever its order; what is not said is new at each visit."""
    data = f"{{file: d.csv, train: 20, order: {order}, once: [kept]}}"
    found = trained(data, xla, tmp_path)
    np.testing.assert_allclose(found[4]["g"], RATES * 4 * found[0]["kept"], rtol=1e-12)
    np.testing.assert_allclose(found[8]["g"], 2 * found[4]["g"], rtol=1e-12)
    assert (abs(found[8]["f"] - 2 * found[4]["f"]) > 1e-3).all()
    anew = trained(data.replace(", once: [kept]", ""), xla, tmp_path)
    assert (abs(anew[8]["g"] - 2 * anew[4]["g"]) > 1e-3).all()
    np.testing.assert_array_equal(anew[8]["f"], found[8]["f"])


@pytest.mark.parametrize(
    ("data", "xla"),
    [("{train: 20, test: 5, redraw: [noise]}", False), ("{file: d.csv, train: 20, once: [kept]}", True)],
)
def test_training_goes_on_from_the_middle_of_an_epoch(tmp_path: Path, xla: bool, data: str) -> None:
    """Step by step as in one go, to the bit."""
    folder = tmp_path if "file" in data else None
    whole, parts = (Compiled(programs(data, folder)[0], range(2), xla) for _ in range(2))
    whole.train(8)
    for steps in (3, 1, 4):
        parts.train(steps)
    assert all(np.array_equal(whole.evaluate()[name], value) for name, value in parts.evaluate().items())


def test_it_is_in_the_digest_and_rows_are_held_for_it(tmp_path: Path) -> None:
    digests = [
        training_digest(programs(data)[0])
        for data in ("{train: 20}", "{train: 20, redraw: [noise]}", "{train: 20, redraw: [kept]}",
                     "{train: 20, redraw: [kept, noise]}")
    ]  # fmt: skip
    assert len(set(digests)) == 4
    assert digests[3] == training_digest(programs("{train: 20, redraw: [noise, kept]}")[0])
    assert held_whole(programs("{file: d.csv, train: 20, once: [kept]}", tmp_path)[0])


def test_beside_rows_all_is_redrawn_unless_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="are all redrawn at each visit") as told:
        programs("{file: d.csv, train: 20, redraw: [kept]}", tmp_path)
    assert "`once: [noise]`" in str(told.value)

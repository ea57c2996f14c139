"""What optimisers keep goes on over a border to one of the same kind with other arguments: moments, and averages that begin there."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train, train_group
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells

from tests.interpreter.silent import Silent

BODY = """
constants: {momentum: 0.9}
task: {example: {x: "normal([3])", y: "x[0] - 2 * x[1]"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {l: (f - y)^2}
training:
  optimizer: {sgd: {learning_rate: 0.05, momentum: momentum}}
  batch: 8
  phases: {a: {steps: 3}, b: {steps: 2, optimizer: {sgd: {momentum: 0.9, use_ema: true, ema_momentum: 0.5}}}}
measures: {now: current(f.dense_1.kernel), mean: f.dense_1.kernel}
"""


@pytest.mark.parametrize("xla", [False, True])
def test_averages_that_begin_at_a_border_begin_at_its_weights(compiled: Callable[..., Compiled], xla: bool) -> None:
    made = compiled(BODY, xla=xla)
    made.train(3)
    average = made.evaluate()["now"]
    assert np.array_equal(made.evaluate()["mean"], average)
    for _ in range(2):
        made.train(1)
        found = made.evaluate()
        average = 0.5 * average + 0.5 * found["now"]
        np.testing.assert_allclose(found["mean"], average, rtol=1e-6)


def test_moments_go_on_in_cells_of_a_sweep_as_in_one_alone() -> None:
    """`momentum` is swept in a phase, and 0.9 in the next: cells one after the other, side by side and alone have the same numbers."""
    text = "dlspec: 1\nstudy: s\nexperiments:\n  e:\n" + "".join(f"    {line}\n" for line in BODY.splitlines())
    text += "    sweep: {momentum: [0.9, 0.5]}\n    dtype: float64\n    replicates: 2\n"
    programs = spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs
    cells, forms = merge_cells(programs), ProgramCache()
    assert cells is not None

    def job(place: int, program: Program) -> Job:
        return Job(place, ReplicateBatch(CellRequest.of(program, "cpu"), (0, 1)), "graph")

    (one,) = train_group(JobGroup((job(1, programs[1]),), cells.only([1])), Silent(), threading.Event(), forms)
    alone = train(job(1, programs[1]), Silent(), threading.Event())
    both = train_group(JobGroup(tuple(map(job, (0, 1), programs)), cells), Silent(), threading.Event(), ProgramCache())[
        1
    ]
    for left, middle, right in zip(one, both, alone, strict=True):
        assert left.status == middle.status == right.status == "done"
        for name in ("now", "mean"):
            np.testing.assert_allclose(left.curves[name], right.curves[name], rtol=1e-12)
            np.testing.assert_allclose(middle.curves[name], right.curves[name], rtol=1e-12)

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
from dlspec.spec.passes.training_digests import stored_meaning

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


RETURNS = """
dtype: float64
task: {data: {train: 6, test: 5}, example: {x: "normal([3])", y: "normal()"}}
architecture:
  f:
    input: x
    layers: [{dense: {units: 2, use_bias: false, name: body}}, {dense: {units: 1, use_bias: false, name: head}}]
loss: {l: (f - y)^2}
training:
  optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}
  batch: 6
  phases: {a: {steps: 2}, b: {steps: 2, OF_B}, c: {steps: 2, OF_C}}
measures: {body: f.body.kernel, head: f.head.kernel}
"""
FROZEN, SLOWER, ADAM = (
    "gradient: {f.body: freeze}",
    "optimizer: {sgd: {learning_rate: 0.01}}",
    "optimizer: {adam: 0.01}",
)
CASES = {
    "the same behind it": (FROZEN, "batch: 6", {"body", "head"}),
    "other arguments behind it": (FROZEN, SLOWER, {"body", "head"}),
    "another kind in between": (ADAM, "batch: 6", set()),
    "restarted in between": (f"{FROZEN}, restart: [optimizer]", "batch: 6", {"head"}),
    "weights restarted in between": (f"{FROZEN}, restart: [f.body]", SLOWER, {"head"}),
}


@pytest.mark.parametrize("case", [*CASES][1:])  # the first is beside NumPy in `test_modes_in_phases.py`
def test_what_is_kept_of_weights_that_a_phase_does_not_train_goes_on_over_it(
    compiled: Callable[..., Compiled], case: str
) -> None:
    """Momentum, beside steps written out in NumPy: `kept` are those whose momentum is there as phase c begins."""
    of_b, of_c, kept = CASES[case]
    made = compiled(RETURNS.replace("OF_B", of_b).replace("OF_C", of_c))
    data = made.train_inputs.dataset
    x, y = (data[key].numpy()[0] for key in ("x", "y"))
    path = [made.evaluate()]
    for _ in range(5):
        made.train(1)
        path.append(made.evaluate())
    before, after = path[-2], path[-1]
    body, head = before["body"][0], before["head"][0]
    given = 2 * (x @ body @ head - y[:, np.newaxis]) / 6
    slopes = {"body": x.T @ given @ head.T, "head": (x @ body).T @ given}
    for name, slope in slopes.items():
        last = 2 if name == "body" else 4  # the last step that it was trained in
        moved = path[last][name][0] - path[last - 1][name][0]
        rate = 0.01 if of_c == SLOWER else 0.05
        step = (0.9 * moved if name in kept else 0.0) - rate * slope
        np.testing.assert_allclose(after[name][0] - before[name][0], step, rtol=1e-8, err_msg=name)


def test_that_is_in_digests_where_it_gives_other_numbers(program: Callable[[str], Program]) -> None:
    def marked(of_b: str, of_c: str) -> bool:
        return "goes on over" in stored_meaning(program(RETURNS.replace("OF_B", of_b).replace("OF_C", of_c)))

    found = {case: marked(of_b, of_c) for case, (of_b, of_c, _) in CASES.items()}
    assert found == {case: case != "the same behind it" for case in CASES}
    assert "goes on over" in stored_meaning(
        program(RETURNS.replace("momentum: 0.9", "use_ema: true").replace("OF_B", FROZEN).replace("OF_C", "batch: 6"))
    )
    assert not marked("batch: 6", SLOWER) and not marked(SLOWER, ADAM) and not marked(ADAM, "optimizer: {adam: 0.02}")

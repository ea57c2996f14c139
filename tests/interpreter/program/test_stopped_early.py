"""What a figure shows of a replicate that `until` stops before the figure's step: the state that it stopped in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from dlspec import spec
from dlspec.interpreter.cli.run import DONE, execute
from dlspec.interpreter.cli.run_options import Jit, RunOptions
from dlspec.interpreter.figures import DRAWERS
from dlspec.interpreter.figures.draw import draw
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: stopped
experiments:
  e:
    seed: 7
    replicates: 4
    task: {draw: {v: "uniform(1, 4)"}, example: {x: "0 * uniform() + 1"}}
    architecture: {f: {input: "[x]", layers: [{dense: {units: 1, use_bias: false, kernel_initializer: zeros}}]}}
    loss: {l: "-v * f"}
    training: {optimizer: {sgd: {learning_rate: 1}}, batch: 2, steps: 6, evaluate: {every: 1, examples: 2}, until: m > 5.5}
    measures: {m: "E(f)"}
    figures:
      picture: {kind: images, image: "[[f]]", count: 2}
      pictures: {kind: images, image: "[[f]]", count: 2, steps: [1, 6]}
      data: {kind: images, image: "[[x]]", count: 2}
      curve: {kind: function, x: x, y: {f: f}}
      rows: {kind: examples, y: {f: "[f, f]"}, steps: [0, 5]}
"""  # each step adds v to the one weight, so that f = v · step


def plan_of(text: str = STUDY) -> spec.StudyPlan:
    return spec.resolve(spec.parse(Source("stopped.yaml", text)))


def test_a_figure_shows_a_replicate_where_its_condition_stopped_it(
    replicates: Callable[..., list[Replicate]], tmp_path: Path
) -> None:
    plan = plan_of()
    (experiment,) = plan.experiments
    (program,) = experiment.programs
    found = replicates(program)
    speed = [float(replicate.curves["m"][1]) for replicate in found]
    ends = [int(5.5 // v) + 1 for v in speed]
    assert [replicate.steps[-1] for replicate in found] == ends and len(set(ends)) > 1 and max(ends) < 6
    for replicate, v, end in zip(found, speed, ends, strict=True):
        wanted = {"picture": [end], "pictures": [1, end], "data": [0], "curve": [end], "rows": [0, min(end, 5)]}
        assert {name: sorted(steps) for name, steps in replicate.samples.items()} == wanted
        for name, label in (("picture", "image"), ("pictures", "image"), ("curve", "y:f"), ("rows", "y:f")):
            for step, values in replicate.samples[name].items():
                assert np.allclose(values[label], v * step, rtol=1e-5)
    results = Results.of_plan(experiment, found)
    told: list[str] = []
    for figure in experiment.figures:
        drawn = DRAWERS[figure.kind](figure, results)
        said = f"`until` stops the replicates of e at steps {min(ends)} to {max(ends)}: shown is where the one drawn stops."
        assert (said in drawn.notes) == (figure.name != "data")
        assert len(draw(figure, results, tmp_path, told.append)) >= 2
    assert told == []


def test_the_store_gives_what_was_shown_and_runs_what_it_lacks(capsys: object, tmp_path: Path) -> None:
    plain = plan_of(STUDY[: STUDY.index("    figures:")])
    whole = plan_of()
    for plan, stored in ((plain, False), (whole, False), (whole, True)):
        options = RunOptions(str(tmp_path / "stopped.yaml"), runs=tmp_path, jobs=1, jit=Jit.graph)
        assert execute(plan, options, ["run", "stopped.yaml"]) == DONE
        newest = max(tmp_path.glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns).parent
        drawn = {path.name for path in newest.glob("*.png")}
        assert drawn == {
            f"e.{name}.png" for name in (["picture", "pictures", "data", "curve", "rows"] if plan is whole else [])
        }
        assert f'"stored": {str(stored).lower()}' in (newest / "cells.json").read_text("utf-8")


def test_a_stored_cell_owes_a_figure_the_state_that_it_stopped_in() -> None:
    (program,) = plan_of().experiments[0].programs
    own = CellRequest.of(program, "cpu")
    held = {"end": None, "steps": [0, 1, 2, 3]}
    steps = {figure: sorted(own.shown(figure, held)) for figure in own.samples}
    assert steps == {"picture": [3], "pictures": [1, 3], "data": [0], "curve": [3], "rows": [0, 3]}
    assert own.shown("picture", {"end": 3, "steps": [0, 1, 2]}) == set(), "what diverged has no last state"


def test_a_figure_tells_which_cells_it_lacks_and_why(tmp_path: Path) -> None:
    swept = STUDY.replace("    replicates: 4\n", "    replicates: 1\n    constants: {d: 1}\n    sweep: {d: [1, 2]}\n")
    (experiment,) = plan_of(swept).experiments
    shown, lost = (Replicate("e", "", {"d": d}, 0, "") for d in (1, 2))
    shown.samples = {"curve": {6: {"x": np.ones(3), "y:f": np.ones(3)}}, "picture": {6: {"image": np.ones((2, 1, 1))}}}
    lost.status, lost.end, lost.message = "diverged", 4, "the loss 'l' was not finite at step 4"
    figures = {figure.name: figure for figure in experiment.figures}
    told: list[str] = []
    for name, replicates in (
        ("curve", [shown, lost]),
        ("picture", [shown, lost]),
        ("picture", [lost, shown]),
        ("curve", [lost]),
    ):
        draw(figures[name], Results.of_plan(experiment, replicates), tmp_path, told.append)
    why = "d = 2 (the loss 'l' was not finite at step 4)"
    assert told == [
        f"nothing is shown of {why}",
        f"nothing is shown of {why}",
        f"no cell has what it shows, so it is not drawn: {why}",
    ]

"""Nothing that draws, exports or tracks takes verdicts with it: each fails on purpose, alone, in one line."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.api import conclude as ending
from dlspec.interpreter.api import running
from dlspec.interpreter.api.conclude import Concluded
from dlspec.interpreter.api.running import Outcome
from dlspec.interpreter.cli.run import CLAIM_FAILS, ERROR, INTERRUPTED, execute
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.verdicts import Decision, Verdict
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.model.figures import FIGURES

STUDY = """\
dlspec: 1
study: small
experiments:
  e:
    constants: {d: 1}
    sweep: {d: [1, 2]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2)}
    claims:
      small: {says: It is small., check: final(error) < 10}
      large: {says: It is large., check: final(error) > 10}
    figures:
      curves: {kind: curves, y: error}
      bars: {kind: bars, y: error}
      scaling: {kind: scaling, x: d, y: error}
      function: {kind: function, x: "x[0]", y: {learnt: f}}
      examples: {kind: examples, y: {one: x}}
      images: {kind: images, image: "outer(x, x)"}
"""
SAMPLES = {
    "function": {"x": np.arange(3.0), "y:learnt": np.arange(3.0)},
    "examples": {"y:one": np.ones((3, 3))},
    "images": {"image": np.ones((8, 3, 3))},
}


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> spec.StudyPlan:
    """A study with a claim that is seen, one that fails, and a figure of every kind; of one kind where that is enough."""
    few = request.node.get_closest_marker("usefixtures") is None
    text = STUDY[: STUDY.index("      bars:")] if few else STUDY
    return spec.resolve(spec.parse(Source("small.yaml", text)))


@pytest.fixture
def every_kind(plan: spec.StudyPlan) -> None:
    """Asks for a figure of every kind."""
    assert {figure.kind for figure in plan.experiments[0].figures} == FIGURES.keys()


EVERY_KIND = pytest.mark.usefixtures("every_kind")


@pytest.fixture
def run(plan: spec.StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., Any]:
    """The command with replicates made by hand instead of trained: its exit code, its output, its warnings, its run's folder."""
    replicates = []
    for program in plan.experiments[0].programs:
        replicate = Replicate("e", "", dict(program.point), 0, program.digest, key=f"{len(replicates):016x}")
        for step in (0, 10, 20):
            replicate.record(step, {"error": np.asarray(3.0 / (1 + step))})
        replicate.samples = {name: {20: values} for name, values in SAMPLES.items()}
        replicates.append(replicate)
    results = {"e": Results.of_plan(plan.experiments[0], replicates)}
    monkeypatch.setattr(running, "_run", lambda *_: (results, "cpu"))

    def execute_it(**options: Any) -> tuple[int, str, list[str], Path | None]:
        root = tmp_path / "runs"
        before = set(root.glob("*/run.json"))
        code = execute(plan, RunOptions(str(tmp_path / "small.yaml"), runs=root, **options), ["run", "small.yaml"])
        made = list(set(root.glob("*/run.json")) - before)
        assert not list(root.glob(".*")), "no draft is left"
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err.splitlines(), made[0].parent if made else None

    return execute_it


def fails(*_: Any, **__: Any) -> Any:
    """What is put in the place of a part."""
    raise RuntimeError("broken on purpose\nand more")


def put(monkeypatch: pytest.MonkeyPatch, place: str, value: Any) -> None:
    """Puts something in the place of what a module holds: `figures.draw save`; modules bear names of functions, too."""
    module, _, name = place.partition(" ")
    found = importlib.import_module(f"dlspec.interpreter.{module}")
    *path, last = name.split(".")
    for part in path:
        found = getattr(found, part)
    monkeypatch.setattr(found, last, value)


def whole(out: str, folder: Path | None) -> None:
    """The table, both verdicts and the data of both are there."""
    assert "0.143" in out and "~ seen" in out and "✗ fails" in out
    assert folder is not None
    claims = json.loads((folder / "claims.json").read_text("utf-8"))
    assert [claim["verdict"] for claim in claims] == ["seen", "fails"]
    assert len(json.loads((folder / "cells.json").read_text("utf-8"))) == 2
    assert json.loads((folder / "run.json").read_text("utf-8"))["verdicts"] == {"seen": 1, "fails": 1}


def pictures(folder: Path) -> set[str]:
    return {path.stem.removeprefix("e.") for path in folder.glob("*.png")}


@EVERY_KIND
def test_as_it_should_be(run: Callable[..., Any]) -> None:
    code, out, told, folder = run()
    whole(out, folder)
    assert (code, told) == (CLAIM_FAILS, []) and pictures(folder) == FIGURES.keys()
    assert out.count("figure ") == 6 and f"report {folder / REPORT}" in out and (folder / REPORT).exists()


@EVERY_KIND
@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_fails_alone(kind: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRAWERS, kind, fails)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == FIGURES.keys() - {kind} and (folder / REPORT).exists()
    assert len(told) == 1 and told[0] == (
        f"warning: figure e.{kind} failed: RuntimeError: broken on purpose. "
        "This is a fault in dlspec: please report it. Results and verdicts stand"
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), OSError(28, "No space left on device"), SystemError()]
)
@pytest.mark.parametrize("what", ["canvas literal", "canvas Sheet.savefig", "draw save", "draw points"])
def test_all_figures_fail_alone(
    what: str, error: Exception, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    put(monkeypatch, f"figures.{what}", fail)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and (folder / REPORT).exists()
    expected = {"curves"} if what == "draw points" else set()
    assert pictures(folder) == expected
    assert len(told) == 1 and told[0].startswith("warning: figure e.curves")


def test_matplotlib_that_cannot_be_loaded_costs_the_figures_alone(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "dlspec.interpreter.figures", None)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and not pictures(folder) and len(told) == 1


PARTS = {
    "page _study": "the spec", "page pictures": "the figures of e", "page finals": "the cells",
    "final_values Finals.rows": "the table of e", "figures _size": "the figure e.curves",
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_report_fails_alone(part: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = property(fails) if part.endswith(".rows") else fails
    put(monkeypatch, f"report.{part}", broken)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == {"curves"}
    page = (folder / REPORT).read_text("utf-8")
    assert "It is small." in page, "the claims are there all the same"
    assert told[0].startswith(f"warning: report: {PARTS[part]} failed: RuntimeError: broken on purpose.")
    assert len(told) == 1
    assert "broken on purpose" in page, "and the page says what is missing"


def test_the_report_as_a_whole_fails_alone(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "write_report", fails)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == {"curves"} and not (folder / REPORT).exists()
    assert len(told) == 1 and told[0].startswith("warning: report failed: RuntimeError: broken on purpose.")
    assert "report " not in out


@pytest.mark.parametrize(
    ("part", "file"), [("write_curves", "curves.parquet"), ("write_samples", "samples.npz"), ("revision", "")]
)
def test_an_extra_of_the_folder_fails_alone(
    part: str, file: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, *_: Any) -> Any:
        if file:
            path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"dlspec.interpreter.results.run_writer.{part}", half)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and not (file and (folder / file).exists()) and (folder / REPORT).exists()
    name = file or "the study's revision in git"
    assert told == [f"warning: {name} failed: No space left on device. Results and verdicts stand"]


class Broken:
    """A tracker that fails at one of the things that it is told, in the way that `error` says."""

    def __init__(self, at: str, error: BaseException) -> None:
        self.at = at
        self.error = error

    def __getattr__(self, name: str) -> Callable[..., None]:
        def told(*_: Any) -> None:
            if name == self.at:
                raise self.error

        return told


@pytest.mark.parametrize("error", [RuntimeError("gone"), SystemExit(1), MemoryError()])
@pytest.mark.parametrize("at", ["begin", "progressed", "ended", "conclude", "close"])
def test_a_tracker_fails_alone(
    at: str, error: BaseException, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlspec.interpreter.tracking import Tracking

    def opened(plan: Any, root: Any, title: Any, tensorboard: Any, mlflow: Any, warn: Any) -> Tracking:
        return Tracking({"Broken": Broken(at, error)}, warn)

    monkeypatch.setattr(running, "opened", opened)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == {"curves"} and (folder / REPORT).exists()
    assert len(told) == 1 and told[0].startswith(f"warning: Broken is told no more of this run: {type(error).__name__}")


def test_what_trackers_are_told_at_the_end_fails_alone(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlspec.interpreter.tracking.Tracking.conclude", fails)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and len(told) == 1 and "trackers" in told[0]


def test_a_claim_that_cannot_be_judged_leaves_the_others(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = ending.judge
    monkeypatch.setattr(ending, "judge", lambda claim, own: fails() if claim.name == "small" else judge(claim, own))
    code, out, _, folder = run()
    claims = json.loads((folder / "claims.json").read_text("utf-8"))
    assert [claim["verdict"] for claim in claims] == ["inconclusive", "fails"]
    assert "it could not be judged: RuntimeError: broken on purpose" in claims[0]["reason"]
    assert code == CLAIM_FAILS and "✗ fails" in out and pictures(folder) == {"curves"}


@pytest.mark.parametrize("part", ["print_finals", "print_claims"])
def test_a_table_that_cannot_be_printed_leaves_the_rest(
    part: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"dlspec.interpreter.cli.text.results.{part}", fails)
    code, out, told, folder = run()
    assert code == CLAIM_FAILS and len(told) == 1 and folder is not None and (folder / REPORT).exists()
    assert ("✗ fails" in out) is (part == "print_finals") and ("steps   replicates" in out) is (part == "print_claims")


@pytest.mark.parametrize("method", ["__init__", "write_claims", "commit"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_folder_that_cannot_be_made_leaves_table_and_verdicts(
    method: str, as_json: bool, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"dlspec.interpreter.results.run_writer.RunFolder.{method}", full)
    code, out, told, folder = run(as_json=as_json)
    assert code == ERROR and folder is None
    if as_json:
        found = json.loads(out)
        assert found["run"] is None and [claim["verdict"] for claim in found["claims"]] == ["seen", "fails"]
    else:
        assert "0.143" in out and "~ seen" in out and "✗ fails" in out and "report " not in out
    assert "no space is left on the disk" in told[0] and told[-1].startswith("There is no folder of this run")


def test_verdicts_are_told_before_anything_is_drawn(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A figure that takes all memory, or never ends, has the process killed: the verdicts were told by then."""
    said: list[str] = []
    monkeypatch.setitem(DRAWERS, "curves", lambda *_: said.append(capsys.readouterr().out))
    run()
    assert "~ seen" in said[0] and "✗ fails" in said[0] and "0.143" in said[0]


@pytest.mark.parametrize(
    ("error", "code"), [(BrokenPipeError(32, "Broken pipe"), CLAIM_FAILS), (OSError(28, "full"), ERROR)]
)
def test_output_that_cannot_be_written_costs_no_run(
    error: OSError, code: int, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("dlspec.interpreter.cli.text.results.print_finals", lost)
    monkeypatch.setattr("dlspec.interpreter.cli.standard_output.to_nowhere", lambda: None)
    found, out, told, folder = run()
    assert found == code and folder is not None and (folder / REPORT).exists() and pictures(folder) == {"curves"}
    said = [f"standard output cannot be written: full; the run is kept in {folder}"]
    assert told == (said if code == ERROR else []) and "✗ fails" not in out


def test_the_twin_a_fault_in_the_results_themselves_is_no_small_one(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlspec.interpreter.results.run_writer.cells_json", fails)
    with pytest.raises(RuntimeError) as caught:
        run()
    assert "what was trained is kept in" in caught.value.__notes__[0]


def test_the_exit_code_follows_the_verdicts_that_are_asked_for(run: Callable[..., Any], plan: spec.StudyPlan) -> None:
    assert run()[0] == CLAIM_FAILS, "one of the claims fails"
    cases = [
        ("seen", "fails", 0), ("seen", "inconclusive", 0), ("seen", "seen", CLAIM_FAILS), ("holds", "seen", 0),
        ("inconclusive", "fails", 0), ("inconclusive", "inconclusive", CLAIM_FAILS),
    ]  # fmt: skip
    for claim, fail_on, expected in cases:
        verdict = Verdict(plan.experiments[0].claims[0], Decision(claim))
        done = Concluded([verdict])
        assert Outcome({}, done, False).exit_code(fail_on) == expected
        assert Outcome({}, done, True).exit_code(fail_on) == INTERRUPTED

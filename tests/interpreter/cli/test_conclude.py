"""Nothing that draws, exports or tracks takes verdicts with it: each fails on purpose, alone, in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.api import conclude as ending
from dlspec.interpreter.api import running
from dlspec.interpreter.api.conclude import Concluded
from dlspec.interpreter.api.running import Outcome
from dlspec.interpreter.cli.run import CLAIM_FAILS, ERROR, INTERRUPTED
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.verdicts import Decision, Verdict
from dlspec.spec.model.figures import FIGURES

from tests.interpreter.cli.made_runs import fails, pictures, put, whole


@pytest.fixture
def every_kind(plan: spec.StudyPlan) -> None:
    """Asks for a figure of every kind."""
    assert {figure.kind for figure in plan.experiments[0].figures} == FIGURES.keys()


EVERY_KIND = pytest.mark.usefixtures("every_kind")


@EVERY_KIND
def test_as_it_should_be(run: Callable[..., Any]) -> None:
    code, out, told, folder = run()
    whole(out, folder)
    assert (code, told) == (CLAIM_FAILS, []) and pictures(folder) == FIGURES.keys()
    assert out.count("figure ") == len(FIGURES) and f"report {folder / REPORT}" in out and (folder / REPORT).exists()


@EVERY_KIND
@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_fails_alone(kind: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRAWERS, kind, fails)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == FIGURES.keys() - {kind} and (folder / REPORT).exists()
    assert len(told) == 1 and told[0] == (
        f"warning: figure e.{kind} failed: RuntimeError: broken on purpose. "
        "This is a fault in dlspec: please report it. Results and verdicts are not affected"
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), OSError(28, "No space left on device"), SystemError()]
)
@pytest.mark.parametrize("what", ["canvas literal", "canvas Sheet.savefig", "draw save", "draw describe"])
def test_all_figures_fail_alone(
    what: str, error: Exception, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    put(monkeypatch, f"figures.{what}", fail)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and (folder / REPORT).exists()
    expected = {"curves"} if what == "draw describe" else set()
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
    "page readable_study": "the spec", "page pictures": "the figures of e", "page finals": "the cells",
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
    assert told == [f"warning: {name} failed: No space left on device. Results and verdicts are not affected"]


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

    def opened(plan: Any, root: Any, title: Any, tensorboard: Any, mlflow: Any, warn: Any, origin: Any) -> Tracking:
        return Tracking({"Broken": Broken(at, error)}, warn)

    monkeypatch.setattr(running, "opened", opened)
    code, out, told, folder = run()
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == {"curves"} and (folder / REPORT).exists()
    assert len(told) == 1 and told[0].startswith(f"warning: Broken gets no more of this run: {type(error).__name__}")


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
    assert "no space is left on the disk" in told[0] and told[-1].startswith("This run has no folder")


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

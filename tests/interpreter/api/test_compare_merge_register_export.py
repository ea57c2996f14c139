"""`compare`, `merge`, `register` and `export` from Python; the command line says the same through them."""

from __future__ import annotations

import json
from pathlib import Path

import dlspec
import pytest
from dlspec.interpreter.cli.app import app
from typer.testing import CliRunner

TEXT = """\
dlspec: 1
study: draws
experiments:
  e:
    constants: {d: 2, scale: 1}
    task: {example: {x: "normal(0, scale, [d])"}}
    measures: {size: E(sum(x^2))}
    replicates: 3
    claims:
      large: {says: It is large., check: final(size) > 1}
profiles:
  wide: {experiments: {e: {constants: {scale: 3}}}}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dlspec.Study:
    monkeypatch.chdir(tmp_path)
    Path("draws.yaml").write_text(TEXT)
    return dlspec.load("draws.yaml")


def test_two_runs_differ_by_what_they_were_run_with(study: dlspec.Study) -> None:
    first = dlspec.run(study)
    second = dlspec.run(study, profile="wide", overrides=["e.constants.d=4"])
    both = dlspec.compare(first, second.name)
    assert both.diff is not None
    assert (
        both.diff.headline
        == "2 values of the task changed: constant `d` (task) 2 → 4 and constant `scale` (task) 1 → 3"
    ), "one text: profile and override alone differ"
    assert both.finals()[["cell", "measure", "pairs", "same_cells"]].values.tolist() == [["e", "size", 3, False]]
    assert both.finals()["difference"].item() == pytest.approx(
        second.finals()["size"].mean() - first.finals()["size"].mean()
    )
    assert both.claims()[["first", "second"]].values.tolist() == [["seen", "seen"]]
    done = CliRunner().invoke(app, ["compare", first.name, second.name, "--json"])
    assert json.loads(done.stdout) == json.loads(json.dumps({**both.data(), "figures": []}))
    assert CliRunner().invoke(app, ["compare", first.name, second.name]).stdout.rstrip() == str(both)
    assert "constant `d` (task) 2 → 4" in str(both) and "<table" in both._repr_html_()
    again = dlspec.compare(first, dlspec.run(study))
    assert again.diff is not None and again.diff.same and again.finals()["same_cells"].all()


def test_runs_show_what_they_were_run_with(study: dlspec.Study) -> None:
    plain = dlspec.run(study)
    run = dlspec.run(study, overrides={"e.constants.d": 3}, only="e")
    assert (run.record.overrides, run.record.only) == (("e.constants.d=3",), ("e",))
    listed = CliRunner().invoke(app, ["runs"], env={"COLUMNS": "200"}).stdout.splitlines()
    assert [line.endswith("-o e.constants.d=3 --only e") for line in listed if line.startswith("draws-")] == [
        True,
        False,
    ]
    data = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)
    assert [entry["overrides"] for entry in data["runs"]] == [["e.constants.d=3"], []]
    about = json.loads((run.path / "run.json").read_text())
    del about["overrides"], about["only"]
    (run.path / "run.json").write_text(json.dumps(about))
    before = dlspec.open_run(run.path).record
    assert (before.overrides, before.only) == (("e.constants.d=3",), ("e",)), "a run of before: read from its command"
    assert plain.record.overrides == ()


def test_a_run_whose_study_cannot_be_read_any_more_is_compared_by_its_numbers(study: dlspec.Study) -> None:
    first, second = dlspec.run(study), dlspec.run(study)
    (second.path / "spec.yaml").write_text("dlspec: 1\nstudy: [")
    with pytest.warns(dlspec.StudyWarning, match="the difference of the studies failed"):
        both = dlspec.compare(first, second)
        assert both.diff is None
    assert len(both.finals()) == 1 and both.data()["studies"] is None
    assert CliRunner().invoke(app, ["compare", first.name, second.name]).exit_code == 1


def test_two_versions_are_merged(study: dlspec.Study) -> None:
    ours, theirs = (
        dlspec.Study(TEXT.replace(*change)) for change in (("d: 2", "d: 3"), ("replicates: 3", "replicates: 9"))
    )
    done = dlspec.merge("draws.yaml", ours, theirs)
    assert done and done.text == TEXT.replace("d: 2", "d: 3").replace("replicates: 3", "replicates: 9")
    other = dlspec.Study(TEXT.replace("d: 2", "d: 5"))
    split = dlspec.merge(study, ours, other)
    assert not split and split.conflicts == ("experiments.e.constants.d",)
    assert str(split).endswith("1 conflict to be resolved, marked with `!conflict`") and split.problems
    with pytest.raises(dlspec.StudyError, match="theirs is not a study"):
        dlspec.merge(None, ours, dlspec.Study("a: 1\n", "a.yaml"))
    added = dlspec.merge(None, ours, theirs)
    assert added.conflicts and "!conflict" in added.text


def test_a_study_is_registered_once(study: dlspec.Study) -> None:
    done = study.register("wide")
    assert (done.path, done.claims, done.runs_before, done.profile) == (Path("draws.registered.json"), 1, 0, "wide")
    with pytest.raises(dlspec.StudyError, match="registered already") as error:
        study.register("wide")
    assert "replace=True" in error.value.problems[0].hint
    said = CliRunner().invoke(app, ["register", "draws.yaml", "-p", "wide", "--replace"]).stdout
    assert said == "draws.registered.json: 1 claim registered. Commit it before you run the study.\n"
    with pytest.raises(dlspec.StudyError, match="has no file"):
        dlspec.Study(TEXT).register()


TRAINED = """\
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([2])"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: f^2}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 2, {}}}
    measures: {{m: E(f^2)}}
"""


def test_what_cannot_be_exported_is_said_before_anything_is_loaded(study: dlspec.Study) -> None:
    with pytest.raises(dlspec.StudyError, match="does not train"):
        study.export("e")
    with pytest.raises(dlspec.StudyError, match="there is no format 'onnx'"):
        study.export("e", format="onnx")
    with pytest.raises(dlspec.StudyError, match="replicates is 0"):
        study.export("e", replicates=0)


def test_a_training_in_phases_is_not_exported() -> None:
    """It was exported as its first phase alone, under the number of steps of all."""
    text = TRAINED.format("phases: {a: {steps: 3, times: 2}, b: {steps: 4, optimizer: {sgd: 1e-3}}}")
    with pytest.raises(dlspec.StudyError, match=r"'e' is trained in phases, 'a' \(2 times\) and 'b'"):
        dlspec.Study(text).export("e")
    with pytest.raises(dlspec.StudyError, match="'a' \\(2 times\\), and an exported program is one loop"):
        dlspec.Study(TRAINED.format("phases: {a: {steps: 3, times: 2}}")).export("e")

"""Numbers of a run that are asked for in the words of claims, beside the run's own tables."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import dlspec
import numpy as np
import pytest
from dlspec.interpreter.cli.app import app
from typer.testing import CliRunner


def test_a_number_stands_for_each_replicate_on_the_axes_that_are_left(run: dlspec.Run) -> None:
    found = run.evaluate("sqrt(final(error, r == 0.5)) * d", "e")
    finals = run.finals("e")
    own = finals[finals.r == 0.5].sort_values(["d", "replicate"])
    assert found.columns.tolist() == ["d", "replicate", "value", "low", "high"]
    assert found[["d", "replicate"]].values.tolist() == own[["d", "replicate"]].values.tolist()
    np.testing.assert_allclose(found["value"], np.sqrt(own["error"]) * own["d"], rtol=1e-12)


def test_curves_are_looked_at_over_their_steps(run: dlspec.Run) -> None:
    curves = run.curves("e", "error")
    lowest = curves.groupby(["d", "r", "replicate"])["value"].min()
    np.testing.assert_array_equal(run.evaluate("lowest(error)", "e")["value"], lowest)
    first = curves[curves.step == 0].groupby(["d", "r", "replicate"])["value"].mean()
    np.testing.assert_array_equal(run.evaluate("at(error, 0)", "e")["value"], first)
    along = run.evaluate("slope(at(error, 0), d)", "e").set_index(["r", "replicate"])["value"]
    np.testing.assert_allclose(along, first.loc[2] - first.loc[1], rtol=1e-9)


def test_an_event_that_never_came_lies_beyond_the_last_step(run: dlspec.Run) -> None:
    found = run.evaluate("first_step(error < -1)", "e")
    assert found["value"].isna().all()
    assert (found["low"] > 30).all()
    assert np.isinf(found["high"]).all()


def test_a_condition_is_one_or_zero_and_what_is_undefined_not_a_number(run: dlspec.Run) -> None:
    finals = run.finals("e")
    assert run.evaluate("final(error) > 0", "e")["value"].tolist() == [1.0] * len(finals)
    assert run.evaluate("log(-final(error)) > 0", "e")["value"].isna().all()


def value(run: dlspec.Run, *words: str) -> str:
    done = CliRunner().invoke(app, ["runs", "value", run.name, *words, "--runs", str(run.path.parent)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_line_says_the_same(run: dlspec.Run) -> None:
    words = ("final(error, r == 0.5)", "--experiment", "e")
    found = run.evaluate(words[0], "e")
    data = json.loads(value(run, *words, "--json"))
    assert [place["at"] for place in data["places"]] == [{"d": 1}, {"d": 2}] and not data["condition"]
    each = [one["value"] for place in data["places"] for one in place["replicates"]]
    assert each == found["value"].tolist()
    first = data["places"][0]
    assert (first["mean"], first["least"]) == (pytest.approx(np.mean(each[:2])), min(each[:2]))
    shown = value(run, *words).splitlines()
    assert shown[0] == words[0] and shown[1].split() == ["value", "replicate", "0", "replicate", "1"]
    mean, *ends = shown[2].split("d = 1")[1].replace("(", "").replace(")", "").replace("…", "").split()
    assert float(mean) == pytest.approx(first["mean"], rel=1e-5)
    assert [float(end) for end in ends] == pytest.approx([min(each[:2]), max(each[:2]), *each[:2]], rel=1e-5)
    assert "   6" in value(run, "2 * 3", "--experiment", "other")


def test_the_command_line_says_what_is_true_undefined_and_never_came(run: dlspec.Run) -> None:
    of_e = ("--experiment", "e")
    assert value(run, "final(error, d == 1, r == 1) > 0", *of_e).splitlines()[2].split() == [
        "e",
        "2",
        "of",
        "2",
        "true",
        "true",
    ]
    undefined = value(run, "log(-final(error))", *of_e)
    assert "– (2 of 2 undefined)" in undefined and "is undefined at d = 1, r = 0.5, replicate 0" in undefined
    assert undefined.rstrip().endswith("… and 5 more are undefined")
    never = value(run, "first_step(error < -1)", *of_e)
    assert "– (2 of 2 never)" in never and "≥ 31" in never and "never came up to step 30" in never
    (first, *_) = json.loads(value(run, "first_step(error < -1)", *of_e, "--json"))["places"]
    assert first["mean"] is None and first["replicates"][0] == {
        "replicate": 0,
        "value": None,
        "low": 31.0,
        "high": None,
    }


def test_the_command_of_a_run_is_shown_as_a_shell_reads_it(run: dlspec.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["run", "my study.yaml", "-o", "d=[1, 2]"]
    record = replace(run.record, about={**run.about, "command": words})
    monkeypatch.setattr("dlspec.interpreter.api.run.named", lambda *_: record)
    done = CliRunner().invoke(app, ["runs", "show", run.name, "--runs", str(run.path.parent)], env={"COLUMNS": "200"})
    assert shlex.split(done.output.splitlines()[1]) == ["dlspec", *words]


@pytest.mark.parametrize(
    ("expression", "experiment", "told"),
    [
        ("final(eror)", "e", "expression:1:7: `final` takes the name of a measure"),
        ("final(error, d == 7)", "e", "expression:1:"),
        ("final(m)", None, "the run has several experiments"),
        ("final(m", "other", "expression:1:"),
        ("final(m)", "elsewhere", "the run has no experiment 'elsewhere'"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_told_with_its_place(
    run: dlspec.Run, expression: str, experiment: str | None, told: str
) -> None:
    with pytest.raises(dlspec.StudyError) as raised:
        run.evaluate(expression, experiment)
    assert told in str(raised.value)
    assert len(str(raised.value).splitlines()) > 1

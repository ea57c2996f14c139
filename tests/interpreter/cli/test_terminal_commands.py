"""What the terminal offers beside runs: version, search, cases, watching, and progress in 80 columns."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlspec
import numpy as np
import pytest
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.schedule.progress import Live
from dlspec.interpreter.schedule.progress_line import Parts, line
from dlspec.interpreter.store.requests import ReplicateBatch, requests_of
from dlspec.spec.model.reference_entries import further
from dlspec.spec.new_study import EXAMPLES, cases
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from tests.forked import MAIN, Forked

LONG = "a_very_long_name_of_a_study_and_of_its_only_experiment_too"
STUDY = f"""\
dlspec: 1
study: small
experiments:
  {LONG}:
    constants: {{d: 2}}
    sweep: {{d: [2, 3]}}
    task: {{example: {{x: "normal([d])"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: f^2}}
    training: {{optimizer: sgd, batch: 4, steps: 2000}}
    measures: {{error: E(f^2), another_measure: E(f), a_third_one: E(f)}}
    replicates: 3
"""


def invoke(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("words", [["-h"], ["run", "-h"], ["runs", "-h"], ["runs", "show", "-h"]])
def test_a_short_option_helps(words: list[str]) -> None:
    assert "Usage: " in invoke(*words)


def test_no_summary_of_a_command_is_cut_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ((), ("runs",)):
        said = invoke(*words, "-h")
        assert "..." not in said.split("Commands:")[1] and max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("stage", ["cells", "expressions"])
def test_a_stage_is_whole_at_40_columns(stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(STUDY.replace(LONG, "short"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    piped = invoke("show", "a.yaml", "--stage", stage)
    monkeypatch.setenv("COLUMNS", "40")
    narrow = invoke("show", "a.yaml", "--stage", stage)
    assert narrow.split() == piped.split() and max(map(len, narrow.splitlines())) <= 40 < max(
        map(len, piped.splitlines())
    )


def test_errors_break_inside_no_word_on_a_terminal_and_nowhere_in_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(STUDY.replace("batch: 4", "batch: 4.5"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    with pytest.raises(SystemExit):
        app(["plan", "a.yaml"])
    piped = capsys.readouterr().err
    assert max(map(len, piped.splitlines())) > 60
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with pytest.raises(SystemExit):
        app(["plan", "a.yaml"])
    shown = capsys.readouterr().err
    assert max(map(len, shown.splitlines())) <= 40
    said, before = (
        [word for line in text.splitlines() if "|" not in line for word in line.split()] for text in (shown, piped)
    )
    assert said == before


def test_the_version_is_that_of_the_package() -> None:
    assert invoke("--version") == f"dlspec {dlspec.__version__}\n"


def test_the_readme_names_every_command_and_no_option_that_there_is_not() -> None:
    table = (
        (Path(__file__).parents[3] / "README.md")
        .read_text("utf-8")
        .partition("\n## Commands\n")[2]
        .partition("\n## ")[0]
    )
    commands = vars(get_command(app))["commands"]
    said = re.findall(r"`dlspec ([a-z]+)([^`]*)`", table)
    assert {name for name, _ in said} == set(commands)
    for name, rest in said:
        several = [commands[name], *vars(commands[name]).get("commands", {}).values()]
        options = {option for one in several for parameter in one.params for option in parameter.opts}
        assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest)) <= options, name


def test_the_language_is_searched_by_words() -> None:
    assert "softmax(x: real[*s]" in invoke("ops", "softmax") and "example" in invoke("ops", "softmax")
    listed = invoke("ops", "hessian", "trace")
    assert listed.startswith("Gradient statistics\n  hessian_trace  ")
    assert len(re.findall(r"\n  \S", invoke("ops", "--search", "softmax"))) == 5, "also what mentions it"
    assert "no entry has all of 'hessian banana'" in invoke("ops", "hessian", "banana", code=1)
    assert "'hessian' alone is in 4; 'banana' alone is in none." in invoke("ops", "hessian", "banana", code=1)
    assert invoke("ops").startswith("# Reference"), "in a pipe"


def test_arguments_keys_and_figures_are_found_by_their_names() -> None:
    """What has no row of its own in the reference is looked for, too: of an exact name that alone is told."""
    clipped = invoke("ops", "clipnorm")
    assert clipped.startswith(
        "Arguments of optimisers\n  clipnorm  scales the gradient of each weight down to this norm; of sgd, adam,"
    )
    kept = invoke("ops", "momentum")
    assert "Arguments of layers" in kept and "of batch_normalization" in kept and "of sgd and rmsprop" in kept
    assert invoke("ops", "phases").startswith(
        "Keys of a study\n  experiments.NAME.training.phases  Stretches of training"
    )
    assert len(re.findall(r"\n  experiments.*until  ", invoke("ops", "until"))) == 2, "of training and of a phase"
    assert invoke("ops", "heatmap").startswith("heatmap: a figure, for `figures`\nA measure as colours")
    for name, kind in {
        "phase_step": "Counters",
        "gelu": "Activations",
        "max_norm": "Constraints",
    }.items():
        assert invoke("ops", name).startswith(f"{kind}\n  {name}  ")
    assert "Did you mean 'learning_rate'?" in invoke("ops", "learningrate", code=1)


def test_each_key_of_a_study_has_its_place_once() -> None:
    keys = [entry for entry in further() if entry.kind == "keys of a study"]
    assert len(keys) == len({(entry.call, entry.meaning) for entry in keys}) > 100
    assert {"study", "experiments.NAME.task.example", "experiments.NAME.claims.NAME.judge"} <= {
        one.call for one in keys
    }


def test_a_description_is_indented_under_its_labels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, meaning, more, *_ = invoke("ops", "forward_only").splitlines()
    assert meaning.startswith("the identity: ") and not more.startswith(" ")
    lines = invoke("ops", "conv1d").splitlines()
    assert [line[:10] for line in lines[2:4]] == ["arguments ", " " * 10]


@pytest.mark.parametrize("case", ["flat", "digits"])
def test_a_case_is_copied_with_its_data_and_is_valid(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = invoke("new", "mine", "--from", case)
    study = dlspec.load("mine.yaml")
    assert study.name == "mine" and study.validate().valid
    assert "Now: dlspec run mine.yaml -p quick" in said
    schema = re.match(r"# yaml-language-server: \$schema=(file://.*)\n", study.text)
    assert schema is not None and Path(schema[1].removeprefix("file://")).is_file(), "that of the installed package"
    assert (tmp_path / "data").exists() == (case == "digits")
    assert "exists already; nothing was written" in invoke("new", "mine", "--from", case, code=1)
    if case == "flat":
        assert (
            "Now: dlspec run sub/own.yml" in invoke("new", "sub/own.yml") and dlspec.load("sub/own.yml").name == "own"
        )


def test_cases_are_all_examples_and_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {case.file for case in cases().values()} == set(EXAMPLES.rglob("*.yaml"))
    monkeypatch.setenv("COLUMNS", "200")
    listed = invoke("new", "--from", "list").splitlines()
    assert len(listed) == len(cases()) and all(case.title for case in cases().values())
    monkeypatch.setenv("COLUMNS", "60")
    narrow = invoke("new", "--from", "list")
    assert max(map(len, narrow.splitlines())) <= 60 and narrow.split() == " ".join(listed).split()
    assert "Did you mean 'flat'?" in invoke("new", "--from", "flet", code=1)
    assert "dlspec new NAME" in invoke("new", code=2)


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_a_line_of_progress_fits_and_keeps_its_count(width: int) -> None:
    parts = Parts(LONG, 0.3, "1,200/40,000", "1,234 steps/s", ("error 0.123", "another_measure 0.1", "a_third_one 3"))
    text = line(parts, width, len(LONG)).plain
    assert len(text) <= max(width, 34) and "1,200/40,000" in text
    assert ("error 0.123" in text) == (width >= 120)


def test_the_whole_study_counts_its_replicates_in_80_columns() -> None:
    plan = dlspec.Study(STUDY).resolved()
    batches = [ReplicateBatch(request, (0, 1, 2)) for request in requests_of(plan, "cpu")]
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, no_color=True)
    live = Live(batches, console)
    jobs = [Job(number, batch, "graph") for number, batch in enumerate(batches)]

    def shown() -> list[str]:
        with console.capture() as captured:
            console.print(live.progress)
        return re.sub(r"\x1b\[[0-9;]*m", "", captured.get()).splitlines()

    live.started(jobs[0], 0)
    live.evaluated(jobs[0], 500, {"error": np.ones(3)}, 1234.0)
    lines = shown()
    assert all(len(text.rstrip()) <= 80 for text in lines), lines
    assert "0/6 replicates" in lines[0] and "500/2,000" in lines[1] and LONG[:20] in lines[1]
    live.finished(jobs[0], [])
    live.stored(batches[1], [], here=False)
    assert "6/6 replicates" in shown()[0]


def test_what_comes_from_the_store_counts_once() -> None:
    """Another process had run one replicate of a batch: its 2,000 steps and the two others' are those of three, of six."""
    batches = [ReplicateBatch(request, (0, 1, 2)) for request in requests_of(dlspec.Study(STUDY).resolved(), "cpu")]
    live = Live(batches, Console(file=io.StringIO()))
    live.stored(batches[0].only([0]), [], here=False)
    job = Job(1, batches[0].only([1, 2]), "graph")
    live.started(job, 0)
    live.evaluated(job, 500, {"error": np.ones(2)}, 1234.0)
    assert live.steps_done / live.steps_of_all == (2000 + 2 * 500) / (6 * 2000)
    live.finished(job, [])
    assert (live.steps_done / live.steps_of_all, live.replicates_done) == (1 / 2, 3)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kills a process that a failed test leaves, which would be waited for."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_study_runs_again_when_it_is_saved(tmp_path: Path) -> None:
    study = tmp_path / "one.yaml"
    text = "dlspec: 1\nstudy: one\nexperiments: {e: {constants: {d: 1}, measures: {m: d + 1}}}\n"
    study.write_text(text)

    def save(changed: str) -> None:
        """As an editor does: a file that is half written is seen by nobody."""
        (tmp_path / "draft").write_text(changed)
        (tmp_path / "draft").replace(study)

    words = [sys.executable, "-c", MAIN, "run", "one.yaml", "--watch"]
    environment = {**os.environ, "NO_COLOR": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with Forked(words, cwd=tmp_path, env=environment, **streams) as run, ended(run):
        assert run.stdout is not None

        def until(word: str) -> str:
            seen = ""
            while word not in seen:
                read = run.stdout.readline()  # type: ignore[union-attr]
                assert read, seen
                seen += read
            return seen

        until("runs again when it is saved")
        save(text.replace("d + 1", "dd + 1"))
        assert "unknown name 'dd'" in until("runs again when it is saved")
        save(text.replace("d: 1", "d: 41"))
        assert "42" in until("runs again when it is saved")
        time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 0
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 2

"""The options of a run are one object: each is declared once, and reaches the run as it was given."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from dlspec.interpreter.backend.devices import Asked
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.cli.options import from_options
from dlspec.interpreter.cli.run_options import ExecutorName, FailOn, Jit, LogForm, RunOptions
from dlspec.spec.data_files.places import ALLOWED
from typer.testing import CliRunner

WORDS = (
    "a.yaml -p quick -o e.replicates=2 -o e.seed=1 --only e/v -j 3 --executor ray --address h:1 --jit graph --device gpu:1 "
    "--runs r --force --keep-weights --checkpoint 5 --tensorboard --mlflow sqlite:///m.db --log json --fail-on seen --take a.zip --watch --json --allow-data"
)
GIVEN = RunOptions(
    "a.yaml", "quick", ["e.replicates=2", "e.seed=1"], ["e/v"], 3, ExecutorName.ray, "h:1", Jit.graph, Asked("gpu", 1),
    Path("r"), True, True, 5.0, True, "sqlite:///m.db", LogForm.json, FailOn.seen, [Path("a.zip")], True, True, True,
)  # fmt: skip


def test_every_option_reaches_the_run_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED, "0")  # what the option sets is taken back
    taken: list[RunOptions] = []
    command = typer.Typer()
    command.command()(from_options(RunOptions)(taken.append))
    done = CliRunner().invoke(command, WORDS.split())
    assert done.exit_code == 0, done.output
    assert taken == [GIVEN]
    assert all(getattr(GIVEN, item.name) != item.default for item in fields(RunOptions))


def test_what_is_not_given_is_the_default() -> None:
    taken: list[RunOptions] = []
    command = typer.Typer()
    command.command()(from_options(RunOptions)(taken.append))
    assert CliRunner().invoke(command, ["a.yaml"]).exit_code == 0
    assert taken == [RunOptions("a.yaml")] and taken[0].study == Path("a.yaml")


def test_the_command_has_the_fields_of_the_object() -> None:
    parameters = typer.main.get_command(app).commands["run"].params  # type: ignore[attr-defined]
    assert [item.name for item in parameters] == [item.name for item in fields(RunOptions)]


@pytest.mark.parametrize("command", ["validate", "show", "plan", "run", "export", "register"])
def test_every_command_that_reads_data_files_takes_the_option_for_those_outside(command: str) -> None:
    (found,) = (one for one in app.registered_commands if (one.name or one.callback.__name__) == command)  # type: ignore[union-attr]
    given = inspect.signature(found.callback).parameters  # type: ignore[arg-type]
    assert "allow_data" in given

"""`dlspec export` on the command line: which cell, where to, and what cannot be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dlspec.interpreter.cli.app import app
from typer.testing import CliRunner

STUDY = """
dlspec: 1
study: small
experiments:
  line:
    constants: {d: 3}
    task: {draw: {v: "normal([d])"}, example: {x: "normal([d])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 8, steps: 20}
    measures: {error: E((f - y)^2)}
    replicates: 2
    sweep: {d: [2, 3]}
    variants: {plain: {}, layerwise: {training: {optimizer: {lamb: {}}}}}
  only_measured:
    task: {example: {x: "normal([3])"}}
    measures: {mean: E(sum(x))}
"""
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY, "utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "said", "remedy"),
    [
        ([], "say which cell to export with --cell", "These train: 'line/plain d=2', 'line/plain d=3', "),
        (["--cell", "line/plane d=2"], "there is no cell 'line/plane d=2'", "Did you mean 'line/plain d=2'?"),
        (["--cell", "only_measured"], "'only_measured' does not train", "These train: 'line/plain d=2', "),
        (["--cell", "line/plain d=2", "--output", "."], ". exists already; nothing was written", "Name another folder with --output, "),
        (
            ["--cell", "line/layerwise d=2", "--replicates", "2"],
            "the cell 'line/layerwise d=2' trains each replicate by itself", "Leave --replicates out.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_before_tensorflow_is_loaded(
    arguments: list[str], said: str, remedy: str, study: Path, dlspec: Command
) -> None:
    done = dlspec("export", study.name, *arguments)
    assert done.returncode == 1
    assert said in done.stderr and remedy in done.stderr
    assert [path.name for path in study.parent.iterdir()] == ["small.yaml"]


def test_a_cell_is_exported_by_its_name(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    asked = [
        "export",
        study.name,
        "--cell",
        "line/plain d=2",
        "-o",
        "experiments.line.training.steps=7",
        "--replicates",
        "3",
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("line-plain-d=2.stablehlo: line/plain d=2, 3 replicates side by side, 7 steps of ")
    about = json.loads((study.parent / "line-plain-d=2.stablehlo" / "manifest.json").read_text("utf-8"))
    assert (about["steps"], about["replicates"], about["constants"]) == (7, [0, 1, 2], {"d": 2})


def test_a_program_that_mixes_weights_is_exported_for_one_replicate(study: Path, tmp_path: Path) -> None:
    asked = [
        "export",
        str(study),
        "--cell",
        "line/layerwise d=3",
        "--format",
        "saved_model",
        "--output",
        str(tmp_path / "deep" / "out"),
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "deep" / "out" / "manifest.json").read_text("utf-8"))["replicates"] == [0]

"""The options of `dlspec run`: one object, from the command line to the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..api.settings import ExecutorName, FailOn, Jit, RunSettings
from ..backend.devices import AUTO
from .options import AllowData, AsJson, Device, File, Only, Overrides, Profile, Runs


class LogForm(StrEnum):
    """How progress is told."""

    auto = "auto"
    json = "json"


@dataclass(frozen=True)
class RunOptions:
    """What `dlspec run` is given; each field is one option, its default and its help, in the order of `--help`."""

    file: File
    profile: Profile = None
    override: Overrides = None
    only: Only = None
    jobs: Annotated[
        int | None, typer.Option("-j", min=1, help="How many programs run at once; otherwise one per core, one on a GPU, on a cluster as many as fit.")
    ] = None  # fmt: skip
    executor: Annotated[
        ExecutorName, typer.Option(help="Where programs run: in this process, or on a Ray cluster.")
    ] = ExecutorName.local
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The Ray cluster; otherwise RAY_ADDRESS, or a new one on this machine for this run.",
        ),
    ] = None
    jit: Annotated[Jit, typer.Option(help="Forces XLA or the plain graph.")] = Jit.auto
    device: Device = AUTO
    runs: Runs = Path("runs")
    force: Annotated[bool, typer.Option("--force", help="Runs everything again, even what is stored.")] = False
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Keeps final weights in Keras' format.")] = False
    checkpoint: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="Saves training state at most every SECONDS, to resume from."),
    ] = 30.0
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Writes curves and figures for `tensorboard --logdir FOLDER`, as they come.")
    ] = False  # fmt: skip
    mlflow: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="Logs every replicate to MLflow: a server, or a store such as sqlite:///mlflow.db."
        ),
    ] = None
    log: Annotated[LogForm, typer.Option(help="`json`: progress as one JSON object per line, on stderr.")] = (
        LogForm.auto
    )
    fail_on: Annotated[
        FailOn,
        typer.Option(help="Which verdicts make the exit code 3: only `fails`, also `inconclusive`, also `seen`."),
    ] = FailOn.fails
    take: Annotated[
        list[Path] | None, typer.Option("--take", metavar="ARCHIVE", help="Unpacks what `dlspec pack` wrote, and continues from its results; may be repeated.")
    ] = None  # fmt: skip
    watch: Annotated[bool, typer.Option("--watch", help="Runs again whenever the file is saved, until Ctrl-C.")] = False
    as_json: AsJson = False
    allow_data: AllowData = False

    def settings(self) -> RunSettings:
        """What of them says how the study is run."""
        return RunSettings(**{item.name: getattr(self, item.name) for item in fields(RunSettings)})

    @property
    def study(self) -> Path:
        """The study's file, whose revision in git is noted."""
        return Path(self.file)

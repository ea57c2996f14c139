"""The file and options of a study on the command line, read into its plan; on errors the command ends."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar, get_type_hints

import typer
from dlspec import spec
from dlspec.spec.data_files.places import allow_outside

from ..backend.devices import Asked
from . import complete
from .problems_told import tell_problems

ERROR = 1
Options = TypeVar("Options")

File = Annotated[str, typer.Argument(metavar="FILE", help="A study.")]
Profile = Annotated[
    str | None,
    typer.Option("-p", "--profile", metavar="NAME", help="A profile of the study.", autocompletion=complete.profiles),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "-o", metavar="PATH=VALUE", help="Overrides one path; `training.batch=32,64` sweeps it. May be repeated."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="EXPERIMENT[/VARIANT]",
        help="Only this experiment or variant; may be repeated.",
        autocompletion=complete.parts,
    ),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Where runs and the store are kept.")]


def _device(text: str | Asked) -> Asked:
    """A device as an option's value; one that is none is a usage error."""
    try:
        return Asked.read(str(text))
    except spec.StudyError as error:
        raise typer.BadParameter(f"{error.problems[0].message}. {error.problems[0].hint}") from None


Device = Annotated[
    Asked,
    typer.Option(
        parser=_device, metavar="DEVICE", help="`cpu`, `gpu`, `gpu:N`, or `auto`: the first GPU where there is one."
    ),
]


def _allow(allowed: bool) -> bool:
    if allowed:
        allow_outside()
    return allowed


AllowData = Annotated[
    bool,
    typer.Option("--allow-data", callback=_allow, help="Data files may lie outside the study's folder."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Prints one JSON object.")]


def from_options(options: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Makes a command of a function of one object: the fields of its dataclass become the command's parameters."""
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[name]) for name, parameter in inspect.signature(options).parameters.items()
    ]

    def decorate(function: Callable[[Options], None]) -> Callable[..., None]:
        def command(**values: Any) -> None:
            function(options(**values))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def fail(error: spec.StudyError) -> NoReturn:
    """Prints what is wrong, and ends."""
    tell_problems(error.problems)
    count = len(error.problems)
    if count > 1:
        print(f"\n{count} errors.", file=sys.stderr)
    raise typer.Exit(ERROR)


def warn(problems: Any) -> None:
    """Prints warnings."""
    if problems:
        tell_problems(problems)


def resolved(file: str, profile: str | None, overrides: list[str] | None, only: list[str] | None) -> spec.StudyPlan:
    """The plan of a file, or the end with its errors."""
    from ..api.study import load

    try:
        plan = load(file).resolved(profile, overrides, only)
    except spec.StudyError as error:
        fail(error)
    warn(plan.warnings)
    return plan

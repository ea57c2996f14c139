"""What the shell completes after a word of the command: names that the study, the folder of runs or the language know.

Whatever goes wrong completes nothing: a shell shows no errors while a line is typed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

FIRST_KEY = '\nif [[ $funcstack[1] == _%(prog_name)s ]]; then %(complete_func)s "$@"; fi\n'
"""What Typer's script for zsh lacks: the first Tab of a shell loads it as a function, which says what completes and completes nothing itself."""

Names = Callable[[typer.Context], Iterable[str | tuple[str, str]]]


def at_the_first_key() -> None:
    """Has zsh complete at the first Tab, and not from the second on."""
    with suppress(ImportError, AttributeError, KeyError):
        from typer import _completion_shared as shared

        shared._completion_scripts["zsh"] += FIRST_KEY


def _complete(names: Names) -> Callable[[typer.Context, str], list[str | tuple[str, str]]]:
    """Completes from some names, with what each means where that is known."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
        with suppress(Exception):
            known = [(name, "") if isinstance(name, str) else name for name in names(ctx)]
            return [(name, text) if text else name for name, text in known if name.startswith(incomplete)]
        return []

    return complete


def _line() -> str:
    """The line as the shell gives it: an option that has no value yet keeps the command from reading what stands before it."""
    return os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")


def _study(ctx: typer.Context) -> Any:
    """The study whose file stands in the line."""
    from ..api.study import load

    files = (word for word in _line().split() if word.endswith((".yaml", ".yml")) and Path(word).is_file())
    return load(ctx.params.get("file") or next(files))


def _profiles(ctx: typer.Context) -> Iterable[str]:
    return tuple(_study(ctx).profiles)


def _parts(ctx: typer.Context) -> Iterable[str]:
    experiments = _study(ctx).document.study.experiments
    for name, model in experiments.items():
        yield name
        yield from (f"{name}/{variant}" for variant in model.variants)


def _cells(ctx: typer.Context) -> Iterable[str]:
    plan = _study(ctx).resolved(ctx.params.get("profile"))
    return [program.name for experiment in plan.experiments for program in experiment.programs]


def _runs(ctx: typer.Context) -> Iterable[tuple[str, str]]:
    from ..results.run_list import list_runs

    return [(run.name, f"{run.finished:%Y-%m-%d %H:%M} UTC") for run in list_runs(_root(ctx))]


def _root(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("root") or (ctx.parent.params.get("root") if ctx.parent else None) or "runs")


def _experiments(ctx: typer.Context) -> Iterable[str]:
    from ..results.run_list import list_runs

    words = [ctx.params["run"]] if ctx.params.get("run") else _line().split()
    runs = [run for run in list_runs(_root(ctx)) if any(run.name.startswith(Path(word).name) for word in words if word)]
    return dict.fromkeys(item["experiment"] for item in runs[0].read("cells.json"))


def _operations(ctx: typer.Context) -> Iterable[tuple[str, str]]:
    from dlspec.spec.model.reference_entries import entries

    return [(entry.name, entry.meaning) for entry in entries()]


def _cases(ctx: typer.Context) -> Iterable[tuple[str, str]]:
    from dlspec.spec.new_study import cases

    return [(case.name, case.title) for case in cases().values()]


profiles, parts, cells, runs = _complete(_profiles), _complete(_parts), _complete(_cells), _complete(_runs)
operations, cases, experiments = _complete(_operations), _complete(_cases), _complete(_experiments)

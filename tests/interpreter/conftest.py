"""What the interpreter's tests share: small studies from text to programs, and programs compiled in either form."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.executor import Job
from dlspec.interpreter.program import Compiled
from dlspec.interpreter.results import Cell
from dlspec.interpreter.train import train
from dlspec.interpreter.wanted import Wanted, pieces
from dlspec.spec.diagnostics import Source
from dlspec.spec.resolved import Program

HEAD = "dlspec: 1\nstudy: t\nexperiments:\n  e:\n"


class Silent:
    """A watcher that says nothing."""

    def started(self, job: Job, step: int) -> None: ...

    def compiling(self, job: Job) -> None: ...

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None: ...

    def finished(self, job: Job, cells: Sequence[Cell]) -> None: ...

    def warn(self, text: str) -> None: ...


def _programs(body: str) -> dict[str, Program]:
    text = HEAD + "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    plan = spec.resolve(spec.parse(Source("test.yaml", text)))
    return {program.variant: program for program in plan.experiments[0].programs}


@pytest.fixture(scope="session")
def programs() -> Callable[[str], dict[str, Program]]:
    """The programs, by variant, of one experiment `e`, given by its keys alone."""
    return _programs


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """The only program of an experiment `e`, given by its keys alone."""

    def made(body: str) -> Program:
        (found,) = _programs(body).values()
        return found

    return made


@pytest.fixture(scope="session")
def compiled(program: Callable[[str], Program]) -> Callable[..., Compiled]:
    """An experiment compiled for some replicates, as a plain graph unless `xla`."""

    def made(body: str, replicates: int = 1, xla: bool = False) -> Compiled:
        return Compiled(program(body), range(replicates), xla)

    return made


@pytest.fixture(scope="session")
def cells() -> Callable[..., list[Cell]]:
    """The cells of a program, run to its end."""

    def ran(program: Program, jit: str = "graph") -> list[Cell]:
        own = Wanted.of(program, "cpu")
        jobs = [Job(0, piece, jit) for piece in pieces(own, range(program.replicates))]
        return [cell for job in jobs for cell in train(job, Silent(), threading.Event())]

    return ran

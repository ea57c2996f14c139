"""What the small distribution `dlspec-check` has not got, said where it is asked for."""

from __future__ import annotations

from importlib.util import find_spec

from dlspec.spec.diagnostics.problems import Problem, StudyError


def needs_whole(what: str) -> None:
    """Raises StudyError where only `dlspec-check` is installed, which checks and compares studies; `what` is what is asked for."""
    if find_spec("dlspec.interpreter.schedule") is None:
        hint = "`pip install dlspec`, in an environment of its own, installs what runs studies."
        raise StudyError(Problem(f"{what} is not in dlspec-check, which only checks and compares studies", hint=hint))

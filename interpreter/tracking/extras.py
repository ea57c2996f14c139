"""A library of an extra that is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from dlspec.spec.diagnostics.problems import Problem, StudyError


class MissingExtra(StudyError):
    """What an option needs is not there."""


def needs(package: str, name: str, option: str) -> None:
    """Raises MissingExtra unless a package is installed; it has the name of its extra."""
    if find_spec(package) is None:
        raise MissingExtra(
            Problem(
                f"`{option}` needs {name}, which is not installed",
                hint=f"`pip install 'dlspec[{package}]'` installs it.",
            )
        )

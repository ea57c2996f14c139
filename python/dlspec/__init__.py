"""Specs of experiments on how deep learning fails: written down, run, judged, from Python.

    >>> import dlspec
    >>> study = dlspec.Study('''
    ... dlspec: 1
    ... study: mean
    ... experiments:
    ...   draws:
    ...     task: {example: {x: normal()}}
    ...     measures: {level: E(x)}
    ... ''')
    >>> study.validate()
    study.yaml: valid
    >>> study.plan().cells["cell"].tolist()
    ['draws']

`load` reads a study, `run` runs it and gives its results, `runs` and `open_run` find those that are kept, `diff` compares two studies.
The command line does the same through the same functions. docs/python.md leads through it.

Importing this loads nothing else: what a name needs is loaded when the name is used, and TensorFlow when something is trained.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.interpreter.api.study import Study as Study
    from dlspec.interpreter.api.study import load as load
    from dlspec.spec.diagnostics.problems import StudyError as StudyError

    __version__: str

PLACES = {
    "Study": "dlspec.interpreter.api.study",
    "StudyError": "dlspec.spec.diagnostics.problems",
    "load": "dlspec.interpreter.api.study",
}
"""Where each public name lives."""

__all__ = ["Study", "StudyError", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for."""
    if name == "__version__":
        from dlspec.interpreter.cli.distribution import dlspec_version

        value: Any = dlspec_version()
    elif name in PLACES:
        value = getattr(import_module(PLACES[name]), name)
    else:
        raise AttributeError(f"module 'dlspec' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, and the two halves that they are made of."""
    return sorted({*__all__, "interpreter", "spec"})

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

`load` reads a study, `run` runs it and gives its results, `runs` and `open_run` find those that are kept, `diff` compares two studies,
`compare` two runs, `merge` makes one study of two versions.
The command line does the same through the same functions. docs/python.md leads through it.

Importing this loads nothing else: what a name needs is loaded when the name is used, and TensorFlow when something is trained.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.interpreter.api.comparison import Diff as Diff
    from dlspec.interpreter.api.comparison import diff as diff
    from dlspec.interpreter.api.merging import Merge as Merge
    from dlspec.interpreter.api.merging import merge as merge
    from dlspec.interpreter.api.planning import Plan as Plan
    from dlspec.interpreter.api.run import Run as Run
    from dlspec.interpreter.api.run import open_run as open_run
    from dlspec.interpreter.api.run import runs as runs
    from dlspec.interpreter.api.run import unpack as unpack
    from dlspec.interpreter.api.run_comparison import Comparison as Comparison
    from dlspec.interpreter.api.run_comparison import compare as compare
    from dlspec.interpreter.api.start import run as run
    from dlspec.interpreter.api.study import Study as Study
    from dlspec.interpreter.api.study import StudyWarning as StudyWarning
    from dlspec.interpreter.api.study import load as load
    from dlspec.spec.diagnostics.problems import StudyError as StudyError

    __version__: str

PLACES = {
    "Comparison": "dlspec.interpreter.api.run_comparison",
    "Diff": "dlspec.interpreter.api.comparison",
    "Merge": "dlspec.interpreter.api.merging",
    "Plan": "dlspec.interpreter.api.planning",
    "Run": "dlspec.interpreter.api.run",
    "Study": "dlspec.interpreter.api.study",
    "StudyError": "dlspec.spec.diagnostics.problems",
    "StudyWarning": "dlspec.interpreter.api.study",
    "compare": "dlspec.interpreter.api.run_comparison",
    "diff": "dlspec.interpreter.api.comparison",
    "load": "dlspec.interpreter.api.study",
    "merge": "dlspec.interpreter.api.merging",
    "open_run": "dlspec.interpreter.api.run",
    "run": "dlspec.interpreter.api.start",
    "runs": "dlspec.interpreter.api.run",
    "unpack": "dlspec.interpreter.api.run",
}
"""Where each public name lives."""

WHOLE = frozenset({"Comparison", "Plan", "Run", "compare", "open_run", "run", "runs", "unpack"})
"""What the small distribution `dlspec-check` has not got."""

__all__ = [
    "Comparison", "Diff", "Merge", "Plan", "Run", "Study", "StudyError", "StudyWarning", "__version__", "compare", "diff", "load", "merge",
    "open_run", "run", "runs", "unpack",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for."""
    if name == "__version__":
        from dlspec.interpreter.results.distribution import dlspec_version

        value: Any = dlspec_version()
    elif name in PLACES:
        if name in WHOLE:
            from dlspec.interpreter.api.distributions import needs_whole

            needs_whole(name)
        value = getattr(import_module(PLACES[name]), name)
    else:
        raise AttributeError(f"module 'dlspec' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, and the two halves that they are made of."""
    return sorted({*__all__, "interpreter", "spec"})

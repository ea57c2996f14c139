"""A study: its text, what is wrong with it, its plan, its run."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError
from dlspec.spec.passes.registration import registered

from . import overrides as given
from .distributions import needs_whole
from .overrides import Overrides
from .validation import Problems, problems_of

if TYPE_CHECKING:
    from .exporting import Exported
    from .planning import Plan
    from .registering import Registration

NAME = "study.yaml"


class StudyWarning(UserWarning):
    """What whoever wrote or runs a study should know; nothing stops at it."""


def warn(text: str) -> None:
    """Says it as Python does, at the line of the caller's own code."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dlspec."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, StudyWarning, stacklevel=level)


class Study:
    """A study as its text says it; nothing of it is checked before it is asked for.

    Args:
        text: The study, as YAML.
        name: What messages call it: `NAME:LINE:COLUMN`.

    >>> study = Study("dlspec: 1\\nstudy: s\\nexperiments: {e: {measures: {m: q + 1}}}\\n", "s.yaml")
    >>> [(problem.line, problem.column, problem.message) for problem in study.validate()]
    [(3, 33, "unknown name 'q'")]
    """

    def __init__(self, text: str, name: str = NAME) -> None:
        self.source = Source(name, text)
        self.path: Path | None = None

    @classmethod
    def of(cls, source: Source) -> Study:
        """The study of a text that was read, whose data files may lie in another folder."""
        study = cls(source.text, source.name)
        study.source = source
        return study

    @property
    def text(self) -> str:
        """The study, as YAML."""
        return self.source.text

    @cached_property
    def document(self) -> spec.Document:
        """The study, read and checked key by key. Raises StudyError with every problem that was found."""
        return spec.parse(self.source)

    @property
    def name(self) -> str:
        """What the study is called: runs are stored under it. Raises StudyError where it cannot be read."""
        return str(self.document.study.study)

    @property
    def title(self) -> str:
        """Its title, or its name where it has none. Raises StudyError."""
        return self.document.study.title or self.name

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that it can be run in. Raises StudyError."""
        return tuple(self.document.study.profiles)

    @property
    def experiments(self) -> tuple[str, ...]:
        """Its experiments. Raises StudyError."""
        return tuple(self.document.study.experiments)

    @property
    def digest(self) -> str:
        """The digest of what it claims and of what is trained and measured for that, as `dlspec register` writes it; without a profile.

        Titles, comments and figures are not in it. Raises StudyError.
        """
        return str(registered(self.resolved())["digest"])

    @property
    def citation(self) -> str:
        """A line that it can be cited by: its title, the paper that it is after, its digest, the version of dlspec. Raises StudyError."""
        from ..results.distribution import dlspec_version
        from .citation import study_line

        return study_line(self.document, self.resolved(), dlspec_version())

    def validate(self) -> Problems:
        """Checks it in all its profiles, without running anything.

        Returns: Its problems, none where all is well; each has `file`, `line`, `column` (both from 1), `message`, `remedy`, `severity`.
        """
        return problems_of(self.source)

    def resolved(
        self, profile: str | None = None, overrides: Overrides = None, only: Sequence[str] | str | None = None
    ) -> spec.StudyPlan:
        """The resolved study: each cell with its typed terms. Raises StudyError."""
        chosen = [only] if isinstance(only, str) else only or ()
        return spec.resolve(self.document, profile, given.read(overrides), chosen)

    def plan(
        self, profile: str | None = None, overrides: Overrides = None, only: Sequence[str] | str | None = None, *,
        device: str = "cpu", memory: float | None = None, runs: str | os.PathLike[str] = "runs",
    ) -> Plan:  # fmt: skip
        """What a run would take, and what of it is stored already. Nothing is trained, and TensorFlow is not loaded.

        Args:
            profile: One of `profiles`.
            overrides: Values by path, `{"training.steps": 100}`, or texts `path=value`.
            only: `"EXPERIMENT"` or `"EXPERIMENT/VARIANT"`, or several.
            device: `cpu` or `gpu`: what it would run on.
            memory: How many GiB there are; otherwise what is free here.
            runs: The folder whose store is looked at.

        Returns: The plan; its `cells` are a DataFrame.

        Raises StudyError where the study is not valid, or has no such profile, path or experiment.
        """
        needs_whole("plan")
        from .planning import planned

        resolved = self.resolved(profile, overrides, only)
        warn_of(resolved.warnings)
        return planned(resolved, Path(runs), device, memory, warn)

    def register(
        self, profile: str | None = None, *, runs: str | os.PathLike[str] = "runs", replace: bool = False
    ) -> Registration:
        """Writes what it claims, and on which design, into a file beside its own, before it is run: later runs say whether that is still the same.

        Args:
            profile: One of `profiles`.
            runs: The folder of runs; how many judged it already is noted.
            replace: Whether what is registered already is registered anew.

        Returns: The file, and what is in it. Raises StudyError where the study is not valid, has no file, or is registered already.
        """
        needs_whole("register")
        from .registering import registered as write

        if self.path is None:
            hint = "`dlspec.load(path)` gives one that has: the registration is written beside it."
            raise StudyError(Problem(f"{self.source.name}: the study has no file", hint=hint))
        return write(self.path, self.resolved(profile), Path(runs), replace)

    def export(
        self, cell: str | None = None, folder: str | os.PathLike[str] | None = None, *, format: str = "stablehlo",
        replicates: int | None = None, device: str = "auto", profile: str | None = None, overrides: Overrides = None,
    ) -> Exported:  # fmt: skip
        """Writes the compiled training program of a cell with its inputs into a folder, to be run elsewhere (docs/export.md). Loads TensorFlow.

        Args:
            cell: The cell's name, as in `plan().cells["cell"]`; not needed where there is one.
            folder: A new folder; otherwise one named for the cell.
            format: `stablehlo` or `saved_model`.
            replicates: How many lie side by side; otherwise all of the cell.
            device: `auto`, `cpu`, `gpu` or `gpu:N`.
            profile: One of `profiles`.
            overrides: Values by path, or texts `path=value`.

        Returns: The folder, and its manifest. Raises StudyError where the study is not valid, has no such cell, or the folder is there already.
        """
        needs_whole("export")
        from ..backend.devices import Asked
        from .choices import choice
        from .exporting import Format, exported

        if replicates is not None and replicates < 1:
            raise StudyError(Problem(f"replicates is {replicates}", hint="At least one is exported."))
        form, place = choice(Format, "format", format), Path(folder) if folder is not None else None
        return exported(
            self.resolved(profile, overrides), cell, place, form, replicates, Asked.read(device), owns_process=False
        )

    def __repr__(self) -> str:
        return f"Study({self.source.name!r})"

    def _repr_html_(self) -> str:
        from . import html

        try:
            model = self.document.study
        except spec.StudyError as error:
            return Problems(self.source.name, error.problems)._repr_html_()
        lines = [html.paragraph(html.bold(self.title), html.code(self.source.name))]
        if model.about:
            lines.append(html.paragraph(model.about.strip()))
        rows = [
            (html.code(name), (one.about or "").strip(), *(len(getattr(one, part, None) or ()) for part in PARTS))
            for name, one in model.experiments.items()
        ]
        lines.append(html.table(("experiment", "about", *PARTS), rows, numbers=2))
        if model.profiles:
            lines.append(html.paragraph("Profiles:", *map(html.code, model.profiles)))
        return "".join(lines)


PARTS = ("variants", "measures", "claims")
"""What of an experiment is counted where a study is shown."""


def warn_of(problems: Sequence[Problem]) -> None:
    """Says what a valid study is warned of."""
    for problem in problems:
        warn(str(problem).replace("warning: ", "", 1))


def load(path: str | os.PathLike[str]) -> Study:
    """A study from its file. It is read and not checked: `Study.validate` says what is wrong with it.

    Args:
        path: A YAML file.

    Raises StudyError where the file cannot be read.

    >>> study = load("examples/flat.yaml")
    >>> study.name, study.profiles, study.validate().valid
    ('flat', ('quick',), True)
    """
    source = spec.read(os.fspath(path))
    study = Study(source.text, source.name)
    study.path = Path(path)
    return study

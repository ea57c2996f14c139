"""`dlspec.merge`: two versions of a study that come from one, merged by meaning."""

from __future__ import annotations

import os

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source

from . import html
from .diff_inputs import Side, read
from .merged_versions import BYTE_ORDER_MARK, MergedVersions, merged_versions
from .study import Study
from .validation import Problems

Given = Study | str | os.PathLike[str]


class Merge:
    """Three versions merged into one. Printed, it says what came of it; true where all is decided and valid."""

    def __init__(self, merged: MergedVersions) -> None:
        self.merged = merged

    @property
    def text(self) -> str:
        """The merged study, in ours' layout; a conflict is marked with `!conflict`."""
        return self.merged.text

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The paths that both sides changed, each in its own way."""
        return self.merged.conflicts

    @property
    def doubts(self) -> tuple[str, ...]:
        """What was decided, and may mean something else now, in words."""
        return self.merged.doubts

    @property
    def study(self) -> Study:
        """The merged study."""
        return Study(self.text.removeprefix(BYTE_ORDER_MARK), self.merged.name)

    @property
    def problems(self) -> Problems:
        """What is wrong with the merged study; a conflict is an error of it."""
        return Problems(self.merged.name, self.merged.review.problems)

    @property
    def clean(self) -> bool:
        """Whether both changes are in it, nothing is in doubt, and it is valid: what `dlspec merge` exits with 0 for."""
        return not (self.conflicts or self.doubts or self.merged.review.problems)

    def __bool__(self) -> bool:
        return self.clean

    def lines(self) -> list[str]:
        """What came of it, a sentence a line."""
        if self.conflicts:
            many = len(self.conflicts) > 1
            paths = [f"conflict at `{path}`" for path in self.conflicts]
            count = (
                f"{len(self.conflicts)} conflict{'s' * many} to be resolved, {'each ' * many}marked with `!conflict`"
            )
            return [*self.doubts, *paths, count]
        return [*self.doubts, self.merged.review.note]

    def __repr__(self) -> str:
        return f"Merge({self.merged.name!r}: {self.lines()[-1]})"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return "".join([*map(html.paragraph, self.lines()), html.block(self.text)])


def merge(base: Given | None, ours: Given, theirs: Given) -> Merge:
    """Merges two versions of a study by meaning, as `dlspec merge` does. Nothing is written.

    Args:
        base: The version that both come from: a study, a file, or `REV:path` of git. None: both sides added the study.
        ours: The version whose layout is kept.
        theirs: The other one.

    Returns: The merge: its `text`, what could not be decided, and whether it is valid. Raises StudyError for a version that cannot be read as a study.

    >>> text = "dlspec: 1\\nstudy: s\\nexperiments: {e: {constants: {d: 2, k: 1}, measures: {m: d + k}}}\\n"
    >>> done = merge(*(Study(text.replace(*change)) for change in (("", ""), ("d: 2", "d: 3"), ("k: 1", "k: 5"))))
    >>> print(done)
    merged; against the common base: constant `d` 2 → 3 and constant `k` 1 → 5
    >>> done.clean, done.study.validate().valid, "d: 3, k: 5" in done.text
    (True, True, True)
    """
    sources = [Source("nothing", "") if side is None else read(_side(side)) for side in (base, ours, theirs)]
    from dlspec.spec.merge import Unmergeable

    try:
        return Merge(merged_versions(sources[1].name, (sources[0].text, sources[1].text, sources[2].text)))
    except Unmergeable as error:
        hint = "Correct that version, or merge by hand."
        raise spec.StudyError(Problem(f"{sources[1].name}: not merged by meaning: {error}", hint=hint)) from None


def _side(side: Given) -> Side:
    return side.source if isinstance(side, Study) else os.fspath(side)

"""`dlspec.diff`: what changes between two studies, by meaning."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlspec.spec.diff import StudyDiff
from dlspec.spec.diff.changes import Edit
from dlspec.spec.diff.json_form import data
from dlspec.spec.diff.markdown import markdown
from dlspec.spec.diff.sections import Line, PastResults, consequences, sections, warned

from . import html
from .diff_inputs import Side
from .diff_studies import Compared, compared
from .study import Study, warn

Given = Study | str | os.PathLike[str]


class Diff:
    """What changes between two studies. Printed, it is what `dlspec diff` prints; true where something changes by meaning."""

    def __init__(self, compared: Compared) -> None:
        self.compared = compared

    @property
    def same(self) -> bool:
        """Whether nothing changes by meaning."""
        return self.compared.same

    def __bool__(self) -> bool:
        return not self.same

    @property
    def headline(self) -> str:
        """The change in a sentence; of several studies one a line, under their names."""
        diffs = self.compared.diffs
        return "\n".join(f"{name}: {item.headline}" if len(diffs) > 1 else item.headline for name, item in diffs)

    def data(self) -> dict[str, Any]:
        """Plain data: what `dlspec diff --json` prints: changes, warnings, cells and what they cost."""
        return data(self.compared.diffs, self.compared.past)

    def markdown(self) -> str:
        """It as GitHub's Markdown."""
        return markdown(self.compared.diffs, self.compared.past)

    def __repr__(self) -> str:
        return f"Diff({self.headline!r})"

    def __str__(self) -> str:
        if find_spec("rich") is None:  # with dlspec-check
            return self.markdown().rstrip("\n")
        from .diff_text import print_diffs

        stream = io.StringIO()
        print_diffs(self.compared.diffs, self.compared.past, stream)
        return stream.getvalue().rstrip("\n")

    def _repr_html_(self) -> str:
        several = len(self.compared.diffs) > 1
        return "".join(
            part
            for name, item in self.compared.diffs
            for part in _parts(name if several else "", item, self.compared.past)
        )


def diff(before: Given, after: Given, *, runs: str | os.PathLike[str] = "runs") -> Diff:
    """Compares two studies by meaning.

    Args:
        before: A study, a file, `REV:path` of git, or a directory of studies.
        after: Another.
        runs: Where runs lie: what they gave stands beside the change.

    Returns: What changes. Raises StudyError where a side is not valid or cannot be read.

    >>> text = "dlspec: 1\\nstudy: s\\nexperiments: {e: {constants: {d: 2}, measures: {m: d + 1}}}\\n"
    >>> print(diff(Study(text), Study(text.replace("d: 2", "d: 3"))).headline)
    constant `d`, 2 → 3
    >>> diff(Study(text), Study(text + "# a comment\\n")).same
    True
    """
    return Diff(compared(_side(before), _side(after), Path(runs), warn))


def _side(side: Given) -> Side:
    return side.source if isinstance(side, Study) else os.fspath(side)


def _parts(name: str, item: StudyDiff, past: PastResults) -> Iterator[str]:
    """A study's difference: the headline, warnings, the changes by class, the cells, and what runs gave."""
    if name:
        yield html.paragraph(html.code(name))
    yield html.paragraph(html.bold(item.headline))
    yield from (html.paragraph(f"⚠ {text}") for text in warned(item))
    for title, lines in sections(item):
        rows = [(html.code(line.path), _edits(line), line.note) for line in lines]
        yield html.table((title, "", ""), rows)
    if item.cells or item.profiles:
        yield from (html.paragraph(text, muted=True) for text in consequences(item))
    finals = [(cell, measure, *pair) for cell, own in past.finals.items() for measure, pair in own.items()]
    if finals:
        yield html.table(("stored results", "measure", "before", "after"), finals)
    if past.verdicts:
        yield html.table(
            ("stored verdicts", "before", "after"), [(claim, *pair) for claim, pair in past.verdicts.items()]
        )


TAGS = {"same": "span", "removed": "del", "added": "ins"}


def _edits(line: Line) -> html.Html:
    """The stretches of a change, with what was removed and added."""
    return html.Html("".join(map(_edit, line.edits)))


def _edit(edit: Edit) -> str:
    tag = TAGS[edit.kind]
    return f"<{tag}><code>{html.text(edit.text)}</code></{tag}>"

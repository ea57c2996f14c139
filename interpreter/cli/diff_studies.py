"""Two sides of `dlspec diff`, read and compared: two studies, or the studies of two directories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlspec import spec
from dlspec.interpreter.cli.diff_inputs import two
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.changes import Change, Texts, Warned
from dlspec.spec.diff.sections import PastResults
from dlspec.spec.diff.study import SideError
from dlspec.spec.resolve.document import Document


@dataclass(frozen=True)
class Compared:
    """The differences of all studies that are not the same throughout, and what is stored of them."""

    diffs: list[tuple[str, StudyDiff]]
    past: PastResults

    @property
    def same(self) -> bool:
        """Whether nothing differs by meaning."""
        return all(item.same for _, item in self.diffs)


def compared(before: str, after: str, runs: Path, warn: Callable[[str], None] = lambda text: None) -> Compared:
    """Reads and compares; `warn` is told of runs that cannot be read. Raises SpecError; a SideError where it is known which side is to blame."""
    diffs: list[tuple[str, StudyDiff]] = []
    past = PastResults()
    for pair in two(before, after):
        if pair.before is None or pair.after is None:
            diffs.append((pair.name, alone(pair.name, pair.before, pair.after)))
            continue
        if pair.name and pair.before.text == pair.after.text:
            continue
        documents = parsed_sides(pair.before, pair.after)
        found = compare(*documents)
        if pair.name and found.same and not found.changes:
            continue
        diffs.append((pair.name or after, found))
        if not pair.name and runs.is_dir():
            from .diff_past_results import past_results

            past = past_results(runs, *documents, found, warn)
    return Compared(diffs, past)


def parsed_sides(before: Source, after: Source) -> tuple[Document, Document]:
    """Both sides, to compare. Raises SideError."""
    return _parsed(before, "before"), _parsed(after, "after")


def _parsed(source: Source, side: str) -> Document:
    try:
        return spec.parse(source)
    except spec.SpecError as error:
        raise SideError(side, error.problems) from None


def alone(name: str, before: Source | None, after: Source | None) -> StudyDiff:
    """A study that is on one side only; of one that was removed each claim is. Raises SideError if it is not valid."""
    action, side = ("added", "after") if before is None else ("removed", "before")
    known = after if after is not None else before
    assert known is not None
    document = _parsed(known, side)
    try:
        plan = spec.resolve(document)
    except spec.SpecError as error:
        raise SideError(side, error.problems) from None
    texts: Texts = (None, name) if before is None else (name, None)
    change = Change("", ("study",), action, *texts, ("text",), scope="file")
    names = [source.name if source else "nothing" for source in (before, after)]
    gone = plan.experiments if before is not None else ()
    warnings = [Warned(e.name, c.name, f"removed with its study: {c.says}") for e in gone for c in e.claims]
    return StudyDiff(names[0], names[1], f"study {action}", (change,), (), tuple(warnings))

"""Two sides of a diff, read and compared: two studies, or the studies of two directories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dlspec import spec
from dlspec.interpreter.api.diff_inputs import Side, Two, two
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.changes import Change, Texts
from dlspec.spec.diff.claims import gone as claim_gone
from dlspec.spec.diff.headline import with_headline
from dlspec.spec.diff.moves import Moves, moved_change, moves, renamed_files, to_run, with_cells_of_other_files
from dlspec.spec.diff.sections import PastResults
from dlspec.spec.diff.study import SideError
from dlspec.spec.resolve.document import Document

NEUTRAL = "no result depends on this name"


@dataclass(frozen=True)
class Compared:
    """The differences of all studies that are not the same throughout, and what is stored of them."""

    diffs: list[tuple[str, StudyDiff]]
    past: PastResults

    @property
    def same(self) -> bool:
        """Whether nothing differs by meaning."""
        return all(item.same for _, item in self.diffs)


def compared(before: Side, after: Side, runs: Path, warn: Callable[[str], None] = lambda text: None) -> Compared:
    """Reads and compares; `warn` is told of runs that cannot be read. Raises StudyError; a SideError where it is known which side is to blame."""
    pairs = two(before, after)
    if any(pair.name for pair in pairs):
        return Compared(list(compared_files(pairs)), PastResults())
    if not pairs:
        return Compared([], PastResults())
    (pair,) = pairs
    assert pair.before is not None and pair.after is not None
    documents = parsed_sides(pair.before, pair.after)
    found = compare(*documents)
    past = PastResults()
    if runs.is_dir():
        from .diff_past_results import past_results

        past = past_results(runs, *documents, found, warn)
    return Compared([(after if isinstance(after, str) else after.name, found)], past)


def compared_files(pairs: Iterable[Two]) -> Iterator[tuple[str, StudyDiff]]:
    """The differences of studies in two directories, by what each file is called now, or was where it went. Raises SideError."""
    apart = [pair for pair in pairs if not _equal(pair)]
    files = {pair.name: (_side(pair, "before"), _side(pair, "after")) for pair in apart}
    gone = {name: old for name, (old, new) in files.items() if old is not None and new is None}
    fresh = {name: new for name, (old, new) in files.items() if new is not None and old is None}
    renamed = renamed_files(gone, fresh)
    for old_name, name in renamed.items():
        del files[old_name]
        files[name] = gone[old_name], fresh[name]
    was = {name: old_name for old_name, name in renamed.items()}
    went = moves(files)
    diffs: dict[str, StudyDiff] = {}
    for name, (old, new) in sorted(files.items()):
        found = _compared_file(name, old, new, went.get(name, Moves()))
        if name in was:
            change = Change("", ("file",), "renamed", was[name], name, ("text",), scope="file", note=NEUTRAL)
            found = with_headline(replace(found, changes=(change, *found.changes)))
        if found.changes or not found.same:
            diffs[name] = found
    wanted = to_run(diffs)
    same = [pair for pair in pairs if _equal(pair) and pair.before and any(name in pair.before.text for name in wanted)]
    yield from with_cells_of_other_files(diffs, dict(_valid(same))).items()


def _compared_file(name: str, old: Document | None, new: Document | None, moved: Moves) -> StudyDiff:
    """A study that stands in a directory on both sides, or on one of them alone."""
    if old is not None and new is not None:
        return compare(old, new, moved)
    study_diff = alone(name, old.source if old else None, new.source if new else None)
    if new is not None and moved.arrivals:
        own = compare(replace(new, experiments={}), new, moved)
        return replace(
            own, changes=(*study_diff.changes, *own.changes), headline=f"{study_diff.headline}; {own.headline}"
        )
    if moved.departures:
        changes = [moved_change(name, f"moved to `{file}`") for name, file in moved.departures.items()]
        study_diff = replace(study_diff, changes=(*study_diff.changes, *changes))
        study_diff = replace(
            study_diff, warnings=tuple(item for item in study_diff.warnings if item.experiment not in moved.departures)
        )
        says = [f"experiment `{change.path[-1]}` {change.note}" for change in changes]
        return replace(study_diff, headline="; ".join([study_diff.headline, *says]))
    return study_diff


def _equal(pair: Two) -> bool:
    return pair.before is not None and pair.after is not None and pair.before.text == pair.after.text


def _valid(pairs: Iterable[Two]) -> Iterator[tuple[str, Document]]:
    """Those of some studies that are valid: of the others nothing is known."""
    for pair in pairs:
        try:
            document = spec.parse(pair.before) if pair.before else None
            if document is not None:
                spec.resolve(document)
                yield pair.name, document
        except spec.StudyError:
            continue


def _side(pair: Two, side: str) -> Document | None:
    """A study on one side of a directory."""
    source: Source | None = getattr(pair, side)
    return None if source is None else _parsed(source, side)


def parsed_sides(before: Source, after: Source) -> tuple[Document, Document]:
    """Both sides, to compare. Raises SideError."""
    return _parsed(before, "before"), _parsed(after, "after")


def _parsed(source: Source, side: str) -> Document:
    try:
        return spec.parse(source)
    except spec.StudyError as error:
        raise SideError(side, error.problems) from None


def alone(name: str, before: Source | None, after: Source | None) -> StudyDiff:
    """A study that is on one side only; of one that was removed each claim is. Raises SideError if it is not valid."""
    action, side = ("added", "after") if before is None else ("removed", "before")
    known = after if after is not None else before
    assert known is not None
    document = _parsed(known, side)
    try:
        plan = spec.resolve(document)
    except spec.StudyError as error:
        raise SideError(side, error.problems) from None
    texts: Texts = (None, name) if before is None else (name, None)
    change = Change("", ("study",), action, *texts, ("text",), scope="file")
    names = [source.name if source else "nothing" for source in (before, after)]
    gone = plan.experiments if before is not None else ()
    warnings = [claim_gone(item.name, claim, "its study") for item in gone for claim in item.claims]
    return StudyDiff(names[0], names[1], f"study {action}", (change,), (), tuple(warnings))

"""Studies of two directories: files under another name, and experiments that went from one file to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..resolve.document import Document
from ..resolve.resolve import resolve
from ..source import nodes as yaml
from .cells import cells_of
from .changes import CellSide, Change, StudyDiff
from .known_cells import older_cells, with_known_cells
from .likeness import Parts, assigned, written_parts
from .settings import side


@dataclass(frozen=True)
class Origin:
    """Where an experiment was before: in which file, in which study, under which name."""

    file: str
    document: Document
    name: str


@dataclass(frozen=True)
class Moves:
    """The experiments of one file that came from others or went there."""

    arrivals: Mapping[str, Origin] = field(default_factory=dict)
    """By their new names."""
    departures: Mapping[str, str] = field(default_factory=dict)
    """Old name to the file that it is in now."""


Files = Mapping[str, tuple[Document | None, Document | None]]
"""Studies on both sides, by what a file is called now, or was where it went."""


def renamed_files(gone: Mapping[str, Document], fresh: Mapping[str, Document]) -> dict[str, str]:
    """Old name of a file to new, by what stays most alike in them."""
    if not gone or not fresh:
        return {}
    return assigned(
        *({name: written_parts(yaml.data(item.top)) for name, item in own.items()} for own in (gone, fresh))
    )


def moves(files: Files) -> dict[str, Moves]:
    """The experiments that are in another file now, by file. Where a file has something as like it, that is what it was."""
    lost: dict[tuple[str, str], Parts] = {}
    gained: dict[tuple[str, str], Parts] = {}
    for file, (before, after) in files.items():
        old, new = (item.experiments if item else {} for item in (before, after))
        lost |= {(file, name): _parts(name, node) for name, node in old.items() if name not in new}
        gained |= {(file, name): _parts(name, node) for name, node in new.items() if name not in old}
    by_file: dict[str, Moves] = {}
    for (file, old_name), (now, name) in assigned(lost, gained).items():
        document = files[file][0]
        if file == now or document is None:
            continue
        there = by_file.get(now, Moves())
        by_file[now] = replace(there, arrivals={**there.arrivals, name: Origin(file, document, old_name)})
        here = by_file.get(file, Moves())
        by_file[file] = replace(here, departures={**here.departures, old_name: now})
    return by_file


def moved_change(name: str, note: str) -> Change:
    """An experiment that is in another file; `note` says in which, or from which it came."""
    return Change("", ("experiments", name), "moved", name, name, ("text",), note=note, scope="experiment")


def to_run(diffs: Mapping[str, StudyDiff]) -> set[str]:
    """The names of experiments of which cells must run. They are part of digests: others cannot have the same."""
    every = (cell for diff in diffs.values() for cell in diff.cells)
    return {cell.experiment for cell in every if cell.status in ("again", "new")}


def with_cells_of_other_files(diffs: Mapping[str, StudyDiff], equal: Mapping[str, Document]) -> dict[str, StudyDiff]:
    """Differences of files, with the cells that are known from other files of the older side.

    Args:
        diffs: By file.
        equal: Studies that are the same on both sides, by file.
    """
    wanted = to_run(diffs)
    known = [(f"{name} in {file}", side) for file, diff in diffs.items() for name, side in older_cells(diff)]
    for file, document in equal.items():
        if names := [name for name in document.experiments if name in wanted]:
            known += [(f"{name} in {file}", side) for name, side in _cells(document, names)]
    return {file: with_known_cells(diff, known) for file, diff in diffs.items()} if wanted else dict(diffs)


def _cells(document: Document, names: Iterable[str]) -> Iterable[tuple[str, CellSide]]:
    """The cells of some experiments of a study."""
    for plan in resolve(document, None, (), list(names)).experiments:
        experiment = side(plan, document.study.layer_defaults)
        for cell in cells_of(experiment, older=True):
            assert cell.before is not None
            yield cell.name, cell.before


def _parts(name: str, node: yaml.Node) -> Parts:
    return written_parts(yaml.data(node)) + Counter([("name", name)])

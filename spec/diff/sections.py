"""A diff as sections of lines without markup, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..diagnostics.problems import listing
from .changes import CLASSES, Cell, Change, Edit, StudyDiff

SHORT = 300
"""Longer values are cut where they stand alone; in JSON they are whole."""
COLUMNS = ("cell", "networks", "parameters", "FLOPs a step", "steps", "total FLOPs")


@dataclass(frozen=True)
class Line:
    """One change: its path, its text with what was removed and added, and a note."""

    path: str
    edits: tuple[Edit, ...]
    note: str = ""


@dataclass(frozen=True)
class PastResults:
    """Stored results of the cells in a diff, before and after: finals by cell and measure, and verdicts by claim.

    `numbers` says what the finals' numbers are.
    """

    finals: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    verdicts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    numbers: str = ""


def sections(diff: StudyDiff) -> list[tuple[str, list[Line]]]:
    """The changes by class, names that were written otherwise last. A change of several classes stands under the first."""
    found: dict[str, list[Line]] = {}
    several = len({change.experiment for change in diff.changes if change.experiment}) > 1 or len(diff.unchanged) > 0
    for change in diff.changes:
        title = "names" if change.action == "renamed" else change.classes[0]
        if change.scope in ("experiment", "profile", "variant", "sweep", "zip") and change.action != "renamed":
            title = "cells" if change.scope != "profile" else "profiles"
        found.setdefault(title, []).extend(_lines(change, several))
    order = ["cells", *CLASSES, "profiles", "names"]
    return [(title, found[title]) for title in order if title in found]


def _lines(change: Change, several: bool) -> list[Line]:
    path = ".".join([*([change.experiment] if change.experiment and several else []), *change.path])
    words = [change.note]
    if len(change.classes) > 1 and not change.scope:
        words.insert(0, f"reaches {listing(change.classes)}")
    if change.where.variants:
        words.insert(0, f"in {listing(change.where.variants, 6)}")
    if change.where.profiles:
        words.insert(0, f"in profile {listing(change.where.profiles)}")
    note = "; ".join(word for word in words if word)
    lines = [Line(path, _edits(change), note)]
    for part in change.parts:
        lines.append(Line("  " + ".".join(part.path), _edits(part), part.note))
    return lines


def _edits(change: Change) -> tuple[Edit, ...]:
    """The change itself: inside its expression, or what stood there and what stands there now."""
    if change.scope and change.scope not in ("sweep", "zip") and change.action != "renamed":
        if change.action == "moved":
            return ()
        return (Edit("added" if change.action == "added" else "removed", change.action),)
    if change.edits:
        return change.edits
    before, after = _cut(change.before), _cut(change.after)
    if before is None and after is None:
        return ()
    if before is None or after is None:
        return (Edit("added", after or ""),) if before is None else (Edit("removed", before),)
    return (Edit("removed", before), Edit("same", " → "), Edit("added", after))


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    text = " ".join(text.split())
    return text if len(text) <= SHORT else text[:SHORT] + "…"


# -- consequences ------------------------------------------------------------------------------------------------------


def consequences(diff: StudyDiff) -> list[str]:
    """What becomes of the cells, in sentences."""
    by_status: dict[str, list[Cell]] = {}
    for cell in diff.cells:
        by_status.setdefault(cell.status, []).append(cell)
    unchanged = sum(diff.unchanged.values())
    total = len(diff.cells) + unchanged - len(by_status.get("gone", []))
    kept = len(by_status.get("same", [])) + unchanged
    sentences = []
    if total:
        many = "all" if kept == total else "none" if not kept else str(kept)
        sentences.append(f"{many} of {total} cells keep{'s' if kept == 1 else ''} {'its' if kept == 1 else 'their'} digest: stored results stay valid" if kept
                     else f"none of {total} cells keeps its digest")  # fmt: skip
    for status, text in (("again", "must run again"), ("new", "new, to run"), ("gone", "gone")):
        if status in by_status:
            sentences.append(f"{text}: {_names(by_status[status])}")
    if "known" in by_status:
        sentences.append(f"known from another cell, stored results stay valid: {_known(by_status['known'])}")
    if "steps" in by_status:
        sentences.append(f"the same training, to run again for more steps or more shown: {_names(by_status['steps'])}")
    measured: dict[tuple[str, ...], list[Cell]] = {}
    for cell in by_status.get("measures", []):
        measured.setdefault(cell.measures, []).append(cell)
    for names, own in measured.items():
        lead = "the same training, but " if any(cell.after and cell.after.steps for cell in own) else ""
        sentences.append(f"{lead}{listing(names)} to be measured again: {_names(own)}")
    replicas = {(c.before.replicates, c.after.replicates) for c in diff.cells if c.before and c.after}
    sentences += [f"replicates {old} → {new}" for old, new in sorted(replicas) if old != new]
    sides = [(cell.before.total if cell.before else 0, cell.after.total if cell.after else 0) for cell in diff.cells]
    before, after = (sum(side[which] for side in sides) for which in (0, 1))
    if before != after:
        sentences.append(
            f"training costs {flops(before)} → {flops(after)} in all"
            + (f" ({after / before:.3g} times)" if before and after else "")
        )
    return sentences


def _known(cells: Sequence[Cell]) -> str:
    return listing((f"{cell.name} (was {cell.known_as})" for cell in cells), 8)


def _names(cells: Sequence[Cell]) -> str:
    return listing((cell.name for cell in cells), 8)


def cost_rows(diff: StudyDiff) -> list[tuple[str, ...]]:
    """A row for each kind of cell that does not keep its digest; cells with the same numbers share one."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for cell in diff.cells:
        if cell.status in ("again", "new", "gone"):
            rows.setdefault(_costs(cell), []).append(cell)
    return [(listing((cell.name for cell in own), 2), *row) for row, own in rows.items()]


def _costs(cell: Cell) -> tuple[str, ...]:
    sides = (cell.before, cell.after)
    networks = [
        ", ".join(f"{name} {shape}" for name, shape in side.networks.items()) if side else "–" for side in sides
    ]
    numbers = [
        (f"{side.cost.parameters:,}", flops(side.cost.step), f"{side.steps:,}", flops(side.total))
        if side
        else ("–",) * 4
        for side in sides
    ]
    return tuple(
        _moved(old, new) for old, new in zip((networks[0], *numbers[0]), (networks[1], *numbers[1]), strict=True)
    )


def _moved(before: str, after: str) -> str:
    return before if before == after else after if before == "–" else before if after == "–" else f"{before} ⇒ {after}"


def flops(count: float) -> str:
    """Operations in three digits.

    >>> flops(1234567), flops(0)
    ('1.23 M', '0')
    """
    for size, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g}"


def warned(diff: StudyDiff) -> Iterable[str]:
    """The warnings, a line each."""
    return [f"{item.experiment}.{item.claim}: {item.message}" for item in diff.warnings]

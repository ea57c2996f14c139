"""A diff as sections of lines without markup, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..diagnostics.problems import listing
from ..passes.flops_text import flops
from .cell_names import cell_names
from .changes import CLASSES, Cell, Change, Edit, StudyDiff, Warned
from .description import describe, subject
from .marks import shortened

SHORT = 300
"""Longer values are cut where they stand alone; in JSON they are whole."""
MAX_WHOLE = 12
"""In longer expressions only the place that changed is marked."""


@dataclass(frozen=True)
class Line:
    """One change: its path, what that is in words, its text with what was removed and added, and a note."""

    path: str
    subject: str
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
        if change.inherited:
            continue
        title = "names" if change.action == "renamed" else change.classes[0]
        if change.scope in ("experiment", "profile", "variant", "sweep", "zip") and change.action != "renamed":
            title = "cells" if change.scope != "profile" else "profiles"
        found.setdefault(title, []).extend(_lines(change, several, diff))
    order = ["cells", *CLASSES, "profiles", "names"]
    return [(title, found[title]) for title in order if title in found]


def told_by_the_headline(diff: StudyDiff) -> bool:
    """Whether the headline says all that there is of the changes: there is one, and it is described there in full."""
    if len(diff.changes) != 1:
        return False
    (change,) = diff.changes
    whole = change.before is None or change.after is None or f"{change.before} → {change.after}" in describe(change)
    return whole and not change.parts and not change.note and describe(change) in diff.headline


def _note(change: Change, diff: StudyDiff) -> str:
    """What a reader has to know beside a change, unless a warning or the headline has said so."""
    if change.direction:
        own = [
            item
            for item in diff.warnings
            if (item.experiment, "claims", item.claim) == (change.experiment, *change.path[:2])
        ]
        return "" if any(item.message.endswith(change.note) for item in own) else change.note
    alone = change.action == "renamed" or sum(other.note == change.note for other in diff.changes) == 1
    return "" if alone and change.note in diff.headline else change.note


def _lines(change: Change, several: bool, diff: StudyDiff) -> list[Line]:
    path = ".".join([*([change.experiment] if change.experiment and several else []), *change.path])
    words = [_note(change, diff)]
    if len(change.classes) > 1 and not change.scope:
        words.insert(0, f"reaches {listing(change.classes)}")
    if change.where.variants:
        words.insert(0, f"in {listing(change.where.variants, 6)}")
    if change.where.profiles:
        words.insert(0, f"in profile {listing(change.where.profiles)}")
    if change.heirs:
        words.append(f"and so in {listing(change.heirs, 6)}, derived from it")
    note = "; ".join(word for word in words if word)
    subject_text = subject(change) + (f" of `{change.experiment}`" if change.experiment and several else "")
    lines = [Line(path, subject_text, _edits(change), note)]
    for part in change.parts:
        own = (part.experiment, *part.path) if change.scope == "profile" else part.path
        lines.append(Line("  " + ".".join(own), "  " + subject(part), _edits(part), _note(part, diff)))
    return lines


def _edits(change: Change) -> tuple[Edit, ...]:
    """The change itself: inside its expression, or what stood there and what stands there now."""
    if change.scope and change.scope not in ("sweep", "zip") and change.action != "renamed":
        if change.action == "moved":
            return ()
        return (Edit("added" if change.action == "added" else "removed", change.action),)
    if change.edits:
        whole = len(change.edits) == 2 and change.edits[0].kind == "removed"
        if not whole and max(len(change.before or ""), len(change.after or "")) > MAX_WHOLE:
            return shortened(change.edits)
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
    """What becomes of the cells, in sentences: those without a profile, then those of each profile."""
    sentences = _consequences(diff)
    alike = {(cell.name, cell.status, cell.measures) for cell in diff.cells}
    for profile, own in diff.profiles.items():
        if {(cell.name, cell.status, cell.measures) for cell in own} == alike:
            costs = _costs_in_all(own)
            sentences.append(f"in profile {profile} likewise" + (f": {costs}" if costs else ""))
        else:
            inside = replace(diff, cells=own, unchanged={})
            sentences.append(f"in profile {profile}: {'; '.join(_consequences(inside))}")
    return sentences


def _consequences(diff: StudyDiff) -> list[str]:
    """What becomes of the cells without a profile."""
    cells, unchanged = diff.cells, sum(diff.unchanged.values())
    by_status: dict[str, list[Cell]] = {}
    for cell in cells:
        by_status.setdefault(cell.status, []).append(cell)
    total = len(cells) + unchanged - len(by_status.get("gone", []))
    kept = len(by_status.get("same", [])) + unchanged
    sentences = []
    if total:
        many = "all" if kept == total else "none" if not kept else str(kept)
        sentences.append(
            _kept(many, total)
            if kept
            else f"none of {total} cells keeps its digest"
            if total > 1
            else "the one cell changes its digest"
        )
    for status, text in (("again", "must run again"), ("new", "new, to run"), ("gone", "gone")):
        if status in by_status:
            sentences.append(f"{text}: {cell_names(diff, by_status[status])}")
    if "known" in by_status:
        sentences.append(f"known from another cell, stored results stay valid: {_known(by_status['known'])}")
    if "steps" in by_status:
        sentences.append(
            f"the same training, to run again for more steps or more shown: {cell_names(diff, by_status['steps'])}"
        )
    measured: dict[tuple[str, ...], list[Cell]] = {}
    for cell in by_status.get("measures", []):
        measured.setdefault(cell.measures, []).append(cell)
    for names, own in measured.items():
        lead = "the same training, but " if any(cell.after and cell.after.steps for cell in own) else ""
        sentences.append(f"{lead}{listing(names)} to be measured again: {cell_names(diff, own)}")
    replicas = {(c.before.replicates, c.after.replicates) for c in cells if c.before and c.after}
    sentences += [f"replicates {old} → {new}" for old, new in sorted(replicas) if old != new]
    costs = _costs_in_all(cells)
    return [*sentences, costs] if costs else sentences


def _costs_in_all(cells: Sequence[Cell]) -> str:
    sides = [(cell.before.total if cell.before else 0, cell.after.total if cell.after else 0) for cell in cells]
    before, after = (sum(side[which] for side in sides) for which in (0, 1))
    if flops(before) == flops(after):
        return ""
    ratio = f"{after / before:.3g}" if before and after else "1"
    times = f" ({ratio} times)" if ratio != "1" else ""
    return f"training costs {flops(before)} → {flops(after)} FLOPs in all{times}"


def _known(cells: Sequence[Cell]) -> str:
    return listing((f"{cell.name} (was {cell.known_as})" for cell in cells), 8)


def _kept(many: str, total: int) -> str:
    whose = "keeps its" if many == "1" else "keep their"
    return (
        f"{many} of {total} cells {whose} digest: stored results stay valid"
        if total > 1
        else "the one cell keeps its digest: stored results stay valid"
    )


def warned(diff: StudyDiff) -> Iterable[str]:
    """The warnings, a line each; what is said alike of several claims of an experiment is one."""
    return warning_lines(diff.warnings)


def warning_lines(warnings: Iterable[Warned]) -> list[str]:
    """Warnings in lines: `staircase.learns in profile quick: loosened: …`, `staircase: learns and better: loosened: …`."""
    alike: dict[tuple[str, str, str], dict[str, None]] = {}
    for item in warnings:
        alike.setdefault((item.experiment, item.profile, item.message), {})[item.claim] = None
    lines = []
    for (experiment, profile, message), claims in alike.items():
        names = ".".join([experiment, *claims]) if len(claims) == 1 else f"{experiment}: {listing(claims, len(claims))}"
        lines.append(f"{names}{f' in profile {profile}' if profile else ''}: {message}")
    return lines

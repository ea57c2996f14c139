"""What a headline says of whole parts that came or went: experiments, variants, axes, profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..diagnostics.problems import listing
from .changes import FACTORS, REMOVED, Change, StudyDiff
from .description import MAX_VALUE_LENGTH, describe
from .places import Places


def scope_texts(changes: Sequence[Change], diff: StudyDiff, places: Places) -> list[str]:
    """Each in a few words; experiments that stand in the place of others together."""
    came, gone = (
        [change for change in changes if change.scope == "experiment" and change.action == action]
        for action in ("added", "removed")
    )
    texts = []
    if came and gone:
        whole = not diff.unchanged and not any(cell.before and cell.after for cell in diff.cells)
        if whole or len(came) == len(gone) == 1:
            other = whole and any(change.path == ("study",) for change in diff.changes)
            texts = ["; ".join(filter(None, [_replaced(came, gone, other), _claims_gone(gone, diff)]))]
            changes = [change for change in changes if change not in came and change not in gone]
    return texts + [_scope(change, diff, places) for change in changes]


def _replaced(came: Sequence[Change], gone: Sequence[Change], another: bool) -> str:
    fresh, old = (listing((f"`{change.path[-1]}`" for change in side), 4) for side in (came, gone))
    note = f", {came[0].note}" if came[0].note else ""
    text = f"experiment{'s' * (len(came) > 1)} {fresh} in place of {old}{note}"
    return f"another study: {text}" if another else text


def _claims_gone(gone: Sequence[Change], diff: StudyDiff) -> str:
    names = {change.path[-1] for change in gone}
    told = dict.fromkeys(
        f"`{item.claim}`" for item in diff.warnings if item.experiment in names and item.direction == REMOVED
    )
    return f"{claims_text(told)} removed" if told else ""


def claims_text(names: Iterable[str]) -> str:
    """Claims by their names."""
    own = list(names)
    return f"claim{'s' * (len(own) > 1)} {listing(own, 4)}"


def _scope(change: Change, diff: StudyDiff, places: Places) -> str:
    where = places.experiment(change.experiment)
    if change.scope == "sweep":
        return f"sweep of `{change.path[-1]}` {change.action}{where}" + (f": {change.note}" if change.note else "")
    if change.scope == "zip":
        return f"zip {change.action}{where}: {_sides(change)}"
    text = f"{change.scope} `{change.path[-1]}` {change.note if change.action == 'moved' else change.action}{where}"
    if change.scope in ("experiment", "profile") and change.action in ("added", "removed"):
        return text + _with_claims(change, diff)
    if change.scope == "variant" and change.parts:
        own = [part for part in change.parts if part.factor]
        if len(own) == 1 and len(own[0].classes) == 1:
            text += f": one factor beside the base: {describe(own[0])}"
        elif own:
            kinds = dict.fromkeys(name for part in own for name in part.classes if name in FACTORS)
            text += f": beside the base in {listing(kinds)}"
    return text


def _with_claims(change: Change, diff: StudyDiff) -> str:
    """What becomes of claims with an experiment that went, or a profile that came or went."""
    name = change.path[-1]
    if change.scope == "experiment":
        gone = [f"`{item.claim}`" for item in diff.warnings if item.experiment == name and item.direction == REMOVED]
        return f" with {claims_text(dict.fromkeys(gone))}" if gone else ""
    by_way: dict[str, dict[str, None]] = {}
    for item in diff.warnings:
        if item.profile == name:
            by_way.setdefault(item.direction, {})[f"`{item.claim}`"] = None
    beside = "against no profile" if change.action == "added" else "without it"
    moved = [f"{claims_text(names)} {direction} {beside}" for direction, names in by_way.items()]
    return f": {listing(moved)}" if moved else ""


def _sides(change: Change) -> str:
    """What stood there and what stands there, as far as there is room."""
    texts = [text for text in (change.before, change.after) if text is not None]
    return " → ".join(texts) if sum(map(len, texts)) <= MAX_VALUE_LENGTH else change.note or change.action

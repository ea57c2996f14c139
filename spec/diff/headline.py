"""One sentence that a reviewer can act on. It speaks of one factor only where one value changed, in one part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..diagnostics.problems import listing
from .changes import FACTORS, Change, StudyDiff
from .description import MAX_VALUE_LENGTH, describe, in_its_variants, in_variants


def headline(diff: StudyDiff) -> str:
    """The headline of a difference."""
    changes = [change for change in diff.changes]
    if not changes and diff.same:
        return "no difference: both mean the same"
    renames = [change for change in changes if change.action == "renamed"]
    rest = [change for change in changes if change.action != "renamed"]
    factors = [change for change in rest if change.factor and not change.where.profiles]
    parts = []
    if factors:
        parts.append(
            _factors(
                factors,
                bool(_seeding(renames)),
                _grown(diff, factors),
            )
        )
    parts += _parts([change for change in rest if not change.inherited], factors, diff)
    if renames:
        seeds = _seeding(renames)
        neutral = [change for change in renames if not change.seeds]
        if seeds:
            parts.append(f"{_renamed(seeds)}: the same distribution, and new random numbers")
        if neutral:
            parts.append(f"the same meaning: {_renamed(neutral)}" if diff.same and not rest else _renamed(neutral))
    if all(change.opened or (change.action == "renamed" and not change.seeds) for change in changes):
        parts = [*_judged([], diff), *_cells_alone(diff), *parts]
    return "; ".join(dict.fromkeys(parts))


def _cells_alone(diff: StudyDiff) -> list[str]:
    """Cells that moved though no path that was compared says why: never passed over."""
    if not diff.moved:
        return []
    return [f"cells differ, and no path shows why: {listing(dict.fromkeys(c.name for c in diff.moved), 4)}"]


def _seeding(renames: Iterable[Change]) -> list[Change]:
    return [change for change in renames if change.seeds]


def _single(change: Change) -> bool:
    """Whether a change is that of one value, and not of a whole part that holds several."""
    if change.path == ("loss",):
        return ": " in (change.before or "") and all(
            (text or "").count(": ") <= 1 for text in (change.before, change.after)
        )
    return len(change.path) > 1 or change.action == "changed"


def _grown(diff: StudyDiff, factors: Sequence[Change]) -> str:
    """How the networks grew, where it is not the architecture that changed."""
    if any("architecture" in change.classes for change in factors):
        return ""
    for cell in diff.cells:
        if cell.before is not None and cell.after is not None and cell.before.networks != cell.after.networks:
            return f"{cell.before.cost.parameters:,} → {cell.after.cost.parameters:,} parameters"
    return ""


def _factors(factors: Sequence[Change], seeds: bool, grown: str) -> str:
    """What changed of what is trained."""
    factors, shared = _once(factors)
    if [change for change in factors if change.path == ("spelling",)] == list(factors):
        return "no value changed, but what is computed is written in another order: digests differ, numbers by rounding"
    if len(factors) == 1:
        (change,) = factors
        alone = f"{describe(change)}{in_its_variants(change)}{shared}"
        if seeds:
            return f"one value changed, beside names that seed: {alone}"
        if len(change.classes) > 1:
            return f"one value changed, and it reaches {listing(change.classes)}: {alone}"
        if not _single(change):
            return f"{change.classes[0]} changed: {alone}"
        if grown:
            return f"one value changed, and the networks' sizes with it ({grown}): {alone}"
        return f"one factor changed: {alone}"
    worst = _confounded(factors)
    if worst is not None:
        classes, own, place = worst.classes, worst.changes, worst.place
        verb = "both changed" if len(classes) == 2 else "all changed"
        also = f"; and, by other changes,{worst.others}" if worst.others else ""
        if len(own) == 1:
            return f"confounded: {listing(classes)} {verb}{place}, by one value: {describe(own[0])}{also}"
        return f"confounded: {listing(classes)} {verb}{place}: {_by_class(own)}{also}"
    factors = [change for change in factors if not change.inherited]
    several = len({change.experiment for change in factors}) > 1
    kinds = list(dict.fromkeys(name for change in factors for name in change.classes if name in FACTORS))
    if len(kinds) == 1 and _together(factors):
        where = in_its_variants(factors[0])
        return f"{len(factors)} values of {_of(kinds[0])} changed{where}: {_described(factors)}"
    if len(kinds) == 1 and _meet(factors):
        return f"{len(factors)} values of {_of(kinds[0])} changed: {_described(factors, True)}"
    places = "experiments" if several else "variants"
    return f"{len(factors)} changes in different {places}: {_described(factors, True)}"


@dataclass(frozen=True)
class _Confounded:
    """Variants in which more than one part changed: in words where, the parts, the changes; in which others by others."""

    place: str
    classes: list[str]
    changes: list[Change]
    others: str


def _confounded(factors: Sequence[Change]) -> _Confounded | None:
    """The first variant in which more than one part changed, with those that have the same changes."""
    experiments = dict.fromkeys(change.experiment for change in factors)
    for experiment in experiments:
        own = [change for change in factors if change.experiment == experiment]
        variants = list(dict.fromkeys(name for change in own for name in change.where.variants))
        held = {
            variant: [change for change in own if not change.where.variants or variant in change.where.variants]
            for variant in ["", *variants]
        }
        found: list[tuple[set[str], list[Change]]] = []
        for here in held.values():
            kinds = {name for change in here for name in change.classes if name in FACTORS}
            if len(kinds) > 1 and len(here) > 1 and here not in [own for _, own in found]:
                found.append((kinds, here))
        if found:
            kinds, here = found[0]
            everywhere = all(not change.where.variants for change in here)
            alike = [] if everywhere else [variant for variant, theirs in held.items() if theirs == here]
            others = [
                v for v, theirs in held.items() if v and theirs != here and any(theirs == own for _, own in found)
            ]
            return _Confounded(
                in_variants(alike), [name for name in FACTORS if name in kinds], here, in_variants(others)
            )
    return None


def _once(factors: Sequence[Change]) -> tuple[list[Change], str]:
    """The changes, with one that is the same in several experiments once; and, of a lone one, in which they are."""
    found: dict[object, list[Change]] = {}
    for change in factors:
        found.setdefault((change.path, change.before, change.after, change.classes, change.where), []).append(change)
    if len(found) > 1:
        return list(factors), ""
    (own,) = found.values()
    shared = f" in experiments {listing(f'`{change.experiment}`' for change in own)}" if len(own) > 1 else ""
    return own[:1], shared


def _by_class(changes: Sequence[Change]) -> str:
    """Changes in a few words, with several of one class as how many there are and the first of them."""
    found = []
    for kind in dict.fromkeys(change.classes for change in changes):
        own = [change for change in changes if change.classes == kind]
        text = describe(own[0], " ")
        found.append(text if len(own) == 1 else f"{len(own)} values of {listing(map(_of, kind))} ({text}, …)")
    return listing(found)


def _meet(factors: Sequence[Change]) -> bool:
    """Whether some cell has two of them."""
    pairs = [(one, other) for place, one in enumerate(factors) for other in factors[:place]]
    return any(
        one.experiment == other.experiment
        and (not one.where.variants or not other.where.variants or set(one.where.variants) & set(other.where.variants))
        for one, other in pairs
    )


def _together(factors: Sequence[Change]) -> bool:
    """Whether all of them are in the same cells."""
    return len({(change.experiment, change.where.variants) for change in factors}) == 1


def _parts(rest: Sequence[Change], factors: Sequence[Change], diff: StudyDiff) -> list[str]:
    """What else changed, from what weighs most to what weighs least."""
    parts = [_scope(change) for change in rest if change.scope]
    others = [change for change in rest if not change.scope and change not in factors]
    profiles = [change for change in others if change.where.profiles]
    if profiles:
        names = dict.fromkeys(name for change in profiles for name in change.where.profiles)
        parts.append(f"in profile {listing(f'`{name}`' for name in names)}: {_described(profiles)}")
    plain = [change for change in others if not change.where.profiles]
    parts += _judged([change for change in plain if change.classes[0] == "claim"], diff)
    order = [change for change in plain if change.respelled]
    if order:
        parts.append(f"written in another order, the same but for rounding: {_described(order)}")
    for kind in ("measure", "figure"):
        own = [change for change in plain if change.classes[0] == kind and not change.respelled]
        if own:
            parts.append(_described(own))
    texts = [change for change in plain if change.classes == ("text",)]
    if opened := [change for change in texts if change.opened]:
        parts.append(f"the same meaning: {_described(opened)}")
    if texts and not parts and not factors:
        idle = [change for change in texts if change.note.startswith("no result")]
        parts.append("only what no result depends on changed: " + _described(texts) if idle else "only texts changed")
    return parts


def _judged(changes: Sequence[Change], diff: StudyDiff) -> list[str]:
    """Claims: those that ask less come first, whatever it was that moved them."""
    told: dict[str, list[str]] = {}
    for item in diff.warnings:
        told.setdefault(item.message, []).append(f"`{item.claim}`")
    parts = [f"claim{'s' * (len(names) > 1)} {listing(names, 4)} {message}" for message, names in told.items()]
    known = {item.claim for item in diff.warnings}
    for change in changes:
        if change.path[0] == "claims" and change.path[1] in known:
            continue
        if change.path[0] != "claims" and known:
            parts.append(f"by {describe(change)}")
        else:
            parts.append(
                f"claim `{change.path[1]}` {change.note}"
                if change.note and change.path[0] == "claims"
                else describe(change)
            )
    return parts


def _scope(change: Change) -> str:
    kind = {"sweep": "sweep"}.get(change.scope, change.scope)
    if change.scope == "sweep":
        return f"sweep of `{change.path[-1]}` {change.action}" + (f": {change.note}" if change.note else "")
    if change.scope == "zip":
        return f"zip {change.action}: {_sides(change)}"
    text = f"{kind} `{change.path[-1]}` {change.note if change.action == 'moved' else change.action}"
    if change.scope == "variant" and change.parts:
        own = [part for part in change.parts if part.factor]
        if len(own) == 1 and len(own[0].classes) == 1:
            text += f": one factor beside the base: {describe(own[0])}"
        elif own:
            kinds = dict.fromkeys(name for part in own for name in part.classes if name in FACTORS)
            text += f": beside the base in {listing(kinds)}"
    return text


def _sides(change: Change) -> str:
    """What stood there and what stands there, as far as there is room."""
    texts = [text for text in (change.before, change.after) if text is not None]
    return " → ".join(texts) if sum(map(len, texts)) <= MAX_VALUE_LENGTH else change.note or change.action


def _renamed(renames: Sequence[Change]) -> str:
    return "renamed: " + listing((f"{change.scope} `{change.before}` → `{change.after}`" for change in renames), 4)


def _described(changes: Sequence[Change], where: bool = False) -> str:
    pause = ", " if len(changes) == 1 else " "
    texts = [describe(change, pause) + (in_its_variants(change) if where else "") for change in changes]
    return listing(dict.fromkeys(texts), 4)


def _of(kind: str) -> str:
    return kind if kind in ("training", "architecture") else f"the {kind}"

"""One sentence that a reviewer can act on. It speaks of one factor only where one value changed, in one part.

What is said elsewhere is not repeated: of a claim the headline has its name and which way it moved, warnings have why, and
the lines below what was edited. Experiments are named where the study has several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..diagnostics.problems import listing
from .changes import FACTORS, Change, StudyDiff, Warned
from .description import describe, in_its_variants, in_variants
from .places import Places
from .whole_parts import claims_text, scope_texts


def with_headline(diff: StudyDiff) -> StudyDiff:
    """A difference with its headline, and whether it is confounded."""
    return replace(diff, headline=_headline(diff), confounded=_worst(_trained(diff)) is not None)


def _headline(diff: StudyDiff) -> str:
    changes = [*diff.changes]
    if not changes and diff.same:
        return "no difference: both mean the same"
    places = Places(diff)
    renames = [change for change in changes if change.action == "renamed"]
    rest = [change for change in changes if change.action != "renamed"]
    factors = _trained(diff)
    parts = []
    if factors:
        parts.append(_factors(factors, bool(_seeding(renames)), _grown(diff, factors), places))
    parts += _parts([change for change in rest if not change.inherited], factors, diff, places)
    seeds = _seeding(renames)
    for note in dict.fromkeys(change.note for change in seeds):
        parts.append(f"{_renamed([change for change in seeds if change.note == note], places)}: {note}")
    if neutral := [change for change in renames if not change.seeds]:
        text = _renamed(neutral, places)
        parts.append(f"the same meaning: {text}" if diff.same and not rest else text)
    if all(change.opened or (change.action == "renamed" and not change.seeds) for change in changes):
        parts = [*_judged([], diff, places), *_cells_alone(diff), *parts]
    return "; ".join(dict.fromkeys(parts))


def _trained(diff: StudyDiff) -> list[Change]:
    """The changes of what is trained without a profile."""
    return [change for change in diff.changes if change.factor and not change.where.profiles]


def _cells_alone(diff: StudyDiff) -> list[str]:
    """Cells that moved though no path that was compared says why: never passed over."""
    if not diff.moved:
        return []
    return [f"cells differ, but no path shows why: {listing(dict.fromkeys(c.name for c in diff.moved), 4)}"]


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


def _factors(changes: Sequence[Change], seeds: bool, grown: str, places: Places) -> str:
    """What changed of what is trained."""
    factors, shared = _once(changes)
    if [change for change in factors if change.path == ("spelling",)] == list(factors):
        return (
            "no value changed, but what is computed is written in another order"
            f"{places.described(factors).removeprefix('the order of operations')}: digests differ, numbers by rounding"
        )
    if len(factors) == 1:
        (change,) = factors
        where = f"{in_its_variants(change)}{shared}" if shared else places.change(change)
        alone = f"{describe(change)}{where}"
        if seeds:
            return f"one value changed, beside names that seed: {alone}"
        if len(change.classes) > 1:
            return f"one value changed, and it reaches {listing(change.classes)}: {alone}"
        if not _single(change):
            return f"{change.classes[0]} changed: {alone}"
        if grown:
            return f"one value changed, and the networks' sizes with it ({grown}): {alone}"
        return f"one factor changed: {alone}"
    worst = _worst(changes)
    if worst is not None:
        place = places.within(worst.experiment, worst.variants)
        verb = "both changed" if len(worst.classes) == 2 else "all changed"
        also = f"; and, by other changes,{worst.others}" if worst.others else ""
        return f"confounded: {listing(worst.classes)} {verb}{place}: {_by_class(worst.changes)}{also}{_elsewhere(factors, worst)}"
    factors = [change for change in factors if not change.inherited]
    several = len({change.experiment for change in factors}) > 1
    kinds = list(dict.fromkeys(name for change in factors for name in change.classes if name in FACTORS))
    if len(kinds) == 1 and _together(factors):
        where = places.change(factors[0])
        return f"{len(factors)} values of {_of(kinds[0])} changed{where}: {places.described(factors, placed=True)}"
    if len(kinds) == 1 and _meet(factors):
        where = "" if several else places.experiment(factors[0].experiment)
        return (
            f"{len(factors)} values of {_of(kinds[0])} changed{where}: {places.described(factors, True, not several)}"
        )
    if several:
        return f"{len(factors)} changes in different experiments: {places.described(factors, True)}"
    where = places.experiment(factors[0].experiment, " of ")
    return f"{len(factors)} changes in different variants{where}: {places.described(factors, True, placed=True)}"


def _elsewhere(factors: Sequence[Change], worst: _Confounded) -> str:
    """That there are changes in other experiments too."""
    others = [c for c in factors if c.experiment not in ("", worst.experiment) and not c.inherited]
    if not others:
        return ""
    names = listing(dict.fromkeys(f"`{change.experiment}`" for change in others), 4)
    return f"; and {len(others)} change{'s' * (len(others) > 1)} in {names}"


def _worst(changes: Sequence[Change]) -> _Confounded | None:
    """Where several parts changed by several values; none where one value changed in all."""
    factors, _ = _once(changes) if changes else ([], "")
    return _confounded(factors) if len(factors) > 1 else None


@dataclass(frozen=True)
class _Confounded:
    """Variants in which more than one part changed: where, the parts, the changes; in words in which others by others."""

    experiment: str
    variants: list[str]
    classes: list[str]
    changes: list[Change]
    others: str


def _confounded(factors: Sequence[Change]) -> _Confounded | None:
    """The first variant in which more than one part changed, with those that have the same changes."""
    experiments = dict.fromkeys(change.experiment for change in factors)
    for experiment in experiments:
        own = [change for change in factors if change.experiment == experiment]
        variants = list(dict.fromkeys(name for change in own for name in change.where.variants))
        general = [place for place, change in enumerate(own) if not change.where.variants]
        held: dict[str, list[int]] = {variant: [] for variant in ["", *variants]}  # beside what is in all of them
        for place, change in enumerate(own):
            for variant in dict.fromkeys(change.where.variants):
                held[variant].append(place)
        kinds_of_all = _kinds(own[place] for place in general)
        found = {
            variant: kinds
            for variant, places in held.items()
            if len(kinds := kinds_of_all | _kinds(own[place] for place in places)) > 1
            and len(general) + len(places) > 1
        }
        if found:
            first, kinds = next(iter(found.items()))
            here = [own[place] for place in sorted([*general, *held[first]])]
            alike = [variant for variant, places in held.items() if places == held[first]] if held[first] else []
            others = [variant for variant in found if variant and held[variant] != held[first]]
            return _Confounded(
                experiment, alike, [name for name in FACTORS if name in kinds], here, in_variants(others)
            )
    return None


def _kinds(changes: Iterable[Change]) -> set[str]:
    """The parts of what is trained that some changes are of."""
    return {name for change in changes for name in change.classes if name in FACTORS}


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
    several = Counter(change.experiment for change in factors)
    if any(several[change.experiment] > 1 and not change.where.variants for change in factors):
        return True
    variants = Counter((change.experiment, name) for change in factors for name in {*change.where.variants})
    return any(count > 1 for count in variants.values())


def _together(factors: Sequence[Change]) -> bool:
    """Whether all of them are in the same cells."""
    return len({(change.experiment, change.where.variants) for change in factors}) == 1


def _parts(rest: Sequence[Change], factors: Sequence[Change], diff: StudyDiff, places: Places) -> list[str]:
    """What else changed, from what weighs most to what weighs least."""
    parts = scope_texts([change for change in rest if change.scope], diff, places)
    weighed = {*factors}
    others = [change for change in rest if not change.scope and change not in weighed]
    claims = [change for change in others if change.classes[0] == "claim"]
    parts += _judged([change for change in claims if not change.where.profiles], diff, places)
    warned = {item.claim for item in diff.warnings}
    profiles = [change for change in others if change.where.profiles]
    if profiles := [change for change in profiles if not (change.path[0] == "claims" and change.path[1] in warned)]:
        names = dict.fromkeys(name for change in profiles for name in change.where.profiles)
        parts.append(f"in profile {listing(f'`{name}`' for name in names)}: {_moved_or_described(profiles, places)}")
    plain = [change for change in others if not change.where.profiles]
    order = [change for change in plain if change.respelled]
    if order:
        parts.append(f"written in another order, the same but for rounding: {places.described(order)}")
    for kind in ("measure", "figure"):
        own = [change for change in plain if change.classes[0] == kind and not change.respelled]
        if own:
            parts.append(places.described(own))
    texts = [change for change in plain if change.classes == ("text",)]
    if opened := [change for change in texts if change.opened]:
        parts.append(f"the same meaning: {places.described(opened)}")
    if texts and not parts and not factors:
        idle = [change for change in texts if change.note.startswith("no result")]
        alike = len({change.experiment for change in texts}) == 1
        where = places.experiment(texts[0].experiment) if alike and not idle else ""
        parts.append(
            "only what no result depends on changed: " + places.described(texts)
            if idle
            else f"only texts changed{where}"
        )
    return parts


def _judged(changes: Sequence[Change], diff: StudyDiff, places: Places) -> list[str]:
    """Claims: those that ask less come first, whatever it was that moved them."""
    parts = _loosened(diff, places)
    known = {(item.experiment, item.claim) for item in diff.warnings}
    by = [change for change in changes if change.path[0] != "claims"]
    if len(parts) == 1 and len(by) == 1:
        parts = [f"{parts[0]}, by {describe(by[0])}"]
    else:
        parts += [f"by {describe(change)}" if known else describe(change) for change in by]
    own = [c for c in changes if c.path[0] == "claims" and (c.experiment, c.path[1]) not in known]
    return parts + ([_moved_or_described(own, places)] if own else [])


def _loosened(diff: StudyDiff, places: Places) -> list[str]:
    """Claims that ask less or may, by which way they moved and where; what went with its whole is told there."""
    told: dict[tuple[str, str, str], dict[str, None]] = {}
    plain = {_moved(item) for item in diff.warnings if not item.profile}
    for item in diff.warnings:
        if not _with_its_whole(item, diff) and not (item.profile and _moved(item) in plain):
            told.setdefault((item.direction, item.experiment, item.profile), {})[f"`{item.claim}`"] = None
    return [
        f"{claims_text(names)} {direction}"
        + places.experiment(experiment)
        + (f" in profile `{profile}`" if profile else "")
        for (direction, experiment, profile), names in told.items()
    ]


def _moved(item: Warned) -> tuple[str, str, str]:
    return item.experiment, item.claim, item.direction


def _with_its_whole(item: Warned, diff: StudyDiff) -> bool:
    """Whether a claim is spoken of where its experiment went, or its profile came or went."""
    return any(
        change.action in ("added", "removed")
        and (change.scope, change.path[-1]) in (("experiment", item.experiment), ("profile", item.profile))
        for change in diff.changes
    )


def _moved_or_described(changes: Sequence[Change], places: Places) -> str:
    """Changes in a few words; of a check, which way it moved."""
    texts = []
    for change in changes:
        moved = change.path[0] == "claims" and change.direction
        text = (
            f"claim `{change.path[1]}` {change.direction}"
            if moved
            else describe(change, ", " if len(changes) == 1 else " ")
        )
        texts.append(text + places.change(change))
    return listing(dict.fromkeys(texts), 4)


def _renamed(renames: Sequence[Change], places: Places) -> str:
    own = {change.experiment for change in renames}
    where = places.experiment(renames[0].experiment) if len(own) == 1 else ""
    return (
        "renamed: " + listing((f"{change.scope} `{change.before}` → `{change.after}`" for change in renames), 4) + where
    )


def _of(kind: str) -> str:
    return kind if kind in ("training", "architecture") else f"the {kind}"

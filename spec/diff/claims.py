"""Whether a changed claim asks less than before: it was loosened, it asks more, or one cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..ir import claims as c
from .changes import Warned
from .checks import LOOSER, STRICTER, UNKNOWN, Verdict, moved
from .judged_on import JudgedOn, judges_moved

Moves = Mapping[str, list[Verdict]]
"""How each claim that is on both sides moved, by its new name."""


def moves(judged: JudgedOn, itself: bool = False) -> Moves:
    """How claims moved: in their check, their judge, and (unless `itself`) all that they are judged on."""
    matching = judged.matching
    measures, names = matching.renames.of({"measure"}), matching.renames.of({"claim"})
    now = {claim.name: claim for claim in matching.after.plan.claims}
    verdicts: dict[str, list[Verdict]] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        if name in now:
            old = carried(claim.tree, measures, matching.names.values, matching.axes)
            judged.checks[name] = moved(old, now[name].tree, judged.ground)
            verdicts[name] = judged.checks[name] + judges_moved(claim, now[name])
            verdicts[name] += [] if itself else judged.moved(old, now[name])
    return verdicts


def unmoved(judged: JudgedOn, name: str) -> bool:
    """Whether the check of a claim says the same on both sides, in other words or another order; `moves` was asked before."""
    return judged.checks.get(name) == []


def compare_claims(
    experiment: str, judged: JudgedOn, itself: bool = False
) -> tuple[list[Warned], dict[tuple[str, ...], str]]:
    """Warnings of claims that ask less than before, or are gone; and how each claim moved, by the paths of its check.

    `itself` asks for what a claim itself says alone, and not for the cells and replicates that it is judged on.
    """
    matching = judged.matching
    names = matching.renames.of({"claim"})
    moved_claims = moves(judged, itself) if matching.before.plan.claims else {}
    warnings: list[Warned] = []
    notes: dict[tuple[str, ...], str] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        verdicts = moved_claims.get(name)
        if verdicts is None:
            warnings.append(Warned(experiment, claim.name, f"removed: {claim.says}"))
        elif verdicts:
            note = described(verdicts)
            notes.update({("claims", name, part): note for part in ("check", "judge", "family")})
            if {verdict.direction for verdict in verdicts} != {STRICTER}:
                warnings.append(Warned(experiment, name, note))
    return warnings, notes


def carried(
    tree: Any, measures: Mapping[str, str], values: Mapping[str, Mapping[str, str]], axes: Mapping[str, str]
) -> Any:
    """A check with its measures, axes and their named values under their new names; `values` are by the axis' old name."""
    if isinstance(tree, tuple):
        return tuple(carried(item, measures, values, axes) for item in tree)
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    changes = {f.name: carried(getattr(tree, f.name), measures, values, axes) for f in fields(tree)}
    if "measure" in changes:
        changes["measure"] = measures.get(changes["measure"], changes["measure"])
    if "axis" in changes:
        changes["axis"] = axes.get(changes["axis"], changes["axis"])
    if isinstance(tree, c.Selection) and tree.axis in values:
        changes["value"] = values[tree.axis].get(tree.value, tree.value)
    return replace(tree, **changes)


def described(verdicts: list[Verdict]) -> str:
    """How a claim moved, in a phrase: `loosened: the threshold moved from 0.001 to 0.01`."""
    found = {way: dict.fromkeys(v.what for v in verdicts if v.direction == way) for way in (LOOSER, UNKNOWN, STRICTER)}
    part = " in part" if found[LOOSER] and found[STRICTER] else ""
    words = {LOOSER: f"loosened{part}", UNKNOWN: "perhaps loosened", STRICTER: f"stricter{part}"}
    return "; ".join(f"{words[way]}: {', '.join(own)}" for way, own in found.items() if own)

"""Whether a changed claim asks less than before: it was loosened, it asks more, or one cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..ir import claims as c
from .changes import Warned
from .checks import LOOSER, STRICTER, UNKNOWN, Verdict, moved
from .judged_on import JudgedOn, judges_moved
from .matching import Matching


def compare_claims(experiment: str, matching: Matching) -> tuple[list[Warned], dict[tuple[str, ...], str]]:
    """Warnings of claims that ask less than before, or are gone; and how each claim moved, by the paths of its check."""
    measures, names = matching.renames.of({"measure"}), matching.renames.of({"claim"})
    now = {claim.name: claim for claim in matching.after.plan.claims}
    warnings: list[Warned] = []
    judged: JudgedOn | None = None
    notes: dict[tuple[str, ...], str] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        if name not in now:
            warnings.append(Warned(experiment, claim.name, f"removed: {claim.says}"))
            continue
        old = carried(claim.tree, measures, matching.names.values, matching.axes)
        judged = judged or JudgedOn(matching)
        verdicts = moved(old, now[name].tree, judged.ground)
        verdicts += judges_moved(claim, now[name])
        verdicts += judged.moved(old, now[name])
        if verdicts:
            note = described(verdicts)
            notes["claims", name, "check"] = notes["claims", name, "judge"] = note
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
    words = {LOOSER: "loosened", UNKNOWN: "perhaps loosened", STRICTER: "stricter"}
    parts = []
    for direction, word in words.items():
        own = dict.fromkeys(verdict.what for verdict in verdicts if verdict.direction == direction)
        if own:
            parts.append(f"{word}: {', '.join(own)}")
    return "; ".join(parts)

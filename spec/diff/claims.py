"""Whether a changed claim asks less than before: it was loosened, it asks more, or one cannot tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..ir import claims as c
from ..ir.plan import ClaimPlan
from .changes import IN_PART, LOOSENED, PERHAPS, REMOVED, Reason, Warned
from .changes import STRICTER as ASKS_MORE
from .check_constants import above_zero
from .checks import LOOSER, STRICTER, UNKNOWN, Verdict, moved
from .judged_on import JudgedOn, judges_moved

RATIO = "geometric_mean"
"""The judge that compares sides by their ratio: to what is not above 0 there is none."""
_WORDS = {LOOSER: LOOSENED, UNKNOWN: PERHAPS, STRICTER: ASKS_MORE}
Moves = Mapping[str, list[Verdict]]
"""How each claim that is on both sides moved, by its new name."""


def moves(judged: JudgedOn, itself: bool = False) -> Moves:
    """How claims moved: in their check, their judge, and (unless `itself`) all that they are judged on."""
    matching = judged.matching
    measures, names = matching.renames.of({"measure"}), matching.renames.of({"claim"})
    now = {claim.name: claim for claim in matching.after.plan.claims}
    verdicts: dict[str, list[Verdict]] = {}
    further: dict[str, list[Verdict]] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        if name in now:
            old = carried(claim.tree, measures, matching.names.values, matching.axes)
            judged.checks[name] = moved(old, now[name].tree, judged.ground)
            own = judged.checks[name]
            if now[name].judge.name == RATIO and not (above_zero(old) and above_zero(now[name].tree)):
                own = [replace(verdict, direction=UNKNOWN) for verdict in own]
            verdicts[name] = own + judges_moved(claim, now[name])
            further[name] = [] if itself else judged.moved(old, now[name])
    families = judged.families
    return {
        name: [*own, *families.moved(name), *families.others(name, verdicts), *further[name]]
        for name, own in verdicts.items()
    }


def unmoved(judged: JudgedOn, name: str) -> bool:
    """Whether the check of a claim says the same on both sides, in other words or another order; `moves` was asked before."""
    return judged.checks.get(name) == []


def compare_claims(
    experiment: str, judged: JudgedOn, itself: bool = False
) -> tuple[list[Warned], dict[tuple[str, ...], tuple[Reason, ...]]]:
    """Warnings of claims that ask less than before, or are gone; and how each claim moved, by the paths of its check.

    `itself` asks for what a claim itself says alone, and not for the cells and replicates that it is judged on.
    """
    matching = judged.matching
    names = matching.renames.of({"claim"})
    moved_claims = moves(judged, itself) if matching.before.plan.claims else {}
    warnings: list[Warned] = []
    reasons: dict[tuple[str, ...], tuple[Reason, ...]] = {}
    for claim in matching.before.plan.claims:
        name = names.get(claim.name, claim.name)
        verdicts = moved_claims.get(name)
        if verdicts is None:
            warnings.append(gone(experiment, claim))
        elif verdicts:
            own = tuple(dict.fromkeys(Reason(_WORDS[verdict.direction], verdict.what) for verdict in verdicts))
            reasons.update({("claims", name, part): own for part in ("check", "judge", "family")})
            if (direction := direction_of(own)) != ASKS_MORE:
                warnings.append(Warned(experiment, name, described(own), direction=direction, reasons=own))
    return warnings, reasons


def gone(experiment: str, claim: ClaimPlan, whole: str = "") -> Warned:
    """The warning of a claim that was removed; `whole` is what it was removed with: `its study`."""
    what = f"with {whole}" if whole else ""
    message = f"{' '.join(filter(None, (REMOVED, what)))}: {claim.says}"
    return Warned(experiment, claim.name, message, direction=REMOVED, reasons=(Reason(REMOVED, what),))


def direction_of(reasons: Iterable[Reason]) -> str:
    """How a claim moved in all: it was loosened (in part, if another part asks more) where some part asks less for certain."""
    held = {reason.direction for reason in reasons}
    if {LOOSENED, ASKS_MORE} <= held:
        return IN_PART
    return next(word for word in (LOOSENED, PERHAPS, ASKS_MORE) if word in held)


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


def described(reasons: Iterable[Reason]) -> str:
    """How a claim moved, in a phrase: `loosened: the threshold moved from 0.001 to 0.01`."""
    by_word: dict[str, list[str]] = {word: [] for word in _WORDS.values()}
    for reason in reasons:
        by_word[reason.direction].append(reason.what)
    part = " in part" if by_word[LOOSENED] and by_word[ASKS_MORE] else ""
    words = {LOOSENED: f"{LOOSENED}{part}", PERHAPS: PERHAPS, ASKS_MORE: f"{ASKS_MORE}{part}"}
    return "; ".join(f"{words[way]}: {', '.join(own)}" for way, own in by_word.items() if own)

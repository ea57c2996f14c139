"""How often a claim was judged before otherwise: on fewer replicates, other seeds, another profile or other data, or by another check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .run_list import list_runs

SHOWN = 4
"""How many earlier looks are told one by one."""
VERSIONS = ("language", "numerics")
"""What digests hang on beside what is run, as `run.json` says it."""


def earlier_looks(
    root: Path, study: str, now: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """By a claim's id, a line for each way in which earlier runs in a folder judged it otherwise; a claim under another name that means the same counts.

    `now` is the run's `profile`, `seeds` (by experiment) and versions; `claims` are as `claims.json` holds them. Raises StoreError.
    """
    looks: dict[str, dict[tuple[Any, ...], str]] = {claim["id"]: {} for claim in claims}
    current = {claim["id"]: claim for claim in claims}
    for run in list_runs(root):
        if run.study != study:
            continue
        for before in run.read("claims.json"):
            known = before["counted"] is not None  # runs of format 1 do not say how many replicates they judged
            if not known or before["verdict"] == "inconclusive":
                continue
            for claim in [current[before["id"]]] if before["id"] in current else _alike(before, claims):
                how = _otherwise(before, run.about, claim, now)
                if how:
                    key = _data(before, run.about), before["check"], before.get("meaning"), before.get("judged_on")
                    looks[claim["id"]].setdefault(key, f"{before['verdict']} {how}")
    return {name: list(dict.fromkeys(lines.values())) for name, lines in looks.items() if lines}


def _alike(before: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The claims of the same experiment that mean the same as one of another name."""
    own = before["id"].split(".")[0]
    return [
        claim
        for claim in claims
        if before.get("meaning") and claim.get("meaning") == before["meaning"] and claim["id"].split(".")[0] == own
    ]


def _otherwise(
    before: Mapping[str, Any], about: Mapping[str, Any], claim: Mapping[str, Any], now: Mapping[str, Any]
) -> str:
    """In which way a claim was judged otherwise, in words; empty where it was in none."""
    old, new = _data(before, about), _data(claim, now)
    words = _words(old, new) if old != new else ""
    if not words and _differ(before, claim, "judged_on") and all(about.get(name) == now.get(name) for name in VERSIONS):
        words = "other cells, data, training or measures"
    means = _differ(before, claim, "meaning") if before.get("meaning") and claim.get("meaning") else None
    changed = before["check"] != claim["check"] if means is None else means
    by = f"by `{before['check']}`" if changed and before["check"] != claim["check"] else ""
    if changed and not by:
        by = "by another judge, family or constant"
    return " ".join(filter(None, [by, f"with {words}" if words else ""]))


def _differ(before: Mapping[str, Any], claim: Mapping[str, Any], entry: str) -> bool:
    """Whether two digests are there, and not the same."""
    return bool(before.get(entry) and claim.get(entry) and before[entry] != claim[entry])


def _data(claim: Mapping[str, Any], about: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells the data of two judgements apart by themselves: profile, replicates, seeds."""
    seeds = (about.get("seeds") or {}).get(claim["id"].split(".")[0], ())
    return about.get("profile") or "", (claim.get("counted") or 0) + (claim.get("undefined") or 0), tuple(seeds)


def _words(before: tuple[Any, ...], now: tuple[Any, ...]) -> str:
    profile, count, seeds = before
    words = [f"profile {profile}" if profile else "no profile"] if profile != now[0] else []
    words += [f"{count} replicate{'s' if count != 1 else ''}"] if count != now[1] and count else []
    words += [f"seed {', '.join(map(str, seeds))}"] if seeds != now[2] else []
    return ", ".join(words) or "other replicates"


def looks_text(lines: Sequence[str]) -> str:
    """The earlier looks at a claim in a phrase; empty where there are none."""
    if not lines:
        return ""
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return f"judged differently before, {len(lines)}×: {'; '.join(lines[:SHOWN])}{more}"

"""How often a claim was judged before on other data: fewer replicates, other seeds, another profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .run_list import list_runs

SHOWN = 4
"""How many earlier looks are told one by one."""


def earlier_looks(
    root: Path, study: str, now: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """By a claim's id, a line for each way in which earlier runs in a folder judged the same check on other data.

    `now` is the run's `profile` and `seeds` (by experiment); `claims` are as `claims.json` holds them. Raises StoreError.
    """
    looks: dict[str, dict[tuple[Any, ...], str]] = {claim["id"]: {} for claim in claims}
    current = {claim["id"]: (claim["check"], _data(claim, now)) for claim in claims}
    for run in list_runs(root):
        if run.study != study:
            continue
        for claim in run.read("claims.json"):
            check, data = current.get(claim["id"], ("", ()))
            before = _data(claim, run.about)
            known = claim["counted"] is not None  # runs of format 1 do not say how many replicates they judged
            if known and check == claim["check"] and before != data and claim["verdict"] != "inconclusive":
                looks[claim["id"]].setdefault(before, f"{claim['verdict']} with {_words(before, data)}")
    return {name: list(lines.values()) for name, lines in looks.items() if lines}


def _data(claim: Mapping[str, Any], about: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells the data of two judgements apart: profile, replicates, seeds."""
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
    return f"judged before on other data, {len(lines)}×: {'; '.join(lines[:SHOWN])}{more}"

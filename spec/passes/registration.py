"""What is registered of a study before it runs: its claims, and the design that they are judged on, by digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.claims import Measured, parts
from ..ir.plan import ClaimPlan, ExperimentPlan, StudyPlan
from .digests import digest, measure_digest
from .print_claim import claim_text

Registered = Mapping[str, Any]
"""Plain data: `claims` by their id, `design` by experiment, and the `digest` of both."""


def registered(plan: StudyPlan) -> Registered:
    """The claims and the design of a study, as plain data.

    In it: each claim's check, judge and family; each experiment's cells (what is trained and measured), replicates and seeds. Not in
    it: titles, sentences, figures, names of variants and measures where they mean the same.
    """
    claims = {f"{e.name}.{claim.name}": _claim(claim) for e in plan.experiments for claim in e.claims}
    design = {experiment.name: _design(experiment) for experiment in plan.experiments}
    return {"claims": claims, "design": design, "digest": digest({"claims": claims, "design": design})}


def claim_meaning(claim: ClaimPlan) -> str:
    """A digest of how a claim is judged: its check with constants by value, its judge and family."""
    return digest(_claim(claim))


def judged_on(experiment: ExperimentPlan, claims: Sequence[ClaimPlan]) -> dict[str, str]:
    """Digests of what some claims of an experiment are judged on beside replicates, by their names: its cells, and the measures that each looks at."""
    known: dict[tuple[int, str], str] = {}

    def measured(place: int, name: str) -> str | None:
        program = experiment.programs[place]
        for measure in program.measures if (place, name) not in known else ():
            if measure.name == name:
                known[place, name] = measure_digest(program, measure)
        return known.get((place, name))

    digests = {}
    for claim in claims:
        names = sorted({part.measure for part in parts(claim.tree) if isinstance(part, Measured)})
        cells = [
            [program.digest, program.variant, sorted(program.point.items()), [measured(place, name) for name in names]]
            for place, program in enumerate(experiment.programs)
        ]
        digests[claim.name] = digest(cells)
    return digests


def _claim(claim: ClaimPlan) -> Mapping[str, str]:
    return {"check": claim_text(claim.tree), "judge": str(claim.judge), "family": claim.family}


def _design(experiment: ExperimentPlan) -> Mapping[str, Any]:
    programs = experiment.programs
    cells = [
        [program.digest, *(measure_digest(program, measure) for measure in program.measures)] for program in programs
    ]
    return {
        "cells": len(programs),
        "replicates": sorted({program.replicates for program in programs}),
        "seeds": sorted({program.seed for program in programs}),
        "digest": digest([cells, [program.replicates for program in programs], [program.seed for program in programs]]),
    }


def differences(before: Registered, now: Registered) -> list[str]:
    """What of the claims and the design is not as it was registered, a line each; experiments that are not run are left out."""
    lines = []
    for name in dict.fromkeys([*before["claims"], *now["claims"]]):
        old, new = before["claims"].get(name), now["claims"].get(name)
        if old == new or (new is None and name.split(".")[0] not in now["design"]):
            continue
        if old is None or new is None:
            lines.append(f"claim {name}: {'not registered' if old is None else 'registered, and not asked'}")
            continue
        moved = [f"{key} `{old[key] or 'none'}` → `{new[key] or 'none'}`" for key in old if old[key] != new[key]]
        lines.append(f"claim {name}: {', '.join(moved)}")
    for name, new in now["design"].items():
        old = before["design"].get(name)
        if old is None:
            lines.append(f"experiment {name}: not registered")
        elif old != new:
            moved = [
                f"{key} {_plain(old[key])} → {_plain(new[key])}"
                for key in ("cells", "replicates", "seeds")
                if old[key] != new[key]
            ]
            lines.append(f"experiment {name}: {', '.join(moved) or 'other training, tasks or measures'}")
    return lines


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""A diff as data: what `dlspec diff --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .changes import Cell, CellSide, Change, StudyDiff
from .marks import marked
from .sections import PastResults

FORMAT_VERSION = 1


def data(diffs: Iterable[tuple[str, StudyDiff]], past: PastResults | None = None) -> dict[str, Any]:
    """One object for all studies that were compared."""
    studies = [_study(name, diff) for name, diff in diffs]
    data_object: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "same": all(study["same"] for study in studies),
        "studies": studies,
    }
    if past is not None and (past.finals or past.verdicts):
        finals = {cell: {m: _sides(pair) for m, pair in own.items()} for cell, own in past.finals.items()}
        data_object["stored"] = {
            "finals": finals,
            "verdicts": {claim: _sides(pair) for claim, pair in past.verdicts.items()},
        }
    return data_object


def _sides(pair: tuple[str, str]) -> dict[str, str]:
    return {"before": pair[0], "after": pair[1]}


def _study(name: str, diff: StudyDiff) -> dict[str, Any]:
    return {
        "name": name, "before": diff.before, "after": diff.after, "same": diff.same, "headline": diff.headline,
        "confounded": diff.confounded,
        "changes": [_change(change) for change in diff.changes],
        "warnings": [{"experiment": w.experiment, "claim": w.claim, "message": w.message, "profile": w.profile or None,
                      "direction": w.direction, "reasons": [{"direction": r.direction, "what": r.what} for r in w.reasons]} for w in diff.warnings],
        "cells": [_cell(cell) for cell in diff.cells], "unchanged": dict(diff.unchanged),
        "profiles": {profile: [_cell(cell) for cell in own] for profile, own in diff.profiles.items()},
        "total_flops": {
            "before": sum(cell.before.total for cell in diff.cells if cell.before),
            "after": sum(cell.after.total for cell in diff.cells if cell.after),
        },
    }  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "experiment": change.experiment or None, "path": list(change.path), "action": change.action, "scope": change.scope or None,
        "classes": list(change.classes), "before": change.before, "after": change.after,
        "marked": marked(change.edits) if change.edits else None,
        "variants": list(change.where.variants) or None, "profiles": list(change.where.profiles) or None,
        "note": change.note or None, "factor": change.factor, "seeds": change.seeds,
    }  # fmt: skip
    if change.direction:
        entry["direction"] = change.direction
    if change.inherited:
        entry["inherited"] = change.inherited
    if change.parts:
        entry["parts"] = [_change(part) for part in change.parts]
    return entry


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "experiment": cell.experiment, "variant": cell.variant, "constants": dict(cell.point), "status": cell.status,
        "measures": list(cell.measures), "known_as": cell.known_as or None, "before": _side(cell.before), "after": _side(cell.after),
    }  # fmt: skip


def _side(side: CellSide | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "digest": side.digest, "networks": dict(side.networks), "parameters": side.cost.parameters,
        "forward_flops": side.cost.forward, "step_flops": side.cost.step, "steps": side.steps,
        "replicates": side.replicates, "total_flops": side.total,
    }  # fmt: skip

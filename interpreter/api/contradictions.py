"""Where a run's folder says something else than its own curves: an archive may have been changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from dlspec import spec

from ..results.replicates import Results, final_of
from ..results.run_list import RunRecord
from ..results.run_reader import results
from ..results.run_study import run_study
from ..results.verdicts import FAILS, HOLDS, SEEN
from .conclude import Ran, judged
from .study import Study


def contradictions(run: RunRecord) -> list[str]:
    """What a run says of its numbers that its curves do not: finals that are not their ends, and claims that do not come out so, judged anew.

    That a claim was only seen where it holds, or the other way round, is not looked at: sampling errors are not in curves of before. Nothing is
    said of a run whose study cannot be read, or lacks its data files, or whose curves cannot be read.
    """
    try:
        found = results(run)
        plan = Study.of(run_study(run)).resolved(run.profile or None, run.overrides, run.only)
    except spec.StudyError:
        return []
    words = []
    told = {
        (item["experiment"], item["variant"], json.dumps(item["constants"]), item["replicate"]): item
        for item in run.read("cells.json")
    }
    for one in (replicate for own in found.values() for replicate in own.replicates):
        item = told[one.experiment, one.variant, json.dumps(one.constants), one.number]
        if not _alike(final_of(item), one.final()):
            words.append(f"the finals of {one.name} in it are not the ends of its curves")
            break
    by_plan = {e.name: Results.of_plan(e, found[e.name].replicates) for e in plan.experiments if e.name in found}
    experiments = tuple(e for e in plan.experiments if e.name in by_plan)
    ran = Ran(replace(plan, experiments=experiments), by_plan, run.folder.parent, run.name, "", ())
    said = {item["id"]: item["verdict"] for item in run.read("claims.json")}
    for verdict in judged(ran):
        if verdict.id in said and _class(said[verdict.id]) != _class(verdict.verdict):
            words.append(
                f"it says that the claim {verdict.id} {_word(said[verdict.id])}; judged again from its curves it {_word(verdict.verdict)}"
            )
    return words


def _class(verdict: str) -> str:
    return HOLDS if verdict == SEEN else verdict


def _word(verdict: str) -> str:
    return verdict if verdict in (HOLDS, FAILS) else f"is {verdict}"


def _alike(written: Mapping[str, Any], ends: Mapping[str, Any]) -> bool:
    """Whether finals are numbers' ends: what is undefined is nothing, and so is what is infinite in runs of before."""
    if not written.keys() >= ends.keys():
        return False
    for name, end in ends.items():
        one, other = (np.asarray(value, dtype=float) for value in (written[name], end))
        if one.shape != other.shape or not np.array_equal(
            one, np.where(np.isnan(one) & np.isinf(other), np.nan, other), equal_nan=True
        ):
            return False
    return True

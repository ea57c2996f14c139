"""A study, or a run of one, in a line that can be cited: the paper, the study with its digest, the version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec import spec
from dlspec.spec.passes.registration import registered

SHOWN = 12
"""So many digits of a digest are told."""


def study_line(
    document: spec.Document, plan: spec.StudyPlan, version: str, about: Mapping[str, Any] | None = None
) -> str:
    """The line of a study, in the profile and with the overrides of its plan; of a run, which `about` tells of, with its time and packages."""
    source = document.study.source
    of = f" After {_paper(source)}." if source is not None and source.paper else ""
    how = "".join(
        [f", profile {plan.profile}" if plan.profile else "", f", {' '.join(plan.overrides)}" if plan.overrides else ""]
    )
    digest = str(registered(plan)["digest"])[:SHOWN]
    made = f"dlspec {version}"
    if about is not None:
        packages = [f"{name} {number}" for name, number in (about.get("packages") or {}).items() if name != "dlspec"]
        made = ", ".join([made, *packages]) + f", run on {str(about.get('finished', ''))[:10]}"
    return f"{plan.title.rstrip('.')}.{of} Study {plan.name}{how}, digest {digest} ({made})."


def _paper(source: Any) -> str:
    parts = [f"{word} {value}" for word, value in (("section", source.section), ("figure", source.figure)) if value]
    return ", ".join([str(source.paper), *parts])

"""A study, or a run of one, in a line that can be cited: the paper, the study with its digest, the version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec import spec
from dlspec.spec.passes.registration import registered

SHOWN = 12
"""So many digits of a digest are told."""


def study_line(
    document: spec.Document, plan: spec.StudyPlan, version: str, about: Mapping[str, Any] | None = None
) -> str:
    """The line of a study, in the profile and with the overrides of its plan; of a run, which `about` tells of, with its time and packages."""
    return line(document.study, str(registered(plan)["digest"]), version, plan.profile or "", plan.overrides, about)


def line(
    study: Any, digest: str, version: str, profile: str, overrides: Sequence[str], about: Mapping[str, Any] | None
) -> str:  # fmt: skip
    """The same of a study's model, where the digest of its claims and its design is known."""
    source = study.source
    of = f" After {_paper(source)}." if source is not None and source.paper else ""
    how = "".join([f", profile {profile}" if profile else "", f", {' '.join(overrides)}" if overrides else ""])
    made = f"dlspec {version}"
    if about is not None:
        packages = [f"{name} {number}" for name, number in (about.get("packages") or {}).items() if name != "dlspec"]
        made = ", ".join([made, *packages]) + f", run on {str(about.get('finished', ''))[:10]}"
    return (
        f"{(study.title or study.study).rstrip('.')}.{of} Study {study.study}{how}, digest {digest[:SHOWN]} ({made})."
    )


def _paper(source: Any) -> str:
    parts = [f"{word} {value}" for word, value in (("section", source.section), ("figure", source.figure)) if value]
    return ", ".join([str(source.paper), *parts])

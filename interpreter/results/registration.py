"""The file beside a study that holds what was registered of it, and how a run compares with that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.passes.registration import differences, registered

from .atomic_files import write
from .errors import StoreError

FORMAT_VERSION = 1
FULL = "full"
"""What a study without a profile is called."""


def registration_file(study: Path) -> Path:
    """Where the registration of a study lies: `flat.registered.json` beside `flat.yaml`."""
    return study.with_name(f"{study.stem}.registered.json")


def read_registrations(study: Path) -> dict[str, Any]:
    """What was registered of a study, by profile; empty where nothing was. Raises StoreError where the file can't be read."""
    path = registration_file(study)
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["format_version"] != FORMAT_VERSION:
            raise ValueError(f"its format_version is {found['format_version']}, and this is {FORMAT_VERSION}")
        for one in found["registrations"].values():
            datetime.fromisoformat(one["time"])
            one["claims"], one["design"], one["digest"]
        return dict(found["registrations"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"{path}: cannot be read: {why}", "`git restore` it, or remove it and register again."
        ) from None


def register(study: Path, plan: StudyPlan, judged: int, before: Mapping[str, Any]) -> Path:
    """Writes what is registered of a plan beside its study, over what was `before`; `judged` is how many runs were judged until now.

    Raises OSError.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    registrations = {**before, plan.profile or FULL: {"time": now, "runs_before": judged, **registered(plan)}}
    whole = {"format_version": FORMAT_VERSION, "study": plan.name, "registrations": registrations}
    text = (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()
    path = registration_file(study)
    write(path.parent, lambda stream: stream.write(text), path.name)
    return path


def compared(study: Path | None, plan: StudyPlan) -> Mapping[str, Any] | None:
    """How a run's claims and design compare with what was registered; None where nothing was. Raises StoreError."""
    own = read_registrations(study).get(plan.profile or FULL) if study is not None else None
    if own is None:
        return None
    return {
        "time": own["time"],
        "runs_before": own["runs_before"],
        "digest": own["digest"],
        "differences": differences(own, registered(plan)),
    }


def registration_text(registration: Mapping[str, Any] | None) -> list[str]:
    """The same in words, a line each."""
    if registration is None:
        return []
    when = datetime.fromisoformat(registration["time"]).strftime("%Y-%m-%d %H:%M UTC")
    before = (
        f", after {registration['runs_before']} earlier run{'s' if registration['runs_before'] > 1 else ''}"
        if registration["runs_before"]
        else ""
    )
    if not registration["differences"]:
        return [f"claims and design are as registered on {when}{before} ({registration['digest'][:12]})"]
    return [f"not as registered on {when}{before}:", *(f"  {line}" for line in registration["differences"])]

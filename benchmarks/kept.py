"""What pages of the documentation keep of runs: what these were made by, and a file of it all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dlspec.interpreter.api.run import Run

from .machine import processor

NOT_YET = "not measured yet"
"""Where a number or a verdict is to stand that is not kept."""


def checksum(said: Any) -> str:
    """Of what a file says: comments, layout and the order of keys are not in it."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def made_by(run: Run) -> dict[str, Any]:
    """The version of the numbers, the packages and the processor of a run that ended here."""
    return {
        "numerics": run.about["numerics"],
        "packages": run.about["packages"],
        "processor": processor(),
    }


def registered(registration: Mapping[str, Any]) -> str:
    """What a page says of how a run agrees with what was registered before it."""
    when = datetime.fromisoformat(registration["time"]).strftime("%Y-%m-%d %H:%M UTC")
    same = "as they were" if not registration["differences"] else "**not as they were**"
    runs = registration["runs_before"]
    earlier = f", after {runs} earlier run{'s' * (runs > 1)}" if runs else ""
    return f"Claims and design are {same} registered on {when}{earlier}."


def read_kept(file: Path) -> dict[str, Any]:
    """What is kept, by name; nothing where there is no file yet."""
    held: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return held


def write_kept(file: Path, held: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Keeps what belongs to some names, in their order; returns it."""
    ordered = {name: held[name] for name in names if name in held}
    file.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return ordered

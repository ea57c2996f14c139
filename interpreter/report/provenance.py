"""What a run comes from, in words: the same on its page and on that of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..results.made_by import stored_by_text, versions_text
from ..results.run_list import RunRecord

IN_THE_HEAD = ("study", "profile", "command")
"""What a run's own page says elsewhere."""


def provenance(run: RunRecord, replicates: Mapping[str, int], name: str = "") -> dict[str, str]:
    """What is said of a run, in order; `replicates` are how many ended how, `name` is what it will be called, where its folder has another still."""
    about = run.about
    versions = versions_text({**(about.get("packages") or {}), "Python": about.get("python", "–")})
    accelerator = f" ({about['accelerator']})" if about.get("accelerator") else ""
    stored = f"; {about['stored']:,} were stored before" if about.get("stored") else ""
    return {
        "run": name or run.name, "study": run.study, "profile": run.profile or "none", "ended": f"{run.finished:%Y-%m-%d %H:%M:%S} UTC",
        "command": run.command_line, "git": _git(about), "versions": "; ".join(filter(None, [versions, stored_by_text(about)])),
        "language, numerics": f"{about.get('language', '–')}, {about.get('numerics', '–')}",
        "numbers": _by_experiment(about.get("numbers"), ": ", "; ", ". "),
        "device": f"{about.get('device', '–')}{accelerator}; {about.get('processor', '–')}; {about.get('platform', '–')}",
        "seeds": _by_experiment(about.get("seeds"), " ", ", ", "; "),
        "replicates": ", ".join(f"{count:,} {status}" for status, count in replicates.items()) + stored,
    }  # fmt: skip


def _git(about: Mapping[str, Any]) -> str:
    if "git" not in about:
        return "not recorded"
    git = about["git"]
    if not git:
        return "no commit known"
    return f"{git['commit']}, {'with uncommitted changes' if git.get('dirty') else 'nothing changed'}"


def _by_experiment(words: Mapping[str, Any] | None, lead: str, between: str, after: str) -> str:
    """
    >>> _by_experiment({"e": [7, 8], "f": [9]}, " ", ", ", "; ")
    'e 7, 8; f 9'
    """
    parts = [f"{experiment}{lead}{between.join(map(str, own))}" for experiment, own in (words or {}).items()]
    return after.join(parts) or "not recorded"

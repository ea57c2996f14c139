"""The revision of a study: git's commit, and whether something differed from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .git_command import git


def revision(study: Path) -> dict[str, Any] | None:
    """The commit that a study's repository is at, and whether tracked files differed from it, or git didn't know the study.

    Other files that git doesn't know don't count: runs leave some. Nothing where there is no repository, no commit, or
    no git: a run needs none.
    """
    commit = _git(study.parent, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(study.parent, "status", "--porcelain", "--untracked-files=no")
    known = _git(study.parent, "ls-files", "--error-unmatch", "--", study.name)
    return {"commit": commit.strip(), "dirty": changed != "" or known is None}


def _git(folder: Path, *arguments: str) -> str | None:
    done = git("--no-optional-locks", *arguments, folder=folder)
    return done.stdout.decode("utf-8", "replace") if done is not None and done.returncode == 0 else None

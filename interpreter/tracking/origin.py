"""Where a run comes from, as trackers note it: the command, the study's revision in git, versions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..backend.versions import versions
from ..results.git_revision import revision


@dataclass(frozen=True)
class Origin:
    """The words of the command, and the study's file where it has one."""

    command: Sequence[str] = ()
    study: Path | None = None

    def tags(self) -> dict[str, str]:
        """It as tags, by MLflow's names where there are some."""
        tags = {f"dlspec.package.{name}": str(number) for name, number in versions().items()}
        if self.command:
            tags["dlspec.command"] = shlex.join(["dlspec", *map(str, self.command)])
        if self.study is not None:
            tags["mlflow.source.name"] = str(self.study)
            git = revision(self.study)
            if git is not None:
                tags |= {"mlflow.source.git.commit": git["commit"], "dlspec.git.dirty": str(git["dirty"]).lower()}
        return tags

"""Three versions of a study merged by meaning, for `dlspec merge`, `dlspec-check merge` and `dlspec.merge`. Needs no more than the language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

if TYPE_CHECKING:
    from dlspec.spec.merge.review import Review

VERSIONS = ("the base", "ours", "theirs")
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class MergedVersions:
    """The text that a merge gives, in ours' layout; the paths that both sides changed, each in its own way; and what may mean something else now."""

    name: str
    text: str
    conflicts: tuple[str, ...]
    doubts: tuple[str, ...]
    versions: tuple[str, str, str]

    @cached_property
    def review(self) -> Review:
        """The errors of the merged study, and what it changes in all against the base."""
        from dlspec.spec.merge.review import reviewed

        texts = (text.removeprefix(BYTE_ORDER_MARK) for text in (*self.versions, self.text))
        return reviewed(*(Source(self.name, text) for text in texts))


def merged_versions(name: str, versions: tuple[str, str, str]) -> MergedVersions:
    """The merge of three texts: the base, empty where there is none, ours and theirs; `name` is what messages call it. Raises Unmergeable."""
    from dlspec.spec.merge import Unmergeable, merged

    for which, text in zip(VERSIONS, versions, strict=True):
        if not spec.is_study(text.removeprefix(BYTE_ORDER_MARK)) and (text.strip() or which != VERSIONS[0]):
            raise Unmergeable(f"{which} is not a study: no line begins with `dlspec:`")
    result = merged(*versions)
    conflicts = tuple(".".join(conflict.path) for conflict in result.conflicts)
    return MergedVersions(name, result.text, conflicts, result.doubts, versions)

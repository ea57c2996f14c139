"""Edit pairs of `dlspec diff`: each a study, a change of its text, and what a reviewer has to be told of it.

A file of pairs names the `study` that its pairs change, which each may choose by itself. A pair has

- `name`, and `edit`: texts that are replaced, [old, new]; `before` has replacements that are made on both sides;
- `exit`: what `dlspec diff` ends with: 0 for equal meaning, 1 for a difference, 2 where a side is no valid study;
- `headline`: the headline, or texts that it or the warnings below it have (without regard to case); `never`: patterns that the headline has not;
- `changes`: each changed path with its classes; or `classes`: those of all changes together;
- `warnings`: each claim that is warned of, with what it is said to be: `loosened`, `perhaps` (loosened), `removed`, or `any`;
  `*` stands for every claim of the study;
- `cells`: the cells of each status, but for those that keep their results: how many, or their names, or `any`;
- `pending`: why the pair is not met yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from dlspec import spec
from dlspec.spec.check.memo import Common
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare, study
from dlspec.spec.diff.sections import warned
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.resolve.document import Document
from dlspec.spec.resolve.overrides import Override

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
STATUSES = ("again", "measures", "steps", "new", "gone")
SAID = {"loosened": r"(?<!perhaps )loosened", "perhaps": "perhaps loosened", "removed": "removed", "any": ""}


@dataclass(frozen=True)
class Pair:
    """A pair, and what the diff has to say of it; what is None is not held against it."""

    name: str
    study: str
    edit: Sequence[Sequence[str]]
    exit: int
    before: Sequence[Sequence[str]] = ()
    headline: str | Sequence[str] = ()
    never: Sequence[str] = ()
    changes: Mapping[str, Sequence[str]] | None = None
    classes: Sequence[str] | None = None
    warnings: Mapping[str, str] | str | None = field(default_factory=dict)
    cells: Mapping[str, int | str | Sequence[str]] = field(default_factory=dict)
    pending: str = ""

    def sides(self) -> tuple[str, str]:
        """The study's text before and after."""
        old = replaced(self, text_of(self.study), self.before)
        return old, replaced(self, old, self.edit)

    def faults(self, diff: StudyDiff) -> list[str]:
        """Where a difference is not what it has to be."""
        found = [f"headline: {text}" for text in self._headline(diff)]
        if int(not diff.same) != self.exit:
            found.append(f"exit {int(not diff.same)}, not {self.exit}")
        classes = sorted({name for change in diff.changes for name in change.classes})
        if self.classes is not None and classes != sorted(self.classes):
            found.append(f"classes {classes}")
        if self.changes is not None:
            changes = {change.label: list(change.classes) for change in diff.changes}
            if changes != self.changes:
                found.append(f"changes {changes}")
        return found + self._warnings(diff) + self._cells(diff)

    def _headline(self, diff: StudyDiff) -> list[str]:
        if isinstance(self.headline, str):
            found = [] if diff.headline == self.headline else [f"it is not {self.headline!r}"]
        else:
            said = "\n".join([diff.headline, *warned(diff)]).lower()
            found = [f"no {text!r}" for text in self.headline if str(text).lower() not in said]
        return found + [f"it has {text!r}" for text in self.never if re.search(text, diff.headline)]

    def _warnings(self, diff: StudyDiff) -> list[str]:
        messages: dict[str, str] = {}
        for item in diff.warnings:
            messages[item.claim] = f"{messages.get(item.claim, '')}; {item.message}"
        wanted = self.warnings
        if wanted is None:
            return []
        if isinstance(wanted, str):
            return [] if messages else ["no warning"]
        if "*" in wanted:
            claims = [name for item in document(self.sides()[1]).study.experiments.values() for name in item.claims]
            wanted = dict.fromkeys(claims, wanted["*"])
        found = [f"no warning of {name}" for name in wanted if name not in messages]
        found += [f"a warning of {name}: {text}" for name, text in messages.items() if name not in wanted]
        return found + [
            f"{name} is not said to be {word}: {messages[name]}"
            for name, word in wanted.items()
            if name in messages and not re.search(SAID[word], messages[name])
        ]

    def _cells(self, diff: StudyDiff) -> list[str]:
        found = []
        for status in STATUSES:
            names = sorted(cell.name for cell in diff.cells if cell.status == status)
            wanted = self.cells.get(status, [])
            if wanted == "any":
                continue
            if isinstance(wanted, int):
                right = len(names) == wanted
            else:
                right = all(any(fnmatchcase(name, item) for item in wanted) for name in names) and all(
                    any(fnmatchcase(name, item) for name in names) for item in wanted
                )
            if not right:
                found.append(f"{status}: {len(names)} {names}")
        return found


@cache
def text_of(study: str) -> str:
    """The text of a study of this folder, or of the project's examples."""
    return ((ROOT if study.startswith("examples/") else FOLDER) / study).read_text("utf-8")


def replaced(pair: Pair, text: str, edits: Sequence[Sequence[str]]) -> str:
    """A text with each old text replaced, wherever it stands."""
    for old, new in edits:
        assert old in text, f"{pair.name}: the study has no {old!r}"
        text = text.replace(old, new)
    return text


@cache
def document(text: str) -> Document:
    """A study that was read."""
    return spec.parse(Source("study.yaml", text))


def difference(pair_name: str) -> StudyDiff:
    """What the diff says of a pair. Raises StudyError where a side is no valid study."""
    done, _ = _both_ways(pair_name)
    return done


def same_when_undone(pair_name: str) -> bool:
    """Whether the diff says of one of `BOTH_WAYS` that it is the same, with its sides the other way round."""
    _, undone = _both_ways(pair_name)
    assert undone is not None
    return undone


@cache
def _both_ways(pair_name: str) -> tuple[StudyDiff, bool | None]:
    """One after the other: the other way asks for what was resolved for the one."""
    before, after = BY_NAME[pair_name].sides()
    done = compared(before, after)
    return done, compared(after, before).same if pair_name in BOTH_WAYS else None


def compared(before: str, after: str) -> StudyDiff:
    """The difference of two texts; a study that many pairs change is resolved once. Raises StudyError."""
    with patch.object(study, "resolve", resolved):
        return compare(document(before), document(after))


def resolved(
    document: Document, profile: str | None, overrides: Sequence[Override], only: Sequence[str], common: Common
) -> StudyPlan:
    """A document in a profile; what was resolved before is not again."""
    return _plan(document, profile, tuple(only))


@lru_cache(maxsize=128)
def _plan(document: Document, profile: str | None, only: tuple[str, ...]) -> StudyPlan:
    return spec.resolve(document, profile, (), only, _common(document))


@lru_cache(maxsize=128)
def _common(document: Document) -> Common:
    return Common()


def _read(path: Path) -> list[Pair]:
    data: Any = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if isinstance(data, list):
        return [_exact(entry) for entry in data]
    return [Pair(**{"study": data["study"], **entry}) for entry in data["pairs"]]


def _exact(entry: Mapping[str, Any]) -> Pair:
    """A pair of base.yaml with all its changes and names of cells."""
    more = {key: entry[key] for key in ("headline", "changes", "cells", "pending") if key in entry}
    return Pair(
        "base: " + entry["name"], "base.yaml", entry["edit"], int(not entry["same"]), warnings=dict.fromkeys(entry["warnings"], "any"), **more
    )  # fmt: skip


PAIRS = [pair for path in [FOLDER / "corpus.yaml", *sorted((FOLDER / "corpus").glob("*.yaml"))] for pair in _read(path)]
BY_NAME = {pair.name: pair for pair in PAIRS}
BOTH_WAYS = {pair.name for pair in PAIRS if pair.exit != 2 and (pair.study == "base.yaml" or pair.exit == 0)}
"""Pairs that are compared the other way, too: those of the smallest study, and all that mean the same."""

"""Profiles on both sides: which is which, what one changes, and what differs in one beside what differs without it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..ir.plan import Program
from ..passes.digests import Digests
from ..resolve.document import Document
from ..source import nodes as yaml
from .cells import cells
from .changes import CLASSES, Cell, Change, Texts, Warned, Where
from .claims import compare_claims
from .experiment import Comparison, Result
from .judged_on import JudgedOn
from .likeness import Parts, assigned
from .matching import Matching
from .settings import Side

NO_RESULT = "no result depends on this name"


class Profiles:
    """The profiles of two studies; each is known by its later name."""

    def __init__(self, before: Document, after: Document) -> None:
        self.documents = (before, after)
        old, new = ([*document.study.profiles] for document in self.documents)
        gone = {name: _parts(_node(before, name)) for name in old if name not in new}
        fresh = {name: _parts(_node(after, name)) for name in new if name not in old}
        self.renamed = assigned(gone, fresh)
        self.shared = [(name, self.renamed.get(name, name)) for name in old if self.renamed.get(name, name) in new]
        """Profiles that both sides have, each under its older and its later name."""
        known = {name for pair in self.shared for name in pair}
        self.added = [name for name in new if name not in known]
        self.removed = [name for name in old if name not in known]

    def written(self, which: int, experiment: str) -> dict[str, Any]:
        """What the profiles of one side say of an experiment."""
        document = self.documents[which]
        names = {old: new for old, new in self.shared} if not which else {}
        patches = {
            names.get(name, name): model.node("experiments", experiment)
            for name, model in document.study.profiles.items()
        }
        return {name: yaml.data(node) for name, node in patches.items() if node is not None}

    def names(self) -> list[Change]:
        """Profiles under another name, and what they say of themselves."""
        changes = []
        for old, new in self.shared:
            if old != new:
                path, note = ("profiles", old), NO_RESULT
                changes.append(Change("", path, "renamed", old, new, ("text",), note=note, scope="profile"))
            about = self.documents[0].study.profiles[old].about, self.documents[1].study.profiles[new].about
            if about[0] != about[1]:
                action = "added" if about[0] is None else "removed" if about[1] is None else "changed"
                changes.append(Change("", ("profiles", new, "about"), action, *about, ("text",)))
        return changes


def with_profile(result: Result, profile: str, inside: Result) -> Result:
    """What was found of an experiment, with what differs inside a profile and not in the same way without it."""
    known = {_key(change) for change in result.changes}
    changes = [
        replace(change, where=Where(change.where.variants, (profile,)))
        for change in inside.changes
        if _key(change) not in known
    ]
    # What follows from the same changes is the same warning, with numbers of the profile's own.
    spoken = str if changes else _without_numbers
    said = {(item.claim, spoken(item.message)) for item in result.warnings}
    warnings = [
        replace(item, profile=profile) for item in inside.warnings if (item.claim, spoken(item.message)) not in said
    ]
    return Result(
        [*result.changes, *changes],
        result.cells,
        [*result.warnings, *warnings],
        {**result.profiles, profile: tuple(inside.cells)},
    )


@dataclass
class Alone:
    """A profile that one side alone has: that it came or went, with what it changes, and the cells that it makes."""

    change: Change
    cells: list[Cell] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)


def alone(profile: str, action: str, sides: Mapping[str, tuple[Side, Side]]) -> Alone:
    """A profile that came or went.

    Args:
        profile: Its name.
        action: `added` or `removed`.
        sides: The experiments that it patches, each without it and in it.
    """
    texts: Texts = (None, profile) if action == "added" else (profile, None)
    parts: list[Change] = []
    lone = Alone(Change("", ("profiles", profile), action, *texts, ("text",), scope="profile"))
    for name, (usual, own) in sides.items():
        comparison = Comparison(name, usual, own)
        parts += comparison.result().changes
        there = {program.digest for program in _programs(usual)}
        fresh = [program for program in _programs(own) if program.digest not in there]
        lone.cells += cells([(None, item) if action == "added" else (item, None) for item in fresh], {}, Digests())
        judged = comparison.judged if action == "added" else JudgedOn(Matching(own, usual))
        says = "compared with no profile, {}" if action == "added" else "removed with its profile; without it, {}"
        for item in compare_claims(name, judged, itself=True)[0]:
            lone.warnings.append(replace(item, message=says.format(item.message), profile=profile))
    held = {part for change in parts for part in change.classes}
    classes = tuple(part for part in CLASSES if part in held and (part != "text" or held == {"text"})) or ("text",)
    lone.change = replace(lone.change, classes=classes, parts=tuple(parts))
    return lone


def _programs(side: Side) -> Iterator[Program]:
    for points in side.programs.values():
        yield from points.values()


def _key(change: Change) -> object:
    # What a whole part changes may be more or less in a profile: that it came or went is said once.
    classes = () if change.scope else change.classes
    return (change.path, change.action, change.before, change.after, classes, change.scope)


def _without_numbers(message: str) -> str:
    return re.sub(r"\d[\d.,]*", "0", message)


def _node(document: Document, profile: str) -> yaml.Node | None:
    return document.study.profiles[profile].node("experiments")


def _parts(node: yaml.Node | None) -> Parts:
    """What a profile patches, at each depth, and to what: all patched places alike make it the same profile with other values."""
    places = {path[:depth] for path, _ in _leaves(node, ()) for depth in range(1, len(path) + 1)}
    return Counter([*places, *((*path, repr(value)) for path, value in _leaves(node, ()))])


def _leaves(node: yaml.Node | None, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Any]]:
    if not isinstance(node, yaml.Mapping):
        return [(path, yaml.data(node))] if node is not None else []
    return [leaf for key, inner in node.entries for leaf in _leaves(inner, (*path, key.text))]

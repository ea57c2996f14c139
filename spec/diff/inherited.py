"""What an experiment has from the one that it is derived from: a change of the base is one change, however many have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .changes import Change


def told_once(changes: Sequence[Change], bases: Mapping[str, str]) -> list[Change]:
    """Changes with those marked that an experiment has from its base, and the base's with who has it.

    Args:
        changes: Those of all experiments.
        bases: The experiment that each derived one is derived from.
    """
    origins: dict[object, list[str]] = {}
    for change in changes:
        origins.setdefault(_what(change), []).append(change.experiment)
    marked = []
    for change in changes:
        theirs = origins[_what(change)]
        source = next((base for base in _above(change.experiment, bases) if base in theirs), "")
        heirs = () if source else tuple(one for one in theirs if change.experiment in _above(one, bases))
        marked.append(replace(change, inherited=source, heirs=heirs))
    return marked


def _what(change: Change) -> object:
    return (change.path, change.action, change.before, change.after, change.classes, change.where, change.scope)


def _above(name: str, bases: Mapping[str, str]) -> Iterator[str]:
    """All that an experiment is derived from, the next one first."""
    seen = {name}
    while (name := bases.get(name, "")) and name not in seen:
        seen.add(name)
        yield name

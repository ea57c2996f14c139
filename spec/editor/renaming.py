"""A name changed wherever it stands for the same: in its experiment, in those derived from it, and in profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..diagnostics.problems import Source, StudyError
from ..model.base import NAME
from ..resolve.load import parse
from ..source import nodes as yaml
from .names import Names
from .words import Word, words


class NotRenamed(Exception):
    """A name stays as it is; its text says why."""


def uses(top: yaml.Mapping, lines: list[str], experiments: Mapping[str, Names], line: int, column: int) -> list[Word]:
    """All places of the name at a position; none where there is no name of the writer's."""
    every = words(top, lines, experiments)
    here = next((word for word in every if word.line == line and word.start <= column <= word.end), None)
    if here is None or here.kind in ("", "parameter"):
        return []
    family = _family(top, here.experiment)
    return [word for word in every if (word.text, word.kind) == (here.text, here.kind) and word.experiment in family]


def moves_draws(source: Source, places: list[Word], name: str) -> bool:
    """Whether random draws follow the name at some places: under another they are others. Raises NotRenamed where the study would mean something else."""
    if not re.fullmatch(NAME, name):
        raise NotRenamed(f"'{name}' is not a name: write a letter, then letters, digits and underscores")
    lines = source.text.split("\n")
    for word in sorted(places, key=lambda word: (word.line, word.start), reverse=True):
        text = lines[word.line]
        lines[word.line] = text[: word.start] + name + text[word.end :]
    text = "\n".join(lines)
    from ..diff import compare  # a server loads it where a name is changed alone

    try:
        before = parse(source)
        found = compare(before, parse(Source(source.name, text, source.folder)))
    except StudyError as error:
        raise NotRenamed(f"'{places[0].text}' cannot be called '{name}': {error.problems[0].message}") from None
    other = [change for change in found.changes if change.action != "renamed"]
    if other or not found.changes:
        what = ".".join(other[0].path) if other else "nothing changes"
        raise NotRenamed(f"'{places[0].text}' cannot be called '{name}': the study would mean something else ({what})")
    return any(change.seeds for change in found.changes)


def _family(top: yaml.Mapping, experiment: str) -> set[str]:
    """An experiment with those that it is derived from, and those derived from it: they share their names."""
    experiments = top.get("experiments")
    bases = {}
    for key, node in experiments.entries if isinstance(experiments, yaml.Mapping) else ():
        base = node.get("base") if isinstance(node, yaml.Mapping) else None
        bases[key.text] = base.text if isinstance(base, yaml.Scalar) else ""
    family = {experiment}
    while True:
        more = {name for name, base in bases.items() if base in family} | {bases.get(name, "") for name in family}
        more = (more & bases.keys()) - family
        if not more:
            return family
        family |= more

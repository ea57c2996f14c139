"""The words of a study's expressions and keys, each with what stands for it: for renaming, and for colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..model.fields import TOP, Place
from ..source import nodes as yaml
from .names import Names, kinds_at

WORD = re.compile(r"(?<![\w.])[A-Za-z]\w*")
LOCAL = re.compile(r"(?:\bfor|,)\s+([A-Za-z]\w*)\s*<")


@dataclass(frozen=True)
class Word:
    """A word: its line and columns from 0, the experiment that it stands in, and the kind of name that it is there; empty for none."""

    text: str
    line: int
    start: int
    end: int
    experiment: str
    kind: str
    declares: bool = False


def words(top: yaml.Mapping, lines: list[str], experiments: Mapping[str, Names]) -> list[Word]:
    """All words of the expressions and of the writer's own keys, from the top down."""
    walker = _Walker(lines, experiments)
    return sorted(set(walker.below(top, TOP, (), "")), key=lambda word: (word.line, word.start))


class _Walker:
    def __init__(self, lines: list[str], experiments: Mapping[str, Names]) -> None:
        self.lines = lines
        self.experiments = experiments

    def below(self, node: yaml.Node, place: Place, path: tuple[str | int, ...], experiment: str) -> Iterator[Word]:
        """The words of a node and of what is in it; `path` leads to it within its experiment."""
        if isinstance(node, yaml.Mapping):
            keys = node.texts()
            for key, value in node.entries:
                name, inner = experiment, (*path, key.text)
                if path[-1:] == ("experiments",) and not experiment:
                    name, inner = key.text, ()
                elif experiment:
                    yield from self._key(key, place, place.model(keys) is None, experiment)
                yield from self.below(value, place.below(key.text, keys), inner, name)
        elif isinstance(node, yaml.Sequence):
            for number, item in enumerate(node.items):
                yield from self.below(item, place.item(), (*path, number), experiment)
        elif experiment and isinstance(node.value, str):
            yield from self._value(node, place, path, experiment)

    def _key(self, key: yaml.Scalar, place: Place, chosen: bool, experiment: str) -> Iterator[Word]:
        """The word of a key, if the writer chose it (`chosen`), and it is none of the language."""
        match, names = WORD.match(key.text), self.experiments.get(experiment)
        if match is None or not chosen or names is None:
            return
        known = names.find(match[0], *kinds_at(place, (), True, key.text))
        if known is not None:
            yield from self._found(key, [(match[0], known.kind, bool(place.declares))], experiment, first=True)

    def _value(self, node: yaml.Scalar, place: Place, path: tuple[str | int, ...], experiment: str) -> Iterator[Word]:
        names = self.experiments.get(experiment)
        if names is None:
            return
        inside = _within(path)
        kinds = kinds_at(place, inside, False, node.text)
        if place.condition or place.expression(node.text):
            local = {*LOCAL.findall(node.text), *_parameters(inside, names)}
            found = []
            for match in WORD.finditer(node.text):
                known = None if match[0] in local else names.find(match[0], *kinds)
                found.append((match[0], "parameter" if match[0] in local else known.kind if known else "", False))
            yield from self._found(node, found, experiment)
            return
        first = WORD.match(node.text)
        known = names.find(first[0], *kinds) if first is not None else None
        if known is not None:
            yield from self._found(node, [(known.name, known.kind, False)], experiment, first=True)

    def _found(
        self, node: yaml.Scalar, wanted: list[tuple[str, str, bool]], experiment: str, first: bool = False
    ) -> Iterator[Word]:  # fmt: skip
        """The words of a scalar where they stand in the text; one in several lines is followed line by line."""
        span = node.span
        line, column = span.line - 1, span.column - 1
        for text, kind, declares in wanted:
            while line < span.end_line and line < len(self.lines):
                match = re.compile(rf"(?<![\w.]){re.escape(text)}(?!\w)").search(self.lines[line], column)
                if match is not None:
                    yield Word(text, line, match.start(), match.end(), experiment, kind, declares)
                    column = match.end()
                    break
                line, column = line + 1, 0
            if first:
                return


def _within(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A path within an experiment without the variants or the named patches that it leads through."""
    while path[:1] == ("variants",) and len(path) > 1:
        path = path[2:]
    return path[3:] if path[:1] == ("sweep",) and len(path) > 2 else path


def _parameters(path: tuple[str | int, ...], names: Names) -> tuple[str, ...]:
    """The parameters of the function that an expression is of, or whose gradient it says."""
    path = path[3:] if path[:2] == ("training", "phases") else path
    if path[:1] == ("gradient",) and len(path) > 2:
        known = names.find(str(path[1]), "functions")
        return known.parameters if known is not None else ()
    if path[:1] == ("functions",) and len(path) > 1:
        _, _, rest = str(path[1]).partition("(")
        return tuple(word.strip() for word in rest.rstrip(") ").split(",") if word.strip())
    return ()

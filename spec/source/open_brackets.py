"""Which brackets of YAML's own are open at a place of a text, as its scanner counts them: none in quotes, comments or blocks of text."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

CLOSED_BY = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Bracket:
    """An opening bracket, and where it stands, counted from 0."""

    character: str
    line: int
    column: int


def open_brackets(text: str, line: int, column: int) -> list[Bracket]:
    """The brackets that are open before a place, the innermost last; what no YAML can hold ends the reading.

    >>> [one.character for one in open_brackets("a: {b: [1, '{'}", 0, 14)]
    ['{', '[']
    """
    opened: list[Bracket] = []
    try:
        for token in yaml.scan(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            place = token.start_mark
            if (place.line, place.column) >= (line, column):
                break
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                character = "[" if isinstance(token, yaml.FlowSequenceStartToken) else "{"
                opened.append(Bracket(character, place.line, place.column))
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
                opened.pop()
    except yaml.YAMLError:
        pass
    return opened

"""Where a cursor stands in a text that may be half typed: read from indentation and brackets, not by a YAML parser.

Lines and columns count from 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..model.fields import NOWHERE, TOP, Place

_LINE = re.compile(
    r"(?P<lead>(?:\s*-(?=\s|$))*\s*)(?:(?P<key>\"[^\"]*\"|'[^']*'|[^\s#'\"{}\[\],&*!|>%@`-][^#]*?|-\w[^#]*?)\s*:(?=\s|$))?"
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOK_BACK = 200


@dataclass(frozen=True)
class Where:
    """The steps from the top to the cursor, each with the keys around it.

    `key` says that a key is being written there (and `steps` lead to its mapping); otherwise it is a value, and the
    last step is that value's. `before` is the text of the key or value up to the cursor.
    """

    steps: tuple[tuple[str | int, Mapping[str, str]], ...]
    key: bool
    before: str
    word: str
    start: int
    end: int
    siblings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def place(self) -> Place:
        """What the models say of the mapping (for a key) or of the value."""
        place = TOP
        for step, keys in self.steps:
            place = place.item() if isinstance(step, int) else place.below(step, keys)
            if place == NOWHERE:
                break
        return place

    @property
    def path(self) -> tuple[str | int, ...]:
        """The steps without what is around them."""
        return tuple(step for step, _ in self.steps)

    @property
    def experiment(self) -> str | None:
        """The experiment that the cursor stands in, in itself or in a profile."""
        path = self.path[2:] if self.path[:1] == ("profiles",) else self.path
        return str(path[1]) if path[:1] == ("experiments",) and len(path) > 1 else None

    @property
    def inside(self) -> tuple[str | int, ...]:
        """The path within the experiment; within the patch, for a variant."""
        path = self.path[2:] if self.path[:1] == ("profiles",) else self.path
        path = path[2:]
        while path[:1] == ("variants",) and len(path) > 2:
            path = path[2:]
        return path


@dataclass(frozen=True)
class _Opening:
    """A dash or a key of a line: its column, the key's text, and where its value begins."""

    column: int
    key: str | None
    value: int


def _openings(line: str) -> list[_Opening]:
    """The dashes and the key that a line of block style begins with."""
    match = _LINE.match(line)
    if match is None:
        return []
    openings = [_Opening(place, None, place + 1) for place, c in enumerate(match["lead"]) if c == "-"]
    if match["key"] is not None:
        openings.append(_Opening(match.start("key"), match["key"].strip().strip("\"'"), match.end()))
    return openings


def where(lines: list[str], line: int, column: int) -> Where | None:
    """Where a position is; None inside a comment or a text in a block."""
    if line >= len(lines):
        return Where((), True, "", "", column, column, _siblings(lines, len(lines), 0))
    text = lines[line]
    column = min(column, len(text))
    if _commented(text, column):
        return None
    word, start, end = _word(text, column)
    flow = _flow_start(lines, line, column)
    if flow is not None:
        at, opening = flow
        steps = _above(lines, at, opening)
        return _in_flow(lines, at, opening, line, column, steps, (word, start, end))
    openings = _openings(text)
    held = [opening for opening in openings if opening.column < column or opening.column == column < opening.value]
    own = held[-1] if held else None
    lead = len(text) - len(text.lstrip())
    if own is not None and own.key is not None and column >= own.value:
        steps = _above(lines, line, own)
        return (
            None
            if _block_text(lines, steps, line)
            else Where(steps, False, text[own.value : column].strip(), word, start, end)
        )
    first = own.column if own is not None and own.key is not None else _first_word(text, own, column, lead)
    steps = _above(lines, line, _Opening(first, None, first), dashes=[item for item in held if item.key is None])
    if _block_text(lines, steps, line):
        return None
    if _continues(lines, line, first) and own is None:
        return _continued(lines, line, column, (word, start, end))
    siblings = _siblings(lines, line, first)
    siblings.pop(word, None)
    return Where(steps, True, text[first:column], word, start, end, siblings)


def _first_word(text: str, start: _Opening | None, column: int, lead: int) -> int:
    if start is not None:
        rest = text[start.value :]
        return start.value + (len(rest) - len(rest.lstrip()) if rest.strip() else max(1, column - start.value))
    return lead if text.strip() else column


def _word(text: str, column: int) -> tuple[str, int, int]:
    for match in _WORD.finditer(text):
        if match.start() <= column <= match.end():
            return match.group(), match.start(), match.end()
    return "", column, column


def _commented(text: str, column: int) -> bool:
    quote = ""
    for place, character in enumerate(text[:column]):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (place == 0 or not text[place - 1].isalnum()):
            quote = character
        elif character == "#" and (place == 0 or text[place - 1] in " \t"):
            return True
    return False


def _above(
    lines: list[str], line: int, opening: _Opening, dashes: list[_Opening] | None = None
) -> tuple[tuple[str | int, Mapping[str, str]], ...]:
    """The steps to what an opening holds, from the top."""
    found: list[tuple[str | int, Mapping[str, str]]] = []
    if opening.key is not None:
        found.append((opening.key, _siblings(lines, line, opening.column)))
    least = opening.column
    here = _openings(lines[line]) if line < len(lines) else []
    own = dashes if dashes is not None else [item for item in here if item.key is None and item.column < opening.column]
    listed = False
    for dash in reversed(own):
        found.append((_index(lines, line, dash.column), {}))
        least, listed = dash.column, True
    for number in range(line - 1, -1, -1):
        if least == 0 and not listed:
            break
        for item in reversed(_openings(lines[number])):
            inside = item.column < least or (item.column == least and listed and item.key is not None)
            if not inside or not lines[number].strip():
                continue
            if item.key is None:
                found.append((_index(lines, number, item.column), {}))
                listed = True
            else:
                found.append((item.key, _siblings(lines, number, item.column)))
                listed = False
            least = item.column
    return tuple(reversed(found))


def _index(lines: list[str], line: int, column: int) -> int:
    """How many items with a dash in this column stand above, in the same list."""
    count = 0
    for number in range(line - 1, -1, -1):
        text = lines[number]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        lead = len(text) - len(text.lstrip())
        if lead < column or (lead == column and not text.lstrip().startswith("-")):
            break
        count += any(item.key is None and item.column == column for item in _openings(text))
    return count


def _siblings(lines: list[str], line: int, column: int) -> dict[str, str]:
    """The keys in one column around a line, and what stands behind them."""
    siblings: dict[str, str] = {}
    for step in (-1, 1):
        number = line if step < 0 else line + 1
        while 0 <= number < len(lines):
            text = lines[number]
            openings = _openings(text)
            lead = len(text) - len(text.lstrip())
            blank = not text.strip() or text.lstrip().startswith("#")
            dashed = any(item.key is None and item.column < column for item in openings)
            if not blank and lead < column and (not dashed or (step > 0)):
                break
            for item in openings:
                if item.column == column and item.key is not None:
                    siblings.setdefault(item.key, text[item.value :].strip().strip("\"'"))
            if not blank and dashed and lead < column:
                break
            number += step
    return siblings


def _continues(lines: list[str], line: int, column: int) -> bool:
    """Whether a line without a colon goes on with the value of the key above it."""
    number, opening = _key_above(lines, line)
    if opening is None or _openings(lines[line]):
        return False
    value = lines[number][opening.value :].strip()
    return column > opening.column and bool(value) and not value.startswith(("#", "&", "|", ">"))


def _key_above(lines: list[str], line: int) -> tuple[int, _Opening | None]:
    for number in range(line - 1, -1, -1):
        openings = _openings(lines[number])
        if openings:
            return number, openings[-1] if openings[-1].key is not None else None
    return -1, None


def _continued(lines: list[str], line: int, column: int, word: tuple[str, int, int]) -> Where | None:
    number, opening = _key_above(lines, line)
    if opening is None:
        return None
    before = " ".join([lines[number][opening.value :].strip(), *(text.strip() for text in lines[number + 1 : line])])
    return Where(_above(lines, number, opening), False, f"{before} {lines[line][:column].strip()}", *word)


def _block_text(lines: list[str], steps: tuple[tuple[str | int, Mapping[str, str]], ...], line: int) -> bool:
    """Whether the last step above is a text begun with `|` or `>`."""
    if not steps:
        return False
    for number in range(line - 1, -1, -1):
        openings = _openings(lines[number])
        lead = len(lines[line]) - len(lines[line].lstrip())
        if openings and openings[-1].column < lead:
            return re.match(r"\s+[|>][-+0-9]*\s*(#.*)?$", lines[number][openings[-1].value :]) is not None
    return False


# -- braces and brackets -----------------------------------------------------------------------------------------------


def _flow_start(lines: list[str], line: int, column: int) -> tuple[int, _Opening] | None:
    """The line and opening whose value is a `{` or `[` that is still open at a position."""
    for number in range(line, max(-1, line - _LOOK_BACK), -1):
        openings = [item for item in _openings(lines[number]) if number < line or item.value <= column]
        if not openings:
            continue
        rest = lines[number][openings[-1].value :]
        if rest.lstrip()[:1] in ("{", "["):
            depth = _scan(lines, number, openings[-1].value, line, column)
            return (number, openings[-1]) if depth else None
        if number < line and not lines[number][:1].isspace():
            return None
    return None


@dataclass
class _Level:
    """An open bracket: the keys before the cursor, the key being given a value, and how many items came before."""

    mapping: bool
    keys: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    count: int = 0
    text: str = ""


def _scan(lines: list[str], first: int, start: int, line: int, column: int) -> list[_Level]:
    """The brackets open at a position, outermost first."""
    levels: list[_Level] = []
    quote, round_ = "", 0
    for number in range(first, line + 1):
        text = lines[number]
        begin, end = (start if number == first else 0), (column if number == line else len(text))
        for place in range(begin, end):
            c = text[place]
            top = levels[-1] if levels else None
            if quote:
                quote = "" if c == quote else quote
                if quote and top is not None:
                    top.text += c
            elif c in "\"'" and (top is None or not top.text.strip()):
                quote = c
            elif c == "#" and (place == 0 or text[place - 1] in " \t"):
                break
            elif c in "{[" and (top is None or not top.text.strip()):
                levels.append(_Level(c == "{"))
                round_ = 0
            elif c in "}]" and round_ == 0 and top is not None and top.text.count("[") <= top.text.count("]"):
                levels.pop()
                if not levels:
                    return []
            elif top is None:
                continue
            elif c == "," and round_ == 0 and top.text.count("[") <= top.text.count("]"):
                if top.key is not None:
                    top.keys[top.key] = top.text.strip()
                top.key, top.text, top.count = None, "", top.count + 1
            elif c == ":" and top.key is None and text[place + 1 : place + 2] in ("", " ") and round_ == 0:
                top.key, top.text = top.text.strip(), ""
            else:
                round_ += (c == "(") - (c == ")")
                top.text += c
    return levels


def _in_flow(
    lines: list[str], at: int, opening: _Opening, line: int, column: int,
    steps: tuple[tuple[str | int, Mapping[str, str]], ...], word: tuple[str, int, int],
) -> Where:  # fmt: skip
    levels = _scan(lines, at, opening.value, line, column)
    found = list(steps)
    for place, level in enumerate(levels):
        last = place == len(levels) - 1
        keys = {**level.keys, **({level.key: level.text.strip()} if level.key else {})}
        if level.mapping:
            if level.key is None:
                after = _later_keys(lines[line], column)
                return Where(tuple(found), True, level.text.strip(), *word, siblings={**level.keys, **after})
            found.append((level.key, keys))
        else:
            found.append((level.count, {}))
            if level.key is not None:
                found.append((level.key, keys if last else {level.key: ""}))
    return Where(tuple(found), False, levels[-1].text.strip(), *word)


def _later_keys(text: str, column: int) -> dict[str, str]:
    """Keys behind the cursor in the same braces."""
    keys: dict[str, str] = {}
    depth = 0
    for match in re.finditer(r"[{\[(]|[}\])]|(\w+)\s*:\s", text[column:]):
        if match[1] is None:
            depth += 1 if match.group() in "{[(" else -1
            if depth < 0:
                break
        elif depth == 0:
            keys[match[1]] = ""
    return keys

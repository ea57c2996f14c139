"""Lark's tables, walked with what texts have in common done once. For valid texts: of all others Lark says what is wrong.

An atom stands ten rules of a single child below its expression. Such a chain depends on two states and the next token
alone: it is followed once, and is one step from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from lark import Lark
from lark.lexer import PatternStr
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

END = "$END"


class Word(str):
    """A token: a text, and the offsets where it begins and ends."""

    __slots__ = ("end_pos", "start_pos")
    start_pos: int
    end_pos: int


class Step(NamedTuple):
    """What two states and the next token lead to: the token's own state, on the state that a chain ended in;
    or a rule that ends before it: how many values it takes, its name, and what is made of them; or nothing.
    """

    top: int
    shift: int | None = None
    size: int = 0
    name: str = ""
    callback: Callable[[list[Any]], Any] | None = None


class Walker:
    """Parses by the tables and callbacks of a LALR parser of Lark's; its terminal NAME is what words are made of."""

    def __init__(self, lark: Lark) -> None:
        parser = lark.parser.parser.parser
        (start,) = lark.parser.parser_conf.start
        self.start, self.end = parser.parse_table.start_states[start], parser.parse_table.end_states[start]
        self.states: dict[int, dict[str, tuple[Any, Any]]] = parser.parse_table.states
        self.callbacks = parser.callbacks
        self.steps: dict[tuple[int, int, str], Step] = {}
        by_length = sorted(lark.terminals, key=lambda item: (item.pattern.max_width, len(item.pattern.value)))
        patterns = {item.name: item.pattern.to_regexp() for item in reversed(by_length)}
        word = re.compile(patterns["NAME"])
        self.words = {
            item.pattern.value: item.name
            for item in by_length
            if isinstance(item.pattern, PatternStr) and word.fullmatch(item.pattern.value)
        }
        blank = "".join(f"(?:{patterns.pop(name)})?" for name in lark.lexer_conf.ignore)
        for name in self.words.values():
            del patterns[name]
        tokens = "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())
        self.token = re.compile(f"{blank}(?:{tokens})").match
        self.blank = re.compile(blank).fullmatch

    def parse(self, text: str) -> Any:
        """What the callbacks make of a text, or None where the tables have no place for it."""
        states, values = [self.start], []
        below = state = self.start
        place, words, steps = 0, self.words, self.steps
        while True:
            found = self.token(text, place)
            if found is not None:
                kind = found.lastgroup or ""
                begin, place = found.span(kind)
                token = Word(found[kind])
                token.start_pos, token.end_pos = begin, place
                kind = words.get(token, kind)
            elif self.blank(text, place):
                kind = END
            else:
                return None
            while True:
                key = below, state, kind
                step = steps.get(key)
                if step is None:
                    step = steps[key] = self._step(below, state, kind)
                top, shift, size, name, callback = step
                if shift is not None:
                    states[-1] = below = top
                    states.append(state := shift)
                    values.append(token)
                    break
                if callback is None:
                    return None
                del states[-size:]
                values[-size:] = [callback(values[-size:])]
                below = states[-1]
                _, state = self.states[below][name]
                states.append(state)
                if state == self.end and kind == END:
                    return values[-1]

    def _step(self, below: int, state: int, kind: str) -> Step:
        while True:
            action, argument = self.states[state].get(kind, (None, None))
            if action is None:
                return Step(state)
            if action is Shift:
                return Step(state, argument)
            size, name, callback = len(argument.expansion), argument.origin.name, self.callbacks[argument]
            if size != 1 or not isinstance(callback, ExpandSingleChild):
                return Step(state, None, size, name, callback) if size else Step(state)
            _, state = self.states[below][name]

"""Terms whose expectations say in another way which stream they are over, and in which mode layers compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..ir import terms as t


def said_on(term: t.Term, streams: Mapping[str | None, str | None]) -> t.Term:
    """A term whose expectations say another stream, by what they say; None is the measure's own. What has none stays the same."""
    return _Said("on", streams).term(term)


def said_mode(term: t.Term, modes: Mapping[str | None, str | None]) -> t.Term:
    """The same of the mode of layers."""
    return _Said("mode", modes).term(term)


def streams_said(term: t.Term) -> tuple[str | None, ...]:
    """What the expectations in a term say of the stream that they are over."""
    return tuple(dict.fromkeys(item.on for item in t.within(term, t.Expectation)))


def modes_said(term: t.Term) -> tuple[str | None, ...]:
    """The same of the mode of layers."""
    return tuple(dict.fromkeys(item.mode for item in t.within(term, t.Expectation)))


class _Said:
    """Rewrites each part once, so that parts that are one stay one."""

    def __init__(self, name: str, words: Mapping[str | None, str | None]) -> None:
        self.name = name
        self.words = words
        self.known: dict[int, t.Term] = {}

    def term(self, term: t.Term) -> t.Term:
        """A term that says other words."""
        if id(term) not in self.known:
            self.known[id(term)] = self._rewritten(term)
        return self.known[id(term)]

    def _rewritten(self, term: t.Term) -> t.Term:
        changed = {
            item.name: part
            for item in fields(term)
            if item.name not in ("type", "span")
            and (part := self._part(getattr(term, item.name))) is not getattr(term, item.name)
        }
        if isinstance(term, t.Expectation):
            word = getattr(term, self.name)
            if self.words.get(word, word) != word:
                changed[self.name] = self.words[word]
        return replace(term, **changed) if changed else term

    def _part(self, value: Any) -> Any:
        if isinstance(value, t.Term):
            return self.term(value)
        if isinstance(value, tuple):
            parts = tuple(map(self._part, value))
            return value if all(part is item for part, item in zip(parts, value, strict=True)) else parts
        if isinstance(value, Mapping):
            parts_by_name = {name: self._part(item) for name, item in value.items()}
            return value if all(parts_by_name[name] is value[name] for name in value) else parts_by_name
        return value

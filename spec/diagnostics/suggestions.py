"""Near words: what was meant by a word that is not known, found fast among thousands of names and for thousands of words."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import islice

MAX_COMPARED_DIRECTLY = 200
"""Up to how many words each is compared; of more, those alone that share the rarest letters in a row."""
MAX_CANDIDATES = 48
"""How many of many words are compared."""
CUTOFF = 0.6
"""How alike words have to be, from 0 to 1: twice the letters in common over those of both."""
MAX_WORD_LENGTH = 100
"""No longer word is compared: nobody misspells one."""


class Words:
    """Some names, asked about again and again. Made once for what asks often: what it holds never changes.

    >>> Words(["floor", "floor_to", "ceil"]).near("floor_too")
    'floor_to'
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.given = tuple(dict.fromkeys(words))
        self.words = frozenset(self.given)

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def sorted(self) -> tuple[str, ...]:
        """The words in the order of the alphabet."""
        return tuple(sorted(self.words))

    @cached_property
    def folded(self) -> dict[str, str]:
        """Each word by its small letters; of two that differ in capitals alone, the first."""
        return {word.lower(): word for word in reversed(self.sorted) if len(word) <= MAX_WORD_LENGTH}

    @cached_property
    def index(self) -> dict[str, list[str]]:
        """The words, in small letters, that hold some letters in a row."""
        words_by_letters: dict[str, list[str]] = {}
        for word in self.folded:
            for part in _parts(word):
                words_by_letters.setdefault(part, []).append(word)
        return words_by_letters

    def near(self, word: str, but: Collection[str] = ()) -> str:
        """The nearest of the words but for some that may not stand there; nothing when none is near."""
        small = word.lower()
        if len(small) > MAX_WORD_LENGTH:
            return ""
        if len(self.folded) <= MAX_COMPARED_DIRECTLY:
            return self._nearest(small, tuple(self.folded), but)
        found: dict[str, None] = {}
        rows = sorted((self.index.get(part, []) for part in _parts(small)), key=len)
        for row in rows:
            found.update(dict.fromkeys(row[: MAX_CANDIDATES - len(found)]))
            if len(found) >= MAX_CANDIDATES:
                break
        return self._nearest(small, tuple(found), but)

    def _nearest(self, small: str, among: tuple[str, ...], but: Collection[str]) -> str:
        close = (self.folded[word] for word in _close(small, among) if _fits(small, word))
        return next((word for word in islice(close, 1 + len(but)) if word not in but), "")


@lru_cache(maxsize=64)
def _asked_of(words: tuple[str, ...]) -> Words:
    """The same words asked about again: what is looked up in them is made once."""
    return Words(words)


def _parts(word: str) -> set[str]:
    """The pairs and the triples of letters in a row of a word, its beginning and end marked."""
    marked = f"^{word}$"
    return {marked[at : at + size] for size in (2, 3) for at in range(len(marked) - size + 1)}


@lru_cache(maxsize=8192)
def _close(word: str, among: tuple[str, ...]) -> list[str]:
    """The four nearest. What `difflib` would refuse for its length or its letters is not shown to it: that is slow."""
    least = CUTOFF / 2
    likely = [
        other
        for other in among
        if min(len(word), len(other)) >= least * (both := len(word) + len(other))
        and sum(map(other.__contains__, word)) >= least * both
    ]
    return difflib.get_close_matches(word, likely, n=4, cutoff=CUTOFF)


@lru_cache(maxsize=8192)
def _fits(word: str, other: str) -> bool:
    """Whether one may have been meant by the other: few letters of it are others."""
    return _begins_or_ends(word, other) or _edits(word, other) <= (len(word) + len(other) + 3) / 6


def _begins_or_ends(one: str, other: str) -> bool:
    """Whether the shorter word begins or ends the longer."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) or long.endswith(short)


def _edits(one: str, other: str) -> int:
    """How many letters are to be changed, left out, put in or swapped with the next to come from one word to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for place, wanted in enumerate(other, 1):
            edits = min(row[-1] + 1, before[place] + 1, before[place - 1] + (letter != wanted))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == wanted:
                edits = min(edits, last[place - 2] + 1)
            row.append(edits)
    return row[-1]


def did_you_mean(word: str, known: Iterable[str], but: Collection[str] = ()) -> str:
    """The nearest of the known words but for some as a question, or nothing when none is near.

    >>> did_you_mean("floor_too", ["floor", "floor_to", "ceil"])
    "Did you mean 'floor_to'?"
    """
    near = (known if isinstance(known, Words) else _asked_of(tuple(known))).near(word, but)
    return f"Did you mean '{near}'?" if near else ""

"""Words that stand for one of a few things."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from dlspec.spec.diagnostics.problems import Problem, StudyError, did_you_mean, listing, sentence

Choice = TypeVar("Choice", bound=StrEnum)


def choice(kind: type[Choice], name: str, word: str) -> Choice:
    """The member that a word names. Raises StudyError."""
    try:
        return kind(word)
    except ValueError:
        words = [one.value for one in kind]
        hint = sentence(did_you_mean(str(word), words), f"It is {listing(words)}.")
        raise StudyError(Problem(f"there is no {name} '{word}'", hint=hint)) from None

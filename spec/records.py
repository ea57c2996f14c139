"""Dataclasses that are made by the hundred thousand: fixed for whoever checks types, and made like any object when the program runs.

A frozen dataclass sets each of its fields by a call that goes around the guard that it put there itself, which takes four times as long as
setting them. What a reading makes of each word of a study is a record therefore: mypy refuses whatever sets a field of one, and nothing looks
for that once more at each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, eq: bool = True, **how: Any) -> Callable[[type], type]:
        """`dataclasses.dataclass`, without the guard: `frozen` is for whoever checks types, and records hash as frozen ones do."""
        assert frozen
        return dataclass(eq=eq, unsafe_hash=eq, **how)


__all__ = ["record"]

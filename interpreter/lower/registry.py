"""Where lowerings are registered: one an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Lower = Callable[..., Any]
LOWERINGS: dict[str, Lower] = {}


def lowers(name: str) -> Callable[[Lower], Lower]:
    """Registers the lowering of an operation; a second one is refused."""

    def register(lower: Lower) -> Lower:
        if name in LOWERINGS:
            raise ValueError(f"the operation '{name}' has two lowerings")
        LOWERINGS[name] = lower
        return lower

    return register

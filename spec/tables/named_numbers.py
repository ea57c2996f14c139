"""Numbers that have a name in the language."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .by_name import by_name


@dataclass(frozen=True)
class NamedNumber:
    """A name that stands for the same real number everywhere, unless a name of the experiment's own hides it."""

    name: str
    value: float
    meaning: str


NAMED_NUMBERS = by_name(
    (NamedNumber("pi", math.pi, "3.14159…, half the circumference of a circle of radius 1"),),
    "named number",
)
"""The named numbers, by name."""

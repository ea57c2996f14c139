"""The table of number types that weights may be kept in between updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .by_name import by_name


@dataclass(frozen=True, slots=True)
class StoredType:
    """A row: `digits` bits of a number after its first, `least` the exponent of 2 of its smallest normal number, `most` the largest finite number."""

    name: str
    meaning: str
    digits: int
    least: int
    most: float
    source: str = ""


STORED_TYPES: Mapping[str, StoredType] = by_name(
    (
        StoredType("float32", "not rounded: what updates are computed in", 23, -126, 2.0**128 - 2.0**104),
        StoredType(
            "bfloat16", "float32 with 7 bits after the point: steps of less than about 1/256 of a weight are lost", 7, -126, 2.0**128 - 2.0**119,
            "Kalamkar et al. 2019",
        ),
        StoredType(
            "float16", "half precision, 10 bits after the point, from 6e-8 to 65504: smaller numbers are 0, larger ones infinite", 10, -14, 65504.0,
            "IEEE 754-2008",
        ),
    ),
    "number type of weights",
)  # fmt: skip

LEFT_OUT = "left_out"
"""What measures call the number of updates that were left out, where a loss is scaled."""

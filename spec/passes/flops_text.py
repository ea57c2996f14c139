"""Numbers of floating-point operations as people read them."""

from __future__ import annotations


def flops(count: float) -> str:
    """Operations in three digits.

    >>> flops(1234567), flops(0)
    ('1.23 M', '0')
    """
    for size, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g}"

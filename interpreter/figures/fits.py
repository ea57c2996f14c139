"""Laws fitted to measures against a swept constant, by least squares on the scale that makes them straight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def fitted(law: str, x: Array, y: Array) -> tuple[Callable[[Array], Array], str]:
    """The fitted law, and how to write it: `power` y = a · x^b, `exponential` y = a · exp(b · x), `linear` y = a + b · x."""
    if law == "linear":
        slope, offset = np.polyfit(x, y, 1)
        return (lambda grid: offset + slope * grid), f"{offset:.3g} + {slope:.3g} · x"
    kept = y > 0
    if law == "power":
        kept &= x > 0
        slope, offset = np.polyfit(np.log(x[kept]), np.log(y[kept]), 1)
        return (lambda grid: np.exp(offset) * grid**slope), f"{np.exp(offset):.3g} · x^{slope:.2f}"
    slope, offset = np.polyfit(x[kept], np.log(y[kept]), 1)
    return (lambda grid: np.exp(offset + slope * grid)), f"{np.exp(offset):.3g} · exp({slope:.3g} x)"

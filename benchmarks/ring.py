"""The places of the ring, as `examples/failures/ring.yaml` lists them."""

from __future__ import annotations

from typing import Any

import numpy as np


def centres(k: int) -> np.ndarray[Any, Any]:
    """The centres [k, 2] of the data, at a distance of 2."""
    angle = 2 * np.pi * np.arange(k) / k
    return 2 * np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)

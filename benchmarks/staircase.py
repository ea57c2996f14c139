"""The steps of the staircase, as `examples/flat.yaml` lists them."""

from __future__ import annotations

import numpy as np

NEAR = [-5, -4, -3, -2, -1, -0.2, 0, 0.1, 0.15, 0.175, 1, 2, 3, 4, 5]
OFFSETS = np.unique(np.concatenate([np.arange(-100, 100, 5), NEAR])).astype(np.float32)

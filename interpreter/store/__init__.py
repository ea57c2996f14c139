"""The store of cells: what was run once is kept under its name, and not run again."""

from __future__ import annotations

from ..store_errors import Damaged, StoreError, explained
from .checkpoints import Checkpoint, Checkpoints
from .store import WHOLE, Claim, Store

__all__ = ["WHOLE", "Checkpoint", "Checkpoints", "Claim", "Damaged", "Store", "StoreError", "explained"]

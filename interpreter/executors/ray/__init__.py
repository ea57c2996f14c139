"""Runs cells on a Ray cluster: connecting to it, what a cell asks of it, the executor here, and what runs on the workers.

Nothing else imports Ray, and nothing imports this package unless `--executor ray` asks for it.
"""

from __future__ import annotations

from .connect import ClusterError, connected

__all__ = ["ClusterError", "connected"]

"""Jobs on a Ray cluster; nothing else imports Ray.

In: jobs and an address. Out: their results, from workers with checkpoints of their own.
"""

from __future__ import annotations

from .connect import ClusterError, connected

__all__ = ["ClusterError", "connected"]

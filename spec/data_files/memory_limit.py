"""How much of data files is held in memory: what is larger is read from disk as it is needed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..diagnostics.problems import Problem, StudyError

LIMIT = "DLSPEC_DATA_MEMORY"
"""The environment variable that says how much of a program's columns is held: `512M`, `8G`, or bytes."""
SHARE = 4
"""One part in so many of the memory that there is may be taken by columns: they are there twice, in NumPy and as tensors."""
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory_limit() -> int:
    """The bytes of columns that are held in memory. Raises StudyError where the environment does not say a number.

    Unless the environment says it, a quarter of what the process may take: of the machine's memory, of its container's, and of what
    `ulimit -v` leaves it.
    """
    said = os.environ.get(LIMIT, "").strip()
    if said:
        found = re.fullmatch(r"(\d+)\s*([KMGT]?)(i?B)?", said, re.IGNORECASE)
        if found is None:
            raise StudyError(Problem(f"{LIMIT} is '{said}', which is not a number of bytes", None, f"`{LIMIT}=8G`"))
        return int(found[1]) * UNITS[found[2].upper()]
    there = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else []
    there += [limit for limit in (_of_container(), address_space_left()) if limit is not None]
    return min(there, default=2**33) // SHARE


def _of_container() -> int | None:
    try:
        return int(CGROUP.read_text("ascii"))
    except (OSError, ValueError):  # none, or `max`
        return None


def address_space_limited() -> bool:
    """Whether `ulimit -v` holds for this process."""
    return address_space_left() is not None


def address_space_left() -> int | None:
    """What `ulimit -v` leaves; None without such a limit."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (ImportError, OSError, ValueError):
        return None
    return max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))

"""The user's own cache: files that take long to make and are the same for every process of one installation."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path | None:
    """The folder, made if it is not there; None where it cannot be written.

    What lies in it is loaded as code or by `pickle`, so others must not write there.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlspec"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None

"""The one writer of npz files: zips of NumPy arrays, whose entries may have any name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np


def write_npz(target: Path | IO[bytes], arrays: Iterable[tuple[str, Any]], compressed: bool = True) -> int:
    """Writes named arrays as `np.savez_compressed` or `np.savez` does, one at a time; returns how many. Raises OSError."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        return add_arrays(archive, arrays)


def add_arrays(archive: zipfile.ZipFile, arrays: Iterable[tuple[str, Any]]) -> int:
    """Adds named arrays to a zip that is open, `NAME.npy` each; returns how many. Raises OSError."""
    count = 0
    for name, value in arrays:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array(entry, np.asanyarray(value), allow_pickle=False)
        count += 1
    return count

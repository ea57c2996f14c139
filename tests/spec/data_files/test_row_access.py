"""Rows that cannot be mapped into memory: file, size and remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dlspec.spec.data_files.row_access import RowAccess
from dlspec.spec.diagnostics.problems import StudyError

STARVED = """
import resource, sys
from pathlib import Path
import numpy as np
from dlspec.spec.data_files.row_access import RowAccess
from dlspec.spec.diagnostics.problems import StudyError
rows = RowAccess(Path(sys.argv[1]), 0, np.dtype("f4"), (256,), 2**20)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**25, resource.RLIM_INFINITY))
for read in (lambda: rows.mapped, lambda: next(rows.stretches()), lambda: rows.take(np.array([5, 3]))):
    try:
        read()
    except StudyError as error:
        print(error.problems[0].message, "|", error.problems[0].hint)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on address space is Linux'")
def test_where_address_space_ends_the_file_is_named_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "rows.npy"
    with file.open("wb") as stream:
        stream.truncate(2**30)
    made = subprocess.run([sys.executable, "-c", STARVED, str(file)], capture_output=True, text=True, check=True)
    lines = made.stdout.splitlines()
    for line, size in zip(lines, ("1,024", "64", "256"), strict=True):
        message, hint = line.split(" | ")
        assert message == f"rows.npy: {size} MiB of its rows cannot be mapped into memory: Cannot allocate memory"
        assert hint.startswith("`ulimit -v` leaves ") and hint.endswith("or run fewer processes at a time (`-j 1`).")


def test_rows_that_are_no_longer_there_are_told(tmp_path: Path) -> None:
    rows = RowAccess(tmp_path / "rows.npy", 0, np.dtype("f4"), (4,), 100)
    with pytest.raises(
        StudyError, match=r"rows\.npy: 0 MiB of its rows cannot be mapped .*: No such file or directory"
    ):
        rows.take(np.array([5]))
    (tmp_path / "rows.npy").write_bytes(bytes(16))
    with pytest.raises(StudyError, match="it is shorter than it was"):
        rows.take(np.array([5]))

"""The large file, small: training from disk gives the bits of training in memory, also when it was killed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dlspec.spec.data_files.survey import survey

from benchmarks import large_file


def test_the_file_has_the_rows_that_are_asked_for(tmp_path: Path) -> None:
    rows = large_file.write(tmp_path / "d.parquet", 2**24 + 5)
    found = survey(tmp_path / "d.parquet").columns
    assert rows == found["x"].rows == (2**24 + 5) // large_file.ROW_BYTES == 65_281
    assert (found["x"].kind, found["x"].shape, found["y"].kind) == ("real", (64,), "int")
    assert found["y"].classes is not None and np.ptp(list(found["y"].classes.values())) < 1000


@pytest.mark.slow
def test_bits_are_the_same_in_memory_from_disk_and_after_a_kill(capsys: pytest.CaptureFixture[str]) -> None:
    large_file.main(["--size", "8M", "--steps", "2000", "--rounds", "1"])
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] > 2**23 > told["bytes held from disk"] and told["values of curves compared"] >= 21

"""Files of arrays: as NumPy writes them, whatever the entries are called."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlspec.interpreter.results.npz import write_npz

ARRAYS = {"w": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "number": np.float32(0.1)}


@pytest.mark.parametrize(("compressed", "numpy"), [(True, np.savez_compressed), (False, np.savez)])
def test_the_bytes_are_those_of_numpy(compressed: bool, numpy: Callable[..., None]) -> None:
    ours, theirs = io.BytesIO(), io.BytesIO()
    assert write_npz(ours, ARRAYS.items(), compressed) == len(ARRAYS)
    numpy(theirs, **ARRAYS)
    assert ours.getvalue() == theirs.getvalue()


def test_an_entry_may_be_called_as_numpys_own_parameter(tmp_path: Path) -> None:
    assert write_npz(tmp_path / "a.npz", [("file", np.ones(2)), ("e/v/{}/0", np.zeros(1))]) == 2
    with np.load(tmp_path / "a.npz") as arrays:
        assert sorted(arrays) == ["e/v/{}/0", "file"] and arrays["file"].tolist() == [1, 1]


def test_nothing_is_an_empty_file_of_arrays() -> None:
    assert write_npz(io.BytesIO(), []) == 0

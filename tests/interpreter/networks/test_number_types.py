"""Numbers are rounded to types of fewer bits as NumPy does, to the bit, in both compiled forms."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.networks.number_types import rounded

TYPES = {"bfloat16": ml_dtypes.bfloat16, "float16": np.float16, "float32": np.float32}


def tried() -> np.ndarray:
    """Numbers of every exponent, ties and their neighbours, and what is special."""
    bits = np.random.default_rng(1).integers(0, 2**32, 400_000, dtype=np.uint64).astype(np.uint32)
    every = (np.arange(2**16, dtype=np.uint32) << 16)[:, None] + np.array(
        [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32
    )
    half = np.arange(2**15, dtype=np.uint16).view(np.float16).astype(np.float32)
    with np.errstate(all="ignore"):
        middle = (half[:-1] + half[1:]) / 2
    near = np.concatenate([np.nextafter(middle, np.float32(0)), middle, np.nextafter(middle, np.float32(np.inf))])
    special = np.array(
        [0.0, -0.0, np.inf, -np.inf, np.nan, 65519.996, 65520, 65535, 2.0**-25, 2.0**-24, 3.4e38], np.float32
    )
    return np.concatenate([bits.view(np.float32), every.ravel().view(np.float32), near, -near, special])


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("xla", [False, True])
def test_numbers_are_rounded_as_numpy_rounds_them(name: str, xla: bool) -> None:
    numbers = tried()
    with np.errstate(all="ignore"):
        expected = numbers.astype(TYPES[name]).astype(np.float32)
    found = tf.function(lambda x: rounded(x, name), jit_compile=xla, autograph=False)(numbers).numpy()
    missing = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), missing)
    same = found.view(np.uint32) == expected.view(np.uint32)
    assert (same | missing).all(), numbers[~(same | missing)][:5]

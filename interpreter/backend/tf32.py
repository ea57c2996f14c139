"""How exact products of float32 are: TensorFlow's switch for TensorFloat-32 is one for a whole process.

XLA reads it when it compiles, the plain graph whenever it runs. So programs that want it on and programs that want it off
take turns; those that want the same run side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
from dlspec.spec.tables.dtypes import DTYPES

_changed = threading.Condition()
_users = 0
_rounded = False


@contextmanager
def tf32_mode(dtype: str) -> Iterator[None]:
    """Products as a number type asks for, within the block; waits while programs that ask for others run."""
    global _users, _rounded
    wanted = DTYPES[dtype].rounded
    with _changed:
        _changed.wait_for(lambda: _users == 0 or _rounded == wanted)
        if _users == 0:
            tf.config.experimental.enable_tensor_float_32_execution(wanted)
            _rounded = wanted
        _users += 1
    try:
        yield
    finally:
        with _changed:
            _users -= 1
            _changed.notify_all()

"""TensorFlow's import without the libraries that it takes along where they are installed, and that training does not need.

Keras takes Matplotlib for its galleries of images and pandas for data frames, in a `try`: where they are not there, it does without. Both
together take longer to load than all else of Keras.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

NOT_NEEDED = frozenset(
    {"IPython", "PIL", "cv2", "huggingface_hub", "jax", "matplotlib", "pandas", "pydot", "sklearn"}
)  # fmt: skip
"""What Keras loads if it is there, for what dlspec does not use of it."""


class _Refusal:
    """A finder of modules that has some libraries be missing for the thread that made it. What is loaded already stays."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Raises ModuleNotFoundError for a module of the libraries; leaves all others to the finders after it."""
        library = name.partition(".")[0]
        if library in self.names and library not in sys.modules and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{name} is not loaded for the start of TensorFlow", name=name)
        return None


def pandas_looked_for() -> None:
    """Has PyArrow look for pandas, as it does once for arrays of NumPy's and once for what is Python's, and loads it where it is there.

    Where pandas is refused meanwhile, PyArrow does without, and loads it still where a data frame is asked for.
    """
    import numpy as np
    import pyarrow as pa

    pa.array(np.zeros(1))
    pa.scalar("")


@contextmanager
def imported_without(names: Collection[str] = NOT_NEEDED) -> Iterator[None]:
    """Has some libraries be missing for what this thread imports meanwhile; for other threads, and afterwards, they are there.

    What was imported meanwhile does without them for the life of the process, so this is for a process of dlspec's own.
    """
    refusal = _Refusal(names)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)

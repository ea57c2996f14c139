"""TensorFlow's import without the libraries that it takes along where they are installed, and without those of its own names that nobody uses.

Keras takes Matplotlib for its galleries of images and pandas for data frames, in a `try`: where they are not there, it does without. Both
together take longer to load than all else of Keras.

TensorFlow's public names lie in packages that hold nothing else (`tf.compat.v1`, `tf.feature_column`, `tf.tpu`), and reading them
loads a quarter of what TensorFlow loads at all. Each is read when the first of its names is asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

NOT_NEEDED = frozenset(
    {"IPython", "PIL", "cv2", "huggingface_hub", "jax", "matplotlib", "pandas", "pydot", "sklearn"}
)  # fmt: skip
"""What Keras loads if it is there, for what dlspec does not use of it."""
NAMES_ALONE = "tensorflow._api.v2."
"""How the names of packages begin that hold names of other modules, and nothing else."""
NAMED_AS_CODE = frozenset({"lite"})
"""Those of them that are called as a package of TensorFlow's own code of which nobody loads anything but they."""


class _Unread(ModuleType):
    """A package that holds names of other modules, and is read when one of them is asked for.

    Threads that ask at the same time each read it: whoever waited for another's import could wait for ever, and names come out the same.
    """

    def __getattr__(self, name: str) -> Any:
        readers: set[int] = self.__dict__.setdefault("__readers__", set())
        thread, loader = threading.get_ident(), self.__dict__.get("__loader__")
        if thread in readers or loader is None or isinstance(loader, _LoadedUnread):  # it is being read, or made
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        readers.add(thread)
        try:
            loader.exec_module(self)
        finally:
            readers.discard(thread)
        self.__class__ = ModuleType  # type: ignore[assignment]
        return getattr(self, name)

    def __dir__(self) -> list[str]:
        getattr(self, "__all__", None)  # which has it read
        return [*super().__dir__()]


class _LoadedUnread(Loader):
    """Makes a package of names alone without reading it."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The package, of which nothing is read."""
        return _Unread(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leaves it unread; what reads it is its own loader from then on."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader


def _may_stay_unread(name: str) -> bool:
    """Whether nothing else takes the place of a package of names while it is unread.

    A package of TensorFlow's own code that is called as it is, or as the one that it lies in, would when it is loaded. Where that code is loaded
    for its names alone, the package that holds it is, before: code below it takes nobody's place then.
    """
    root, called = NAMES_ALONE.partition(".")[0], name.removeprefix(NAMES_ALONE).partition(".")[0]
    if PathFinder.find_spec(f"{root}.{called}", sys.modules[root].__path__[:1]) is None:
        return True
    if called in NAMED_AS_CODE:
        import_module(f"{root}.{called}")
    return called in NAMED_AS_CODE


class _Refusal:
    """A finder of modules that has some libraries be missing for the thread that made it, and `NAMES_ALONE` unread. What is loaded already stays."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Raises ModuleNotFoundError for a module of the libraries; leaves all others to the finders after it, but for packages of names alone."""
        if threading.get_ident() != self.thread:
            return None
        library = name.partition(".")[0]
        if library in self.names and library not in sys.modules:
            raise ModuleNotFoundError(f"{name} is not loaded for the start of TensorFlow", name=name)
        if name.startswith(NAMES_ALONE) and _may_stay_unread(name) and (package := PathFinder.find_spec(name, path)):
            assert package.loader is not None
            package.loader = _LoadedUnread(package.loader)
            return package
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
    """Has some libraries be missing, and TensorFlow's names unread, for what this thread imports meanwhile; afterwards they are there.

    What was imported meanwhile does without them for the life of the process, so this is for a process of dlspec's own.
    """
    refusal = _Refusal(names)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)

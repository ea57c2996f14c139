"""Names of traced functions that are the same in every run.

TensorFlow numbers the functions that it traces, in the order in which a process comes to them. XLA's programs are kept by the names of
functions among all else, and where several threads trace, the order is another in each run: what was kept would not be found.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.eager.polymorphic_function import concrete_function
from tensorflow.python.ops import control_flow_util_v2

NAMED_BY = (
    (concrete_function, "_inference_name"),
    (control_flow_util_v2, "unique_fn_name"),
    (control_flow_util_v2, "unique_grad_fn_name"),
)
"""What makes the names of functions, and of the parts of loops and branches: each ends in an underscore and a number."""
_OF_THREAD = threading.local()
_GIVEN: Counter[str] = Counter()
"""How often each name was given: TensorFlow takes functions of one name for one, so no two have the same."""
_GIVING = threading.Lock()


class _Numbers:
    """What a text gives to be put behind names: a number of its own, with which name it is."""

    def __init__(self, said: Callable[[], str]) -> None:
        self.said = said
        self.text = ""
        self.count = 0

    def next(self) -> str:
        """The next."""
        self.text = self.text or hashlib.sha256(self.said().encode()).hexdigest()[:20]
        self.count += 1
        return f"{self.text}_{self.count}"


def _with_own_numbers(name: Callable[..., str]) -> Callable[..., str]:
    def numbered(*parts: Any) -> str:
        numbers: _Numbers | None = getattr(_OF_THREAD, "numbers", None)
        counted = name(*parts)
        return counted if numbers is None else _not_given_before(f"{counted.rpartition('_')[0]}_{numbers.next()}")

    return numbered


def _not_given_before(name: str) -> str:
    with _GIVING:
        before = _GIVEN[name]
        _GIVEN[name] += 1
    return f"{name}_{before}" if before else name


for _module, _function in NAMED_BY:
    if hasattr(_module, _function):  # else names are counted, as TensorFlow has it
        setattr(_module, _function, _with_own_numbers(getattr(_module, _function)))


@contextmanager
def named(said: Callable[[], str]) -> Iterator[None]:
    """Functions that this thread traces meanwhile are named by a text, which should say what makes them differ from others, the same in every run."""
    before = getattr(_OF_THREAD, "numbers", None)
    _OF_THREAD.numbers = _Numbers(said)
    try:
        yield
    finally:
        _OF_THREAD.numbers = before

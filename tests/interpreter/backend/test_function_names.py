"""Traced functions are called the same in every run, whatever was traced before and by whom."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import tensorflow as tf
from dlspec.interpreter.backend import function_names
from dlspec.interpreter.backend.function_names import named


def names(text: str | None) -> list[str]:
    """What a function with a loop in it is called, and the parts of the loop."""

    @tf.function(autograph=False)
    def many(x: Any) -> Any:
        return tf.while_loop(lambda i: i < 3, lambda i: (i + 1,), [x])[0]

    with nullcontext() if text is None else named(lambda: text):
        concrete = many.get_concrete_function(tf.constant(0))
    assert int(concrete(tf.constant(0))) == 3
    return [concrete.name, *(function.name for function in concrete.graph._functions.values())]


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has no name been given before, as in a process that begins."""
    return lambda: monkeypatch.setattr(function_names, "_GIVEN", Counter())


def test_a_text_gives_the_names_in_every_process_and_nothing_else_does(anew: Callable[[], None]) -> None:
    anew()
    first, other = names("one"), names("other")
    assert len(first) >= 3, "the function, the condition and the body"
    counted = [names(None), names(None)]
    again = names("one")
    every = [*first, *other, *again, *counted[0], *counted[1]]
    assert len(set(every)) == len(every), "no two functions have one name"
    anew()
    assert names("one") == first


def test_a_text_is_of_its_thread_alone_and_the_inner_one_holds(anew: Callable[[], None]) -> None:
    found: list[list[str]] = []
    anew()
    first = names("one")
    anew()
    with named(lambda: "outer"):
        thread = threading.Thread(target=lambda: found.append(names(None)))
        thread.start()
        thread.join()
        assert names("one") == first
        outer = names(None)
    assert not {*found[0]} & {*outer, *first}
    anew()
    with named(lambda: "outer"):
        assert names(None) == outer

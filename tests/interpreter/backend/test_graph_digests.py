"""The digest of a traced function: the same for one computation under any name, and another where anything of it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf
from dlspec.interpreter.backend.function_names import named
from dlspec.interpreter.backend.graph_digests import graph_digest


@tf.custom_gradient
def passed_on(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The identity, whose gradient TensorFlow calls by a number."""
    return tf.identity(x), lambda upstream: upstream


def traced(
    name: str = "a",
    times: float = 2.0,
    turns: int = 3,
    key: str = "y",
    xla: bool = False,
    size: int = 4,
    swapped: bool = False,
) -> str:
    """The digest of a loop with a function in its body, over two variables."""
    one, other = tf.Variable(tf.ones([size])), tf.Variable(tf.zeros([size]))

    @tf.function(autograph=False, jit_compile=xla)
    def computed(x: Any) -> dict[str, Any]:
        first, second = (other, one) if swapped else (one, other)
        y = tf.while_loop(lambda i, _: i < turns, lambda i, y: (i + 1, passed_on(y) * times + first), [0, x])[1]
        return {key: y - second}

    with named(lambda: name):
        return graph_digest(computed.get_concrete_function(tf.ones([size])))


def test_a_computation_has_one_digest_under_every_name_and_with_every_variable() -> None:
    assert traced("a") == traced("b") == traced("a much longer name") == traced("a", swapped=True)


@pytest.mark.parametrize("other", [{"times": 3.0}, {"turns": 4}, {"key": "z"}, {"xla": True}, {"size": 5}], ids=str)
def test_what_computes_something_else_has_another(other: dict[str, Any]) -> None:
    assert traced() != traced(**other)

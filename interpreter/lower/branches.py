"""Values in branches of their own: XLA on a CPU makes a value anew in each of the operations that use it, unless it comes out of a branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def out_of_branch(step: Any, function: Callable[[], Any]) -> Any:
    """The tensor that a function makes, once; `step` is a number that is never below 0, and decides. No gradient goes through."""
    found: list[Any] = []

    def taken() -> Any:
        found.append(function())
        return found[0]

    def unused() -> Any:
        return tf.zeros(found[0].shape, found[0].dtype)

    # Not `tf.cond`: XLA takes both branches of a condition where each is elementwise.
    return tf.switch_case(tf.cast(step < 0, tf.int32), [taken, unused])

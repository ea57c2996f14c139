"""Functions that are traced into graphs, without what TensorFlow would keep of each trace for the life of the process, and how they are called."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

_TRACING = threading.RLock()


def graph_function(xla: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: `tf.function` without AutoGraph, compiled by XLA if asked.

    A function must take the gradients of what it computes itself: no gradient is to be taken through it.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def traced(*arguments: Any, **named: Any) -> Any:
            with _custom_gradients_forgotten():
                return function(*arguments, **named)

        return tf.function(traced, jit_compile=xla, autograph=False)

    return decorate


@contextmanager
def _custom_gradients_forgotten() -> Iterator[None]:
    """Removes at the end of a trace the custom gradients that it registered: each holds a graph, some 17 MB, and is of no more use.

    Python code runs one thread at a time, so that traces lose no time by waiting for each other; but for the lock, one
    would remove what another is about to look up.
    """
    registry = ops.gradient_registry._registry
    with _TRACING:
        before = set(registry)
        try:
            yield
        finally:
            for name in [name for name in registry if name not in before and name.startswith("CustomGradient-")]:
                del registry[name]


@contextmanager
def sums_in_order() -> Iterator[None]:
    """Graphs that are first called within the block add in one order.

    Where a graph needs much memory, TensorFlow's rewriting of graphs for less of it adds the terms of a sum to one buffer in the order in which
    they happen to be ready: other bits in each call. The buffer is found by a name that is the same in another thread's call, which then fails.
    There is no public switch for this part of the rewriting alone (TensorFlow 2.21).
    """
    eager = context.context()
    before = eager.function_call_options
    eager.function_call_options = _without_memory_rewriting(before.executor_type, before.config_proto_serialized)
    try:
        yield
    finally:
        eager.function_call_options = before


@functools.cache
def _without_memory_rewriting(executor: str | None, serialized: bytes) -> context.FunctionCallOptions:
    """How functions are called, but for the rewriting of graphs for less memory."""
    config = ConfigProto.FromString(serialized)
    config.graph_options.rewrite_options.memory_optimization = RewriterConfig.NO_MEM_OPT
    return context.FunctionCallOptions(executor, config)

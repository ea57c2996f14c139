"""Sums in graphs that need much memory: the same bits in each call, also where two threads call one function or two of one form at the same time."""

import threading

import numpy as np
import tensorflow as tf
from dlspec.interpreter.program.shared_functions import Functions, Traces

SHAPE = (6000, 2000)
"""Six arrays of this size are more than the 256 MB from which TensorFlow rewrites a graph on a CPU for less memory."""


def functions():
    """Two programs' functions of one form: the first is traced for both, as in a run."""
    traces = Traces()

    def of_program():
        @Functions(traces).shared("sums", False)
        def sums(x):
            def body(i, y):
                return i + 1, tf.sin(y) + tf.cos(y) + tf.tanh(y) + tf.exp(-y)

            return tf.while_loop(lambda i, y: i < 2, body, [0, x])[1]

        return sums

    return of_program(), of_program()


def test_each_call_adds_in_one_order_also_beside_another():
    x = tf.constant(np.random.default_rng(0).normal(size=SHAPE), tf.float32)
    both = functions()
    first = both[0](x).numpy()
    found, faults = [], []

    def call(function):
        try:
            found.extend(function(x).numpy() for _ in range(2))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=call, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert [int((one != first).sum()) for one in found] == [0] * 4

    expected = x.numpy().astype(float)
    for _ in range(2):
        expected = np.sin(expected) + np.cos(expected) + np.tanh(expected) + np.exp(-expected)
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-4)

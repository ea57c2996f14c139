#!/usr/bin/env bash
# TensorFlow 2.21.0, on a CPU: where a graph needs more than 256 MB, a sum of four float32 arrays in a loop has other bits in each call of the same
# function on the same input, as the graph's rewriting for less memory adds the terms to one buffer in the order in which they are ready. (Smaller arrays:
# the same bits in each call.) Called by two threads at the same time, the function raises AlreadyExistsError: the buffer's name is the same in both.
# Seen: "large: other bits True, in two threads: AlreadyExistsError" and "small: other bits False, in two threads: none"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/sums.py" <<'PYTHON'
import threading

import numpy as np
import tensorflow as tf


@tf.function
def sums(x):
    def body(i, y):
        return i + 1, tf.sin(y) + tf.cos(y) + tf.tanh(y) + tf.exp(-y)

    return tf.while_loop(lambda i, y: i < 10, body, [0, x])[1]


def tried(shape):
    x = tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)
    first = sums(x).numpy()
    other = any((sums(x).numpy() != first).any() for _ in range(5))
    raised = set()

    def call():
        try:
            for _ in range(10):
                sums(x)
        except tf.errors.OpError as error:
            raised.add(type(error).__name__)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"other bits {other}, in two threads: {', '.join(sorted(raised)) or 'none'}"


print("large:", tried((6000, 2000)))
print("small:", tried((600, 200)))
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/sums.py" 2>/dev/null | tee "$folder/seen"
grep -qx 'large: other bits True, in two threads: AlreadyExistsError' "$folder/seen"
grep -qx 'small: other bits False, in two threads: none' "$folder/seen"

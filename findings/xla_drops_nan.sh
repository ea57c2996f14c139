#!/usr/bin/env bash
# TensorFlow 2.21.0 (CPU): a NaN is kept by an operation in a graph and dropped by the same operation under XLA, or the other way round.
#
#   reduce_max, reduce_min   graph: nan            XLA: the largest, the smallest of the others
#   sort                     graph: a NaN that sqrt(-1) made comes last      XLA: it comes first (its sign bit is set)
#   argsort(stable=True)     of 0, -0, 0, -0:      graph: 0 1 2 3            XLA: 1 3 0 2, not stable: -0 sorts before 0
#   max_pool2d               of NaN alone:         graph: -3.4028235e+38     XLA: -inf       (of one NaN among numbers: both drop it)
#
# So a loss `max(...)` can be finite while its weights are NaN. The script fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 2>/dev/null
TF_CPP_MIN_LOG_LEVEL=3 "$work/env/bin/python" - 2>/dev/null <<'PY'
import tensorflow as tf

NAN = float("nan")
three = tf.constant([2.0, NAN, 7.0])


def pooled(v):
    return tf.nn.max_pool2d(tf.reshape(v, [1, 1, 3, 1]), [1, 3], 1, "VALID")[0, 0, 0, 0]


cases = {
    "reduce_max": (tf.reduce_max, three, "nan", "7.0"),
    "reduce_min": (tf.reduce_min, three, "nan", "2.0"),
    "sort": (lambda v: tf.sort(tf.sqrt(v)), tf.constant([4.0, -1.0, 1.0]), "[ 1.  2. nan]", "[nan  1.  2.]"),
    "argsort": (lambda v: tf.argsort(v, stable=True), tf.constant([0.0, -0.0, 0.0, -0.0]), "[0 1 2 3]", "[1 3 0 2]"),
    "max_pool of NaN": (pooled, tf.fill([3], NAN), "-3.4028235e+38", "-inf"),
    "max_pool of one NaN": (pooled, three, "7.0", "7.0"),
}
print("TensorFlow", tf.__version__)
for name, (function, argument, graph, xla) in cases.items():
    seen = [str(tf.function(function, jit_compile=jit)(argument).numpy()) for jit in (False, True)]
    print(f"{name:20} graph {seen[0]:16} XLA {seen[1]}")
    assert seen == [graph, xla], f"{name}: was {graph} and {xla}"
PY

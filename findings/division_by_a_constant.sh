#!/usr/bin/env bash
# TensorFlow 2.21.0 on a CPU: in a compiled function, x / 41 of whole float32 numbers is x times the reciprocal of 41, which is rounded before: 41 / 41 is
# 0.99999994, and floor(x / 41) one too low for 39 % of its first 999 multiples. Eager TensorFlow and NumPy divide once, so that the same
# expression, `tf.floor(x / 41)`, is a bin, a label or a digit that changes when a decorator is added. It is so under XLA (`jit_compile=True`), and
# in a plain `tf.function` too, whose graph is rewritten. Division by a tensor that is passed in is exact in all three.
# Seen: "eager: wrong 0.000", "graph: wrong 0.390", "xla: wrong 0.390", "graph, divisor passed in: wrong 0.000", "xla, divisor passed in: wrong 0.000"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/quotients.py" <<'PYTHON'
import numpy as np
import tensorflow as tf

multiples = np.arange(1, 1000, dtype=np.float32) * 41
want = np.floor(multiples / np.float32(41))
assert (want == np.arange(1, 1000)).all()


def bins(x):
    return tf.floor(x / 41.0)


def by(x, divisor):
    return tf.floor(x / divisor)


def told(name, got):
    print(f"{name}: wrong {float((got.numpy() != want).mean()):.3f}")


x, divisor = tf.constant(multiples), tf.constant(41.0)
told("eager", bins(x))
told("graph", tf.function(bins)(x))
told("xla", tf.function(bins, jit_compile=True)(x))
told("graph, divisor passed in", tf.function(by)(x, divisor))
told("xla, divisor passed in", tf.function(by, jit_compile=True)(x, divisor))
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/quotients.py" 2>/dev/null | tee "$folder/seen"
grep -qx 'eager: wrong 0.000' "$folder/seen"
grep -qx 'graph: wrong 0.390' "$folder/seen"
grep -qx 'xla: wrong 0.390' "$folder/seen"
grep -qx 'graph, divisor passed in: wrong 0.000' "$folder/seen"
grep -qx 'xla, divisor passed in: wrong 0.000' "$folder/seen"

#!/usr/bin/env bash
# TensorFlow 2.21.0: each trace of a function with `tf.custom_gradient` leaves an entry in a registry of the process that nothing removes. The entry
# holds the traced graph, so that the graph outlives the function that it was traced for. The same function without a custom gradient is freed.
# Seen: "entries for 20 functions: 20; graphs alive with a custom gradient: 20, without: 0"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/kept.py" <<'PYTHON'
import gc
import weakref

import tensorflow as tf
from tensorflow.python.framework import ops


@tf.custom_gradient
def clipped(x):
    return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


def graph_of(inner):
    @tf.function(autograph=False)
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = inner(x * x)
        return tape.gradient(y, x)

    slope(tf.constant(3.0))
    return weakref.ref(slope.get_concrete_function(tf.constant(3.0)).graph)


def entries():
    return sum(name.startswith("CustomGradient") for name in ops.gradient_registry.list())


def alive(inner):
    graphs = [graph_of(inner) for _ in range(20)]
    gc.collect()
    gc.collect()
    return sum(graph() is not None for graph in graphs)


before = entries()
kept = alive(clipped)
print(f"entries for 20 functions: {entries() - before}; graphs alive with a custom gradient: {kept}, without: {alive(tf.identity)}")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/kept.py" 2>/dev/null | tee "$folder/seen"
grep -qx 'entries for 20 functions: 20; graphs alive with a custom gradient: 20, without: 0' "$folder/seen"

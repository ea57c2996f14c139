#!/usr/bin/env bash
# TensorFlow 2.21.0 (CPU): the persistent cache of XLA's programs finds nothing again where the same functions are traced in another order.
#
#   first process    traces two functions with a loop each, one after the other      2 programs are kept
#   second process   the same, in the same order                                     2: both are found
#   third process    the same two functions, the other one first                     4: both are compiled and kept anew
#
# The bodies of loops are called by a counter of the process, and their names are a part of the key. Where threads trace at the same time,
# the order is another in each run. The script fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 2>/dev/null
cat > "$work/two.py" <<'PY'
import sys

import tensorflow as tf


def sines(x):
    return tf.while_loop(lambda i, x: i < 5, lambda i, x: (i + 1, tf.sin(x) * 1.5), [tf.constant(0), x])[1]


def cosines(x):
    return tf.while_loop(lambda i, x: i < 7, lambda i, x: (i + 1, tf.cos(x) + 0.5), [tf.constant(0), x])[1]


for name in sys.argv[1:]:
    print(tf.__version__, name, tf.function(globals()[name], jit_compile=True)(tf.ones([4]))[0].numpy())
PY
mkdir "$work/kept"
kept() {
  TF_CPP_MIN_LOG_LEVEL=3 TF_XLA_FLAGS="--tf_xla_persistent_cache_directory=$work/kept --tf_xla_persistent_cache_device_types=CPU,XLA_CPU_JIT" \
    "$work/env/bin/python" "$work/two.py" "$@" >/dev/null 2>&1
  find "$work/kept" -type f | wc -l
}
first=$(kept sines cosines)
again=$(kept sines cosines)
other=$(kept cosines sines)
echo "programs kept: $first, in the same order again $again, in the other order $other"
[ "$first $again $other" = "2 2 4" ]

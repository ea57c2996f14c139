#!/usr/bin/env bash
# TensorFlow 2.21.0 on a CPU with oneDNN, its default there: in a tf.function that XLA does not compile, a product, its bias and a relu become one kernel, and that
# kernel gives 0 where the product is NaN. Run eagerly, compiled by XLA, and as a graph without oneDNN (TF_ENABLE_ONEDNN_OPTS=0), the same lines give NaN.
# A weight that is not finite thus leaves no trace in what comes behind such a layer. Eager float32 softmax keeps the NaN in its own entry, and numbers in others.
# Seen: "eager [nan, nan]", "graph [0.0, 0.0]", "xla [nan, nan]", "softmax of 64 with one NaN: 1 undefined"; without oneDNN "graph [nan, nan]"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/relu.py" <<'PYTHON'
import numpy as np
import tensorflow as tf

x = tf.constant([[np.nan, 1.0], [1.0, 2.0]], tf.float32)
kernel = tf.constant([[1.0, -1.0], [2.0, 1.0]], tf.float32)
bias = tf.constant([0.5, 0.5], tf.float32)


def layer(x):
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(x, kernel), bias))


forms = {
    "eager": layer,
    "graph": tf.function(layer, autograph=False),
    "xla": tf.function(layer, autograph=False, jit_compile=True),
}
for name, form in forms.items():
    print(name, form(x).numpy()[0].tolist())
row = np.ones(64, np.float32)
row[0] = np.nan
share = tf.nn.softmax(tf.constant(np.stack([row] * 4))).numpy()
print(f"softmax of 64 with one NaN: {int(np.isnan(share[0]).sum())} undefined")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/relu.py" 2>/dev/null | tee "$folder/seen"
TF_ENABLE_ONEDNN_OPTS=0 TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/relu.py" 2>/dev/null | sed 's/^/without oneDNN: /' | tee "$folder/without"
for line in 'eager [nan, nan]' 'graph [0.0, 0.0]' 'xla [nan, nan]' 'softmax of 64 with one NaN: 1 undefined'; do
  grep -qxF "$line" "$folder/seen"
done
grep -qxF 'without oneDNN: graph [nan, nan]' "$folder/without"

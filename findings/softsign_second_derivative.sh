#!/usr/bin/env bash
# TensorFlow 2.21.0, Keras 3.15.1: softsign has a first derivative and no second one. `SoftsignGrad`, the operation that computes the first, has no
# gradient of its own, while those of the other smooth activations of Keras have. A gradient penalty, a Hessian, or a physics-informed loss
# through `keras.activations.softsign` therefore raises LookupError; written out as x / (1 + |x|) it is differentiated as often as one likes.
# Seen: "derivative 1: 16 of 16 activations, without []", "derivative 2: 15 of 16 activations, without ['softsign']",
# "gradient registry has no entry for: SoftsignGrad" and "the same written as x / (1 + |x|): off by 1e-16"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/second.py" <<'PYTHON'
import keras
import tensorflow as tf

SMOOTH = [
    "celu", "elu", "exponential", "gelu", "log_sigmoid", "log_softmax", "mish", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign",
    "squareplus", "tanh", "tanh_shrink",
]
x = tf.constant([-1.5, -0.4, 0.3, 2.0], tf.float64)


def slope(f, at, times):
    if times == 0:
        return f(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        value = slope(f, at, times - 1)
    return tape.gradient(value, at)


for times in (1, 2):
    failed = {}
    for name in SMOOTH:
        try:
            slope(getattr(keras.activations, name), x, times)
        except LookupError as error:
            failed[name] = str(error)
    print(f"derivative {times}: {len(SMOOTH) - len(failed)} of {len(SMOOTH)} activations, without {sorted(failed)}")
for message in failed.values():
    print(message)
exact = -2 * tf.sign(x) / (1 + tf.abs(x)) ** 3
by_hand = slope(lambda at: at / (1 + tf.abs(at)), x, 2)
print(f"the same written as x / (1 + |x|): off by {float(tf.reduce_max(tf.abs(by_hand - exact))):.0e}")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow "$folder/venv/bin/python" "$folder/second.py" 2>/dev/null | tee "$folder/seen"
grep -qx 'derivative 1: 16 of 16 activations, without \[\]' "$folder/seen"
grep -qx "derivative 2: 15 of 16 activations, without \['softsign'\]" "$folder/seen"
grep -qx 'gradient registry has no entry for: SoftsignGrad' "$folder/seen"

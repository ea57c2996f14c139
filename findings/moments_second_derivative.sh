#!/usr/bin/env bash
# TensorFlow 2.21.0, Keras 3.15.1: the variance of `tf.nn.moments` holds the mean for a constant when it is differentiated. That is right for the
# first derivative and wrong for the second: the Hessian of the variance of five numbers is 2 / 5 on its diagonal and 0 beside it, where
# finite differences of TensorFlow's own gradient, and the formula 2 / n (1 if i == j else 0) - 2 / n², give 0.32 and -0.08. No message is given. The same
# holds of Keras' LayerNormalization, which takes it: a gradient penalty through it is another one than was written.
# Seen: "moments: Hessian 0.400 0.000, finite differences 0.320 -0.080" and "LayerNormalization: off by more than a tenth: True"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6 2>/dev/null
cat > "$folder/second.py" <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf

x = tf.constant([0.3, -1.2, 0.8, 2.0, -0.5], tf.float64)
w = tf.constant([1.0, -0.4, 0.7, 0.1, -2.0], tf.float64)


def slope(f, at):
    with tf.GradientTape() as tape:
        tape.watch(at)
        value = f(at)
    return tape.gradient(value, at)


def hessian(f):
    with tf.GradientTape() as tape:
        tape.watch(x)
        first = slope(f, x)
    return tape.jacobian(first, x).numpy()


def differences(f, h=1e-5):
    steps = [tf.constant(row, tf.float64) for row in h * np.eye(5)]
    return np.stack([(slope(f, x + step) - slope(f, x - step)).numpy() / (2 * h) for step in steps])


def variance(at):
    return tf.nn.moments(at, [0])[1]


own, told = hessian(variance), differences(variance)
print(f"moments: Hessian {own[0, 0]:.3f} {own[0, 1]:.3f}, finite differences {told[0, 0]:.3f} {told[0, 1]:.3f}")
layer = keras.layers.LayerNormalization(dtype="float64")
layer.build((None, 5))


def weighted(at):
    return tf.reduce_sum(w * layer(at[None])[0])


own, told = hessian(weighted), differences(weighted)
print(f"LayerNormalization: off by more than a tenth: {bool(np.abs(own - told).max() > 0.1 * np.abs(told).max())}")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow "$folder/venv/bin/python" "$folder/second.py" 2>/dev/null | tee "$folder/seen"
grep -qx 'moments: Hessian 0.400 0.000, finite differences 0.320 -0.080' "$folder/seen"
grep -qx 'LayerNormalization: off by more than a tenth: True' "$folder/seen"

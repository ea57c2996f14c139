"""A dense layer that makes many rows narrower: Keras' own values and gradients, the kernel's computed transposed."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.networks.layer_kernels import LayerCall
from dlspec.interpreter.networks.layer_kernels.dense import MANY, of_one_replicate
from dlspec.spec.ir.plan import LayerPlan
from dlspec.spec.ir.types import Type


@pytest.mark.parametrize("rows", [MANY, MANY - 64])
def test_the_gradient_on_many_rows_is_keras_own_and_computed_transposed(rows: int) -> None:
    layer = keras.layers.Dense(32, activation="tanh")
    layer.build((None, 64, 64))
    plan = LayerPlan("dense", "d", Type("real", (64, 64)), Type("real", (64, 32)))
    rng = np.random.default_rng(0)
    x, kernel, bias, upstream = (
        tf.constant(rng.normal(size=shape), tf.float32)
        for shape in ((rows // 64, 64, 64), (64, 32), (32,), (rows // 64, 64, 32))
    )

    def gradients(xla_on_cpu: bool) -> tf.types.experimental.PolymorphicFunction:
        call = LayerCall(plan, "f", layer, tf.float32, tf.float32, xla_on_cpu=xla_on_cpu)

        @tf.function(jit_compile=True, autograph=False)
        def found(*given: tf.Tensor) -> tuple[tf.Tensor, ...]:
            with tf.GradientTape() as tape:
                tape.watch(given)
                y = of_one_replicate(call, given[0], dict(zip(("kernel", "bias"), given[1:], strict=True)))
            return (y, *tape.gradient(y, given, output_gradients=upstream))

        return found

    own, ours = gradients(False), gradients(True)
    for expected, value in zip(own(x, kernel, bias), ours(x, kernel, bias), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    program = ours.experimental_get_compiler_ir(x, kernel, bias)(stage="optimized_hlo")
    assert ("f32[32,64]{1,0} dot(" in program) == (rows == MANY)

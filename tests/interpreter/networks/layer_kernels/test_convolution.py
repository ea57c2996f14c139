"""Convolutions of a single channel, in depth and across, beside each other in one plain graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from dlspec.interpreter.program.program import Compiled

BODY = """
task: {data: {test: 5}, example: {x: "normal([4, 5, 1])", y: "normal([4, 5, 3])"}}
architecture:
  apart: {input: x, layers: [separable_conv2d: {filters: 1, kernel_size: 1, activation: tanh}]}
  depth: {input: x, layers: [depthwise_conv2d: {kernel_size: [2, 1], strides: 2, depth_multiplier: 2, padding: same}]}
  across: {input: x, layers: [conv2d: {filters: 1, kernel_size: 1}]}
  bare: {input: x, layers: [separable_conv2d: {filters: 2, kernel_size: 2, use_bias: false, dilation_rate: 2}]}
  several: {input: y, layers: [separable_conv2d: {filters: 1, kernel_size: 1}]}
measures: {apart: E(apart), depth: E(depth), across: E(across), bare: E(bare), several: E(several)}
"""


def test_one_channel_is_convolved_in_depth_beside_convolutions_of_its_size(compiled: Callable[..., Compiled]) -> None:
    """oneDNN took the one for the other, and failed: 'could not create a primitive descriptor for the reorder primitive'."""
    held = compiled(BODY)
    weights = {}
    for network, own in held.networks.items():
        for place, variable in own.weights.items():
            start = np.random.default_rng(len(weights)).normal(size=variable.shape).astype(np.float32)
            variable.assign(start)
            weights[network, place[1]] = start[0].astype(np.float64)
    found = {name: np.asarray(value)[0] for name, value in held.evaluate().items()}
    shown = compiled(BODY.replace(BODY[BODY.index("measures:") :], "measures: {x: E(x), y: E(y)}")).evaluate()
    x, y = (np.asarray(shown[name])[0] for name in ("x", "y"))

    assert np.allclose(
        found["across"], x * weights["across", "kernel"][0, 0, 0, 0] + weights["across", "bias"], atol=1e-5
    )
    rows = np.concatenate([x, np.zeros((1, 5, 1))])[:, ::2]
    kernel = weights["depth", "kernel"][:, 0, 0]
    assert np.allclose(
        found["depth"], rows[0:4:2] * kernel[0] + rows[1:5:2] * kernel[1] + weights["depth", "bias"], atol=1e-5
    )
    kernel = weights["bare", "depthwise_kernel"][..., 0, 0]
    windows = sum(kernel[i, j] * x[2 * i : 2 * i + 2, 2 * j : 2 * j + 3] for i in range(2) for j in range(2))
    assert np.allclose(found["bare"], windows * weights["bare", "pointwise_kernel"][0, 0, 0], atol=1e-5)
    channels = y * weights["several", "depthwise_kernel"][0, 0, :, 0]
    assert np.allclose(
        found["several"],
        channels @ weights["several", "pointwise_kernel"][0, 0] + weights["several", "bias"],
        atol=1e-5,
    )
    assert found["apart"].shape == (4, 5, 1) and (np.abs(found["apart"]) < 1).all()

"""Floating-point operations of layers beside their products with kernels, for the rows' `work`.

The counts are those of TensorFlow's graphs, as in `spec/tables/flops.py`; the noise of a dropout is drawn, and not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ...ir.types import Shape
from ..flops import ACTIVATION_WORK
from .row import Config, Work


def each_output(forward: float, backward: float) -> Work:
    """So many an entry of the output."""
    return lambda shape, output, config: (forward * prod(output), backward * prod(output))


def each_input(forward: float, backward: float) -> Work:
    """So many an entry of the input."""
    return lambda shape, output, config: (forward * prod(shape), backward * prod(shape))


def bias_and_activation(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """What comes behind a product."""
    row, size = ACTIVATION_WORK[config["activation"] or "linear"], prod(output)
    return (config["use_bias"] + row.forward) * size, (config["use_bias"] + row.backward[0]) * size


def activation(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """An activation alone."""
    row = ACTIVATION_WORK[config["activation"]]
    return row.forward * prod(output), row.backward[0] * prod(output)


def pooling(backward: Callable[[int], int]) -> Work:
    """One for each value in each window; backwards a number of the window's size for each."""

    def work(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
        size = config["pool_size"]
        window = prod(size) if isinstance(size, list | tuple) else size ** (len(shape) - 1)
        return window * prod(output), backward(window) * prod(output)

    return work


def max_pooling(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """A comparison for each value in each window, and a sum of the input that tells whether any is undefined."""
    forward, backward = pooling(lambda window: window + 1)(shape, output, config)
    return forward + prod(shape), backward


def gates(forward: float, backward: float) -> Work:
    """So many a unit at every place of the sequence: biases, gates and states."""
    return lambda shape, output, config: (
        forward * shape[0] * config["units"],
        backward * shape[0] * config["units"],
    )

"""Dense networks with relu in NumPy, of several replicates side by side: values, gradients by hand, and Adam's steps. It shares nothing with dlspec."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def glorot(rng: np.random.Generator, replicates: int, sizes: tuple[int, ...]) -> list[Array]:
    """Kernels [R, 1, before, after] within ±√(6 / (before + after)) and biases of 0, layer by layer (Glorot & Bengio 2010)."""
    weights = []
    for before, after in pairwise(sizes):
        bound = math.sqrt(6 / (before + after))
        kernel = rng.uniform(-bound, bound, (replicates, 1, before, after))
        weights += [kernel.astype(np.float32), np.zeros((replicates, 1, 1, after), np.float32)]
    return weights


def forward(weights: list[Array], x: Array) -> list[Array]:
    """The input [R, parts, n, before] and what each layer makes of it; the last one's are logits."""
    values = [x]
    for place in range(0, len(weights), 2):
        sums = values[-1] @ weights[place] + weights[place + 1]
        values.append(sums if place + 2 == len(weights) else np.maximum(sums, 0))
    return values


def backward(weights: list[Array], values: list[Array], label: Array) -> tuple[list[Array], Array]:
    """The gradients of the cross-entropy: of its mean over all parts by the weights, and of each example's by the input.

    Parts of some 50 examples are multiplied without threads.
    """
    upstream = np.exp(values[-1] - values[-1].max(-1, keepdims=True))
    upstream /= upstream.sum(-1, keepdims=True)
    upstream -= label[..., None] == np.arange(upstream.shape[-1])
    return passed_back(weights, values, upstream)


def passed_back(weights: list[Array], values: list[Array], upstream: Array) -> tuple[list[Array], Array]:
    """The gradients of a loss whose gradients by the last layer are given, of each example's: of its mean by the weights, and of each example's by the input."""
    found: list[Array] = []
    for place in range(len(weights) - 2, -1, -2):
        layer = place // 2
        of_kernel = values[layer].swapaxes(-1, -2) @ upstream / upstream.shape[-2]
        found = [of_kernel.mean(1, keepdims=True), upstream.mean((1, 2), keepdims=True), *found]
        upstream = upstream @ weights[place].swapaxes(-1, -2)
        if place:
            upstream = upstream * (values[layer] > 0)
    return found, upstream


class Adam:
    """Adam (Kingma & Ba 2015), with decoupled decay of all weights (Loshchilov & Hutter 2019)."""

    def __init__(self, weights: list[Array], rate: float, decay: float = 0.0) -> None:
        self.weights, self.rate, self.decay, self.steps = weights, rate, decay, 0
        self.moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in weights]

    def step(self, gradients: list[Array]) -> None:
        """One step, in place."""
        self.steps += 1
        rate = np.float32(self.rate * math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps))
        for weight, (first, second), gradient in zip(self.weights, self.moments, gradients, strict=True):
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient**2 - second)
            weight -= np.float32(self.rate * self.decay) * weight
            weight -= rate * first / (np.sqrt(second) + np.float32(1e-7))


class Batches:
    """The places of training examples [R, size], in a new order each time that all were taken."""

    def __init__(self, rng: np.random.Generator, replicates: int, count: int, size: int) -> None:
        self.rng, self.replicates, self.count, self.size = rng, replicates, count, size
        self.order = np.zeros((replicates, 0), int)

    def next(self) -> Array:
        """Those of the next step."""
        if self.order.shape[1] < self.size:
            more = [self.rng.permutation(self.count) for _ in range(self.replicates)]
            self.order = np.concatenate([self.order, more], axis=1)
        places, self.order = self.order[:, : self.size], self.order[:, self.size :]
        return places


def agree(one: Mapping[str, Array], other: Mapping[str, Array]) -> None:
    """Of each quantity the means over independent replicates, [R] each, are within four standard errors of their difference; where all are alike, the same."""
    for name, values in other.items():
        found = one[name]
        assert len(found) > 1 and len(values) > 1
        gap = float(found.mean() - values.mean())
        error = math.sqrt(found.var(ddof=1) / len(found) + values.var(ddof=1) / len(values))
        assert abs(gap) <= 4 * error, f"{name}: {found.mean():.4g} and {values.mean():.4g}, standard error {error:.2g}"

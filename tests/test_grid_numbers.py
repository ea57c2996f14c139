"""Numbers of the declared grids beside what NumPy says, with gradients by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import grids
from benchmarks.kept import read_kept

HELD = read_kept(grids.DATA)
Weights = list[np.ndarray]


def kept(grid: str, called: str, at: Sequence[str]) -> np.ndarray:
    """The values of the replicates of a setting."""
    (number,) = (one for one in HELD[grid]["numbers"] if one["called"] == called)
    (setting,) = (one for one in number["settings"] if one["at"] == list(at))
    return np.array(setting["values"], dtype=float)


def glorot(noise: np.random.Generator, *sizes: int) -> Weights:
    """Kernels and biases as Keras starts them, one layer after the other."""
    found: Weights = []
    for rows, columns in pairwise(sizes):
        bound = math.sqrt(6 / (rows + columns))
        found += [noise.uniform(-bound, bound, (rows, columns)), np.zeros(columns)]
    return found


def test_a_parity_of_three_of_thirty_bits_takes_as_long_in_numpy() -> None:
    """Stochastic gradient descent on the hinge loss, read every 20 steps: steps are lognormal, so means are of their logarithms."""
    own = np.log(kept("sparse_parities", "30 bits", ["sgd", "100", "32", "3"]))
    noise = np.random.default_rng(0)
    found = np.log([_steps_of_a_parity(noise) for _ in range(5)])
    spread = math.sqrt(own.var(ddof=1) / len(own) + found.var(ddof=1) / len(found))
    assert abs(own.mean() - found.mean()) < 3.5 * spread


def _steps_of_a_parity(noise: np.random.Generator) -> int:
    first, of_first, last, of_last = glorot(noise, 30, 100, 1)
    new = noise.choice([-1.0, 1.0], (2048, 30))
    for step in range(20000):
        if step % 20 == 0:
            scores = (np.maximum(new @ first + of_first, 0) @ last + of_last)[:, 0]
            if np.mean(new[:, :3].prod(1) * scores > 0) >= 0.95:
                return step
        x = noise.choice([-1.0, 1.0], (32, 30))
        y = x[:, :3].prod(1)
        hidden = np.maximum(x @ first + of_first, 0)
        back = np.where(y * (hidden @ last + of_last)[:, 0] < 1, -y, 0)[:, None] / 32
        behind = (back @ last.T) * (hidden > 0)
        last -= 0.1 * hidden.T @ back
        of_last -= 0.1 * back.sum(0)
        first -= 0.1 * x.T @ behind
        of_first -= 0.1 * behind.sum(0)
    return 20000


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_sharpness_of_tanhs_is_where_it_is_in_numpy(rate: float) -> None:
    """The largest eigenvalue by power iteration on differences of gradients, at four moments of the last third of the steps."""
    own = kept("edge_of_stability", "over the last third", ["tanh", f"{rate:g}", "1"])
    noise = np.random.default_rng(1)
    found = np.array([_sharpness_of_tanhs(noise, rate) for _ in range(3)]) * rate / 2
    spread = math.sqrt(own.var(ddof=1) / len(own) + found.var(ddof=1) / len(found))
    assert abs(own.mean() - found.mean()) < 3.5 * spread + 0.02


def _sharpness_of_tanhs(noise: np.random.Generator, rate: float) -> float:
    x, u = noise.normal(size=(100, 10)), noise.normal(size=10)
    y = np.sin(2 * x @ u / np.linalg.norm(u))
    shapes = ((10, 32), (32,), (32, 32), (32,), (32, 1), (1,))
    cuts = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    weights = np.concatenate([
        (noise.normal(size=shape) / math.sqrt(shape[0]) if len(shape) > 1 else np.zeros(shape)).ravel() for shape in shapes
    ])  # fmt: skip

    def gradient(w: np.ndarray) -> np.ndarray:
        a, b, c, d, e, f = (part.reshape(shape) for part, shape in zip(np.split(w, cuts), shapes, strict=True))
        one = np.tanh(x @ a + b)
        two = np.tanh(one @ c + d)
        gap = ((two @ e + f)[:, 0] - y)[:, None] / 100
        back_two = gap @ e.T * (1 - two**2)
        back_one = back_two @ c.T * (1 - one**2)
        parts = (x.T @ back_one, back_one.sum(0), one.T @ back_two, back_two.sum(0), two.T @ gap, gap.sum(0))
        return np.concatenate([part.ravel() for part in parts])

    read = []
    for step in range(6000):
        if step in (4000, 4600, 5200, 5800):
            v = noise.normal(size=len(weights))
            for _ in range(200):
                v /= np.linalg.norm(v)
                product = (gradient(weights + 1e-4 * v) - gradient(weights - 1e-4 * v)) / 2e-4
                largest, v = v @ product, product
            read.append(largest)
        weights = weights - rate * gradient(weights)
    return float(np.mean(read))


def test_low_sines_are_half_learnt_when_they_are_in_numpy() -> None:
    """Adam on all points, four layers of rectified units: the lowest and the fifth of ten sines, read every 50 steps."""
    own = np.log([kept("spectral_bias", called, ["4", "1", "0"]) for called in ("lowest half learnt at step", "fifth")])
    noise = np.random.default_rng(2)
    found = np.log(np.transpose([_steps_of_sines(noise) for _ in range(4)]))
    spread = np.sqrt(own.var(1, ddof=1) / own.shape[1] + found.var(1, ddof=1) / found.shape[1])
    assert (abs(own.mean(1) - found.mean(1)) < 3.5 * spread).all()


def _steps_of_sines(noise: np.random.Generator) -> tuple[int, int]:
    x, orders = np.arange(200) / 200, np.arange(1, 11)
    sines = np.sin(2 * np.pi * np.outer(x, orders) + noise.uniform(0, 2 * np.pi, 10))
    y = sines.sum(1)
    weights = glorot(noise, 1, *[128] * 4, 1)
    means, squares = ([np.zeros_like(one) for one in weights] for _ in range(2))
    passed: dict[int, int] = {}
    for step in range(6000):
        values = [x[:, None]]
        for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
            values.append(values[-1] @ kernel + bias)
            if len(values) < 6:
                values[-1] = np.maximum(values[-1], 0)
        gap = y - values[-1][:, 0]
        if step % 50 == 0:
            left = abs(2 * (gap @ sines) / len(x))
            for place in (0, 4):
                if left[place] <= 0.5:
                    passed.setdefault(place, step)
            if len(passed) == 2:
                return passed[0], passed[4]
        back = (-2 / len(x) * gap)[:, None]
        for layer in reversed(range(5)):
            gradients = (values[layer].T @ back, back.sum(0))
            back = back @ weights[2 * layer].T * (values[layer] > 0)
            for place, gradient in enumerate(gradients, 2 * layer):
                means[place] += 0.1 * (gradient - means[place])
                squares[place] += 0.001 * (gradient**2 - squares[place])
                now = means[place] / (1 - 0.9 ** (step + 1))
                weights[place] = weights[place] - 0.0003 * now / (
                    np.sqrt(squares[place] / (1 - 0.999 ** (step + 1))) + 1e-7
                )
    raise AssertionError("a sine was not learnt")

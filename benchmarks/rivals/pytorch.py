"""PyTorch: eager, or with the loss compiled by `torch.compile`; replicates are a `vmap` of the loss over stacked weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.line_images import line_images
from benchmarks.staircase import OFFSETS
from benchmarks.weights import shapes

VERSIONS = {"torch": torch.__version__}


def dense(weights: Any, place: int, x: Any) -> Any:
    """A dense layer, whose kernel [in, out] and bias are the weights from a place on."""
    return x @ weights[place] + weights[place + 1]


def hinge(y: Any, f: Any) -> Any:
    """max(0, 1 - y·f)."""
    return torch.relu(1 - y * f)


def signs(*shape: int) -> Any:
    """±1 with equal odds."""
    return torch.randint(0, 2, shape).float() * 2 - 1


class Parities:
    """Random parities: see `examples/parities.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch

    def target(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Drawn once a replicate."""
        return {"s": torch.randint(0, 2, (*lead, self.d))}

    def draw(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Drawn at every step."""
        return {"x": signs(*lead, self.batch, self.d)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        x = drawn["x"]
        y = torch.where(target["s"] == 1, x, 1.0).prod(-1)
        f = dense(weights, 2, torch.relu(dense(weights, 0, x)))[:, 0]
        return hinge(y, f).mean()


class _Images:
    """The names that `line_images` uses, in PyTorch."""

    arange, cos, sin, abs = staticmethod(torch.arange), staticmethod(torch.cos), staticmethod(torch.sin), staticmethod(torch.abs)  # fmt: skip


class Tuples:
    """Tuples of line images: see `examples/decomposition.yaml`."""

    def __init__(self, k: int, m: int, batch: int, inner: bool) -> None:
        self.k, self.m, self.batch, self.inner = k, m, batch, inner

    def target(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Angles, lengths and centres of lines."""
        shape = (*lead, self.batch, self.k)
        return {
            "theta": math.pi * torch.rand(shape),
            "length": 5 + (self.m - 10) * torch.rand(shape),
            "centre": (self.m - 1) * torch.rand((*shape, 2)),
        }

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; images of all tuples pass the shared network together."""
        images = line_images(_Images, drawn["theta"], drawn["length"], drawn["centre"], self.m)
        label = torch.where(drawn["theta"] < math.pi / 2, 1.0, -1.0)
        x = images.reshape(-1, 1, self.m, self.m)
        for place in (0, 2):
            x = functional.max_pool2d(functional.conv2d(x, weights[place], weights[place + 1], padding="same"), 2)
        x = torch.relu(dense(weights, 4, x.flatten(1)))
        score = dense(weights, 8, torch.relu(dense(weights, 6, x))).reshape(self.batch, self.k)
        f = dense(weights, 12, torch.relu(dense(weights, 10, torch.sigmoid(score))))[:, 0]
        total = hinge(label.prod(-1), f).mean()
        return total + hinge(label, score).mean() if self.inner else total


class Allocation:
    """Allocation of assets to classes: see `examples/decomposition.yaml`. The one-hot input's rows are looked up."""

    def __init__(self, d: int, k: int, batch: int) -> None:
        self.d, self.k, self.batch = d, k, batch

    def target(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """The right class of each asset."""
        return {"class": torch.randint(0, self.k, (*lead, self.d))}

    def draw(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Assets, and coin tosses for the classes' gains."""
        return {"i": torch.randint(0, self.d, (*lead, self.batch)), "toss": signs(*lead, self.batch, self.k)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        right = torch.arange(self.k) == target["class"][drawn["i"]][:, None]
        z = torch.where(right, 1.0, drawn["toss"])
        return (
            -(z * torch.softmax(torch.nn.functional.embedding(drawn["i"], weights[0]) + weights[1], -1)).sum(-1).mean()
        )


class Staircase:
    """A staircase, learnt end-to-end: see `examples/flat.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch
        self.offsets = torch.from_numpy(OFFSETS)

    def target(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """A direction and a shift."""
        return {"v": torch.randn(*lead, self.d), "b": torch.randn(lead)}

    def draw(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Inputs."""
        return {"x": torch.randn(*lead, self.batch, self.d) / self.d}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; the steps are sorted, so the last that is reached is the largest."""
        x, z = drawn["x"], target["b"] + self.offsets
        r = x @ target["v"] + target["b"]
        y = torch.where(z <= r[:, None], z, z[0]).amax(-1)
        for place in (0, 2, 4):
            x = torch.relu(dense(weights, place, x))
        return ((dense(weights, 6, x)[:, 0] - y) ** 2).mean()


class AutoEncoder:
    """An auto-encoder of curves, from a finite set: see `examples/conditioning.yaml`."""

    def __init__(self, n: int, k: int, train: int, batch: int) -> None:
        self.n, self.k, self.train, self.batch = n, k, train, batch

    def target(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """The curves to learn from."""
        shape = (*lead, self.train, 1, self.k)
        knots, changes = self.n * torch.rand(shape), 2 * torch.rand(shape) - 1
        return {"curves": (changes * torch.relu(torch.arange(self.n)[:, None] - knots)).sum(-1)}

    def draw(self, lead: tuple[int, ...]) -> dict[str, Any]:
        """Which curves, with replacement."""
        return {"index": torch.randint(0, self.train, (*lead, self.batch))}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        f = target["curves"][drawn["index"]]
        x = f
        for place in (0, 2, 4, 6, 8):
            x = torch.relu(dense(weights, place, x))
        return ((dense(weights, 10, x) - f) ** 2).mean()


TASKS = {
    "parities": Parities, "tuples": Tuples, "allocation": Allocation, "staircase": Staircase, "auto_encoder": AutoEncoder,
}  # fmt: skip


class Rival:
    """A task with its optimiser and weights. Forms: `eager`, `compile`."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        rest = dict(numbers)
        optimizer = dict(rest.pop("optimizer"))
        self.task = TASKS[task](**rest)
        self.lead = (replicates,) if replicates > 1 else ()
        torch.manual_seed(0)
        self.weights = [
            self._channels_first(
                deviation * torch.nn.init.trunc_normal_(torch.empty(*self.lead, *shape)), len(self.lead)
            ).requires_grad_()
            for shape, deviation in shapes(task, rest)
        ]
        self.optimizer = _optimizer(self.weights, **optimizer)
        self.target = self.task.target(self.lead)
        self.total = torch.compile(self._total) if form == "compile" else self._total

    def _channels_first(self, weight: Any, lead: int) -> Any:
        """A convolution's kernel in PyTorch's layout; any other weight as it is."""
        return (
            weight.movedim((lead + 3, lead + 2), (lead, lead + 1)).contiguous() if weight.dim() == lead + 4 else weight
        )

    def _total(self, weights: Any, target: Any) -> Any:
        """The sum of the replicates' losses over new examples."""
        drawn = self.task.draw(self.lead)
        if not self.lead:
            return self.task.loss(weights, target, drawn)
        return torch.vmap(self.task.loss)(weights, target, drawn).sum()

    def train(self, steps: int) -> None:
        """Makes so many updates."""
        for _ in range(steps):
            self.optimizer.zero_grad()
            self.total(self.weights, self.target).backward()
            self.optimizer.step()

    def check(self, weights: list[Any], target: dict[str, Any], drawn: dict[str, Any]) -> tuple[float, float]:
        """The loss and its gradient's norm at given weights and examples."""
        given = [self._channels_first(torch.as_tensor(weight), 0) for weight in weights]
        if any(weight.dim() == 4 for weight in given):  # the images' channels come first where they are flattened
            side, filters = math.isqrt(given[4].shape[0] // 16), 16
            given[4] = given[4].reshape(side, side, filters, -1).permute(2, 0, 1, 3).reshape(given[4].shape)
        given = [weight.requires_grad_() for weight in given]
        held = [{name: _tensor(value) for name, value in values.items()} for values in (target, drawn)]
        found = self.task.loss(given, *held)
        found.backward()
        return found.item(), math.sqrt(sum(weight.grad.square().sum().item() for weight in given))

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(weight.numel() for weight in self.weights) // (self.lead[0] if self.lead else 1)


def _tensor(value: np.ndarray[Any, Any]) -> Any:
    tensor = torch.as_tensor(value)
    return tensor.long() if value.dtype.kind == "i" else tensor


def _optimizer(
    weights: list[Any], name: str, learning_rate: float, beta_1: float = 0, beta_2: float = 0, epsilon: float = 0
) -> Any:
    if name == "sgd":
        return torch.optim.SGD(weights, learning_rate, fused=True)
    return torch.optim.Adam(weights, learning_rate, (beta_1, beta_2), epsilon, fused=True)

"""The weights and the batch that all contenders are asked about, to see that they do the same work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = {"loss": 1e-3, "gradient": 1e-2}
"""Relative; images of lines at a pixel's very border may differ by rounding."""


@dataclass(frozen=True)
class Sample:
    """Weights, draws of a replicate and of a batch, and what dlspec makes of them."""

    weights: list[Any]
    target: dict[str, Any]
    drawn: dict[str, Any]
    loss: float
    gradient: float

    @staticmethod
    def of(found: dict[str, Any]) -> Sample:
        """From what `dlspec_run.Contender.sample` returns."""
        count = sum(name.startswith("weight ") for name in found)
        parts: dict[str, dict[str, Any]] = {"target": {}, "drawn": {}}
        for name, value in found.items():
            kind, _, rest = name.partition(" ")
            if kind in parts:
                parts[kind][rest] = _float32(value)
        if "f" in parts["drawn"]:  # curves: the rivals look them up in a finite set
            curves = parts["drawn"].pop("f")
            parts["target"]["curves"], parts["drawn"]["index"] = curves, np.arange(len(curves))
        weights = [found[f"weight {place}"] for place in range(count)]
        return Sample(weights, parts["target"], parts["drawn"], float(found["loss"]), float(found["gradient"]))

    @staticmethod
    def read(path: Path) -> Sample:
        """From a file."""
        with np.load(path) as held:
            return Sample.of(dict(held))

    def fault(self, loss: float, gradient: float) -> str:
        """Why a contender's loss and gradient are not dlspec's; empty where they are."""
        for name, own, other in (("loss", self.loss, loss), ("gradient", self.gradient, gradient)):
            if not abs(other - own) <= TOLERANCE[name] * abs(own):
                return f"its {name} at the same weights and examples is {other:.6g}, dlspec's is {own:.6g}"
        return ""


def _float32(value: Any) -> Any:
    """Signs are whole numbers in the language, and real ones in the rivals' programs."""
    signs = value.dtype.kind == "i" and value.ndim > 1
    return value.astype(np.float32) if signs else value

"""Weights that are kept of other times: from before the first update, and from the ends of phases of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.program_roots import roots
from dlspec.spec.passes.reached_examples import reached

from ..networks.network import Network

Moment = tuple[str, str, int | None]
"""`initial` or `after`; the phase, and the number of its pass, of the last so far where that is None (`Recalled.kept`)."""
Weights = dict[tuple[str, str, str], Any]
"""Variables [rows, …] by network, layer and weight."""


def kept_weights(program: Program, networks: Mapping[str, Network]) -> dict[Moment, Weights]:
    """Variables for the weights that anything in a program recalls, of the networks that it recalls."""
    kept: dict[Moment, Weights] = {}
    for item in reached(program, roots(program)):
        if not isinstance(item, t.Recalled) or item.moment not in ("initial", "after"):
            continue
        of_then = kept.setdefault(item.kept, {})
        for part in reached(program, [item.operand]):
            if isinstance(part, t.NetworkOutput | t.Weight | t.AllWeights):
                for place, variable in networks[part.network].weights.items():
                    of_then.setdefault((part.network, *place), _variable(item.kept, variable))
    return kept


def _variable(moment: Moment, weight: Any) -> Any:
    name = "_".join(str(part) for part in (*moment, weight.name) if part not in ("", None))
    return keras.Variable(np.zeros(weight.shape), trainable=False, dtype=weight.dtype, name=name)


def begin_kept(kept: Mapping[Moment, Weights], networks: Mapping[str, Network]) -> None:
    """Keeps the weights before the first update; those after a phase are missing, NaN, until it has ended."""
    for (moment, *_), of_then in kept.items():
        for (network, layer, name), variable in of_then.items():
            now = networks[network].weights[layer, name]
            variable.assign(now.value if moment == "initial" else np.full(variable.shape, np.nan))


def keep(kept: Mapping[Moment, Weights], networks: Mapping[str, Network], phase: str, number: int) -> None:
    """Keeps the weights at the end of a pass of a phase."""
    for wanted in (("after", phase, None), ("after", phase, number)):
        for (network, layer, name), variable in kept.get(wanted, {}).items():
            variable.assign(networks[network].weights[layer, name].value)

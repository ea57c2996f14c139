"""Generated studies in which numbers are swept, wherever they stand: cells that differ in them run side by side, and each is the cell alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from random import Random
from typing import Any

from dlspec import spec
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.passes.merge_cells import merge_cells

from .data_files import source

FACTOR = "factor_of_cells"
"""The constant that numbers are multiplied by; it is swept."""
VALUES = [1.0, 0.75]
SHARES = (0.7, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1, 0.0)
"""How many of the numbers are swept: where too many cannot be, fewer are."""
PARTS = ("task", "functions", "architecture", "layer_defaults", "outputs", "loss", "gradient", "estimates", "training", "measures")  # fmt: skip
LEFT = ("claims", "figures", "variants", "sweep")
"""What is left out: what is compared is measured, cell by cell."""
_NUMBER = re.compile(r"(?<![\w.\]])\d+\.\d+(?:e-?\d+)?(?![\w.])")


def swept(tree: Mapping[str, Any], seed: int) -> tuple[Mapping[str, Any], int] | None:
    """The study with some of its numbers swept, in as many places as is said; None where its cells are not compiled as one in any way."""
    for turn, share in enumerate(SHARES):
        turned, places = _swept(tree, Random(f"swept {seed} {turn}"), share)
        try:
            with source(turned) as written:
                (experiment,) = spec.resolve(spec.parse(written)).experiments
        except StudyError:
            continue
        if len(experiment.programs) == len(VALUES) and merge_cells(experiment.programs) is not None:
            return turned, places
    return None


def _swept(tree: Mapping[str, Any], random: Random, share: float) -> tuple[dict[str, Any], int]:
    experiment = {name: deepcopy(part) for name, part in tree["experiments"]["e"].items() if name not in LEFT}
    places = [0]

    def turned(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: turned(value) for name, value in part.items()}
        if isinstance(part, list):
            return [turned(value) for value in part]
        if isinstance(part, float) and random.random() < share:
            places[0] += 1
            return f"{part!r} * {FACTOR}"
        return _NUMBER.sub(one, part) if isinstance(part, str) else part

    def one(found: re.Match[str]) -> str:
        if random.random() >= share:
            return found[0]
        places[0] += 1
        return f"({found[0]} * {FACTOR})"

    for name in PARTS:
        if name in experiment:
            experiment[name] = turned(experiment[name])
    experiment["constants"] = {FACTOR: 1.0, **experiment["constants"], "c": f"0.5 * {FACTOR}"}
    experiment["sweep"] = {FACTOR: VALUES}
    whole = {name: deepcopy(part) for name, part in tree.items() if name not in ("experiments", "profiles")}
    return {**whole, "experiments": {"e": experiment}}, places[0] + 1

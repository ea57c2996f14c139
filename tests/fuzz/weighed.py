"""Enumerated draws whose values are not equally likely, in generated studies that take nothing in which examples cannot weigh differently."""

from __future__ import annotations

from random import Random
from typing import Any

ALIKE = ("quantile", "batch_normalization", "whiten", "gradient_alignment")
ALIKE_IN_A_PART = (*ALIKE, "gradient_snr", "gradient_noise")
"""The same where a part of all combinations trains."""


def weigh(tree: dict[str, Any], seen: set[str], random: Random) -> None:
    """Gives the values of the first draw other probabilities: last, so that all else is as it would be without."""
    task = tree["experiments"]["e"]["task"]
    data = task.get("data")
    if not isinstance(data, dict) or "enumerate" not in data or random.random() < 0.3:
        return
    divided = "train" in data
    if any(word in str(tree) for word in (ALIKE_IN_A_PART if divided else ALIKE)):
        return
    if divided:
        task["example"]["x0"] = f"categorical([{', '.join(str(1 + place % 4) for place in range(11))}])"
    elif task["example"]["x0"] == "bernoulli(0.5, [n])":
        task["example"]["x0"] = f"bernoulli({random.choice(('0.3', '[(i + 1) / (n + 1) for i < n]'))}, [n])"
    else:
        return
    seen.add("data weighed")

"""The table of number types that an experiment may ask for: what its real numbers are, and how networks compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .by_name import by_name


@dataclass(frozen=True, slots=True)
class Dtype:
    """A row. `real` is the type of expressions, weights and the optimiser's variables, `layers` what layers take and give.

    `keras` is the policy that Keras computes so under; `rounded` says that a GPU may round what enters a product to TensorFloat-32.
    `bytes` and `epsilon` (the gap between 1 and the next number) are those of `layers`.
    """

    name: str
    meaning: str
    real: str
    layers: str
    keras: str
    bytes: int
    epsilon: float
    rounded: bool = False
    source: str = ""


DTYPES: Mapping[str, Dtype] = by_name(
    (
        Dtype("float32", "single precision throughout; the default", "float32", "float32", "float32", 4, 2.0**-23),
        Dtype("float64", "double precision throughout", "float64", "float64", "float64", 8, 2.0**-52),
        Dtype(
            "tf32",
            "float32, except that a GPU may round the inputs of matrix products and convolutions to 10 bits after the point; "
            "on a CPU the same as float32",
            "float32", "float32", "float32", 4, 2.0**-23, True, "NVIDIA 2020 (A100 architecture, TensorFloat-32)",
        ),
        Dtype(
            "bfloat16",
            "mixed precision: what goes from layer to layer, and the weights in their products, are rounded to bfloat16; "
            "weights, optimisers, expressions, losses and measures are those of float32",
            "float32", "bfloat16", "mixed_bfloat16", 2, 2.0**-7, False, "Kalamkar et al. 2019; Keras' policy `mixed_bfloat16`",
        ),
    ),
    "number type",
)  # fmt: skip
BYTES = {"float32": 4, "float64": 8}
"""Of one real number."""

"""Who takes part: a row each, with the module that trains, the package it needs, and its form."""

from __future__ import annotations

from dataclasses import dataclass

from .workloads import Workload


@dataclass(frozen=True)
class Contender:
    """A row of the table. `side_by_side` says whether it can train several replicates at once."""

    name: str
    title: str
    module: str
    package: str
    form: str
    side_by_side: bool = False


CONTENDERS = {
    row.name: row
    for row in (
        Contender("dlspec", "**dlspec**", "", "dlspec", "auto", True),
        Contender("keras-graph", "Keras `fit`, data ready made", "keras_fit", "keras", "graph"),
        Contender("keras-xla", "Keras `fit`, XLA, data ready made", "keras_fit", "keras", "xla"),
        Contender("tf-step", "TensorFlow, a `tf.function` a step", "tensorflow_loop", "tensorflow", "step-graph"),
        Contender("tf-loop-graph", "TensorFlow, the whole loop", "tensorflow_loop", "tensorflow", "loop-graph", True),
        Contender("tf-loop-xla", "TensorFlow, the whole loop, XLA", "tensorflow_loop", "tensorflow", "loop-xla", True),
        Contender("torch-eager", "PyTorch, eager", "pytorch", "torch", "eager", True),
        Contender("torch-compile", "PyTorch, `torch.compile`", "pytorch", "torch", "compile", True),
        Contender("jax", "JAX, `jit(scan)`, `vmap` over replicates", "jax_scan", "jax", "scan", True),
    )
}
CEILING = Contender("ceiling", "2048³ matrix product", "ceiling", "tensorflow", "")


def entered(workload: Workload, replicates: int, names: list[str]) -> list[Contender]:
    """Who takes part with a number of replicates. Convolutions under XLA take seconds a step: not several side by side."""
    asked = [name for name in names if name == "dlspec" or not workload.rivals or name in workload.rivals]
    found = [CONTENDERS[name] for name in asked if replicates == 1 or CONTENDERS[name].side_by_side]
    slow = workload.convolutions and replicates > 1
    return [row for row in found if not (slow and row.form == "loop-xla")]


DRAWN = {
    "parities": {"target": ["s"], "drawn": ["x"]},
    "tuples": {"target": [], "drawn": ["theta", "length", "centre"]},
    "allocation": {"target": ["class"], "drawn": ["i", "toss"]},
    "staircase": {"target": ["v", "b"], "drawn": ["x"]},
    "auto_encoder": {"target": [], "drawn": ["f"]},
    "ring": {"target": [], "drawn": ["x", "z", "mix"]},
    "lengths": {"target": [], "drawn": ["n", "b"]},
}
"""The names in the example files of what the rivals draw themselves, by task."""

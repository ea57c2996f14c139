"""Which compiled form a program gets, known without TensorFlow."""

from __future__ import annotations

from dlspec.spec.resolved import Program

CONVOLUTIONS = frozenset({"Conv1D", "Conv2D"})


def uses_xla(program: Program, device: str = "cpu") -> bool:
    """Which compiled form a program gets: XLA, but on a CPU the plain graph where convolutions are trained.

    There the gradients of convolutions ran fifty times slower under XLA than through oneDNN.
    """
    if device != "cpu" or program.training is None:
        return True
    return not any(layer.keras in CONVOLUTIONS for plan in program.networks for layer in plan.leaves())

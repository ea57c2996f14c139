"""What is counted of a value while the cost of a program is: its passes, what it depends on, the work that it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Of one replicate: `parameters` trained; operations of one example `forward`s and of a training `step`.

    `examples_bytes` is what one example of the batch takes while training, `state_bytes` weights and the optimiser's.
    """

    parameters: int
    forward: int
    step: int
    state_bytes: int
    example_bytes: int
    evaluated_bytes: int


@dataclass
class Use:
    """What a step takes for one example, or once for all of them: operations of both passes, bytes kept for the backward pass, and the most that is there
    in `passing`, while one value is made or a gradient goes through it."""

    forward: float = 0
    backward: float = 0
    bytes: float = 0
    passing: float = 0

    def repeat(self, before: Use, times: int) -> None:
        """Takes what was added since `before` for one of `times` turns that are alike."""
        self.forward += (self.forward - before.forward) * (times - 1)
        self.backward += (self.backward - before.backward) * (times - 1)
        self.bytes += (self.bytes - before.bytes) * (times - 1)


@dataclass(frozen=True)
class Provenance:
    """What is known of a value: whether anything trained lies in it, and the named axes that it varies along."""

    requires_grad: bool = False
    axes: frozenset[str] = frozenset()

    def __or__(self, other: Provenance) -> Provenance:
        return Provenance(self.requires_grad or other.requires_grad, self.axes | other.axes)


@dataclass(frozen=True)
class Passes:
    """Which passes are counted: a binding goes forwards once, and backwards once if an upstream gradient comes to it."""

    forward: bool = True
    backward: bool = True

    def without_backward(self) -> Passes:
        return Passes(self.forward, False)

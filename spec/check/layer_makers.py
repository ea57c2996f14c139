"""What the parts of the checker of a network ask of it: layers of layers, and what is known of the network."""

from __future__ import annotations

from typing import Any, Protocol

from ..ir import terms as t
from ..ir.plan import LayerPlan
from ..ir.types import Type
from ..model.experiment import Network
from .context import Elaborator


class LayerMaker(Protocol):
    """The checker of one network."""

    @property
    def checker(self) -> Elaborator:
        """That of its expressions."""

    @property
    def name(self) -> str:
        """The network's name."""

    @property
    def model(self) -> Network:
        """The network as it is written."""

    @property
    def parts(self) -> dict[str, tuple[str, t.Term]]:
        """What layers take of an example beside the output before them: what is written and its term, by argument."""

    def layers(self, models: list[Any], current: Type, prefix: str) -> tuple[list[LayerPlan], Type]:
        """Layers in order on an input of a type, each with its key, and the type that they give."""

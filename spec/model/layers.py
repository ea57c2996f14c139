"""Layers, initialisers and optimisers as the document writes them, made from their tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from ..diagnostics.problems import did_you_mean, listing
from ..tables.layers import LAYERS
from ..tables.optimizers import OPTIMIZERS
from .base import Closed, Expression, Name, OneOf
from .generated import Activation, Initializer, deferred_model, one_of, short_bounds


def _check_skip(value: Any) -> Any:
    if not isinstance(value, bool) and value not in SKIPS:
        raise ValueError(
            f"'skip' is `true`, `false` or one of {listing(SKIPS)}.  {did_you_mean(str(value), SKIPS) or 'Choose one.'}"
        )
    return value


SKIPS = ("add", "project", "concat")
Skip = Annotated[bool | Literal["add", "project", "concat"], BeforeValidator(_check_skip)]
"""How a block's input meets its output."""


class Repeat(Closed):
    """A block of layers, several times over."""

    name: Name | None = Field(None, description="The block's name: its layers are `f.name[0].hidden`, and so on.")
    times: Expression = Field(description="How many times; a constant.")
    layers: list[LayerEntry] = Field(description="The block's layers.")
    skip: Skip = Field(
        False,
        description=(
            "How the block's input meets its output: `true` or `add` adds it (He et al. 2016); `project` brings it to the output's shape "
            "before, by a dense layer or a convolution `projection`, where the shapes differ; `concat` puts it before the output along "
            "the last axis (Huang et al. 2017)."
        ),
    )
    activation: Activation | None = Field(None, description="What each repetition ends with, after the sum.")
    share: bool = Field(False, description="Whether all repetitions have the same weights.")

    @field_validator("layers")
    @classmethod
    def _some(cls, layers: list[Any]) -> list[Any]:
        if not layers:
            raise ValueError("a block has at least one layer.  Write its layers in the list: `layers: [dense: 4]`.")
        return layers


_NAME = {"name": (Name | None, Field(None, description="The layer's name; otherwise its kind and position."))}

LayerEntry: Any = one_of(
    "LayerEntry",
    "A layer: one key with its arguments, or a word alone; a word that is no layer is a function of one argument.",
    "a layer",
    {
        **{
            row.name: (row.meaning, deferred_model(f"{row.class_name}Layer", row.meaning, row.parameters, **_NAME))
            for row in LAYERS.values()
        },
        "repeat": (Repeat.__doc__ or "", Repeat),
    },
    apply=(str | None, Field(None, description="A function or an operation of one argument.")),
)
LayerEntry.bare = "apply"
LayerEntry.primary = {row.name: row.primary for row in LAYERS.values() if row.primary}
LayerEntry.bounded = short_bounds(LayerEntry.primary, {name: row.parameters for name, row in LAYERS.items()})
Repeat.model_rebuild(_types_namespace={"LayerEntry": LayerEntry})

OptimizerEntry: Any = one_of(
    "OptimizerEntry",
    "One of Keras' optimisers with its arguments.",
    "an optimiser",
    {
        row.name: (row.meaning, deferred_model(f"{row.keras}Optimizer", row.meaning, row.parameters))
        for row in OPTIMIZERS.values()
    },
)
OptimizerEntry.primary = {name: "learning_rate" for name in OPTIMIZERS}
OptimizerEntry.bounded = short_bounds(
    OptimizerEntry.primary, {name: row.parameters for name, row in OPTIMIZERS.items()}
)


class LayerDefaults(Closed):
    """What holds for all layers that have such an argument and do not say it themselves."""

    kernel_initializer: Initializer | None = Field(None, description="How kernels start.")
    bias_initializer: Initializer | None = Field(None, description="How biases start.")
    recurrent_initializer: Initializer | None = Field(None, description="How recurrent kernels start.")
    embeddings_initializer: Initializer | None = Field(None, description="How embeddings start.")
    use_bias: bool | None = Field(None, description="Whether a bias is added.")


__all__ = ["Initializer", "LayerDefaults", "LayerEntry", "OneOf", "OptimizerEntry"]

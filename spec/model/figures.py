"""The kinds of figures, one model each: the table of figures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from .base import Closed, Condition, Expression, Name

AxisScale = Literal["linear", "log"]


class Scale(Closed):
    """The scale of each axis."""

    x: AxisScale = Field("linear", description="The horizontal axis.")
    y: AxisScale = Field("linear", description="The vertical axis.")


class Figure(Closed):
    """What every figure has."""

    title: str | None = Field(None, description="Above the figure; otherwise its name.")
    caption: str | None = Field(None, description="Below the figure: what to see in it.")
    panel: Name | None = Field(None, description="The axis with one panel a value: `variant` or a swept constant.")
    where: Condition | list[Condition] = Field(
        default_factory=list, description="Shows only cells where these hold: `variant == non_flat`, `d <= 10`."
    )


class Curves(Figure):
    """A measure over the steps of training: the mean over replicates, with the range they span."""

    kind: Literal["curves"]
    y: Name | list[Name] = Field(description="The measure, or several.")
    colour: Name | None = Field(None, description="The axis with one colour a value; otherwise `variant`.")
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")


class Function(Figure):
    """Values against a value over the first replicate's test examples: a target, and what was learnt of it."""

    kind: Literal["function"]
    x: Expression = Field(description="The horizontal value: one number an example, or an array.")
    y: dict[str, Expression] = Field(description="The curves, by label.")
    examples: Expression = Field(1000, description="How many test examples.")
    steps: list[Expression] | None = Field(None, description="At which steps of training; otherwise the last.")
    zoom: tuple[float, float] | None = Field(None, description="The stretch of x that is shown.")


class Bars(Figure):
    """A final measure, one bar a cell, with the spread over replicates."""

    kind: Literal["bars"]
    y: Name | list[Name] = Field(description="The measure, or several.")
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")


class Scaling(Figure):
    """A final measure against a swept constant."""

    kind: Literal["scaling"]
    x: Name = Field(description="The swept constant.")
    y: Name | list[Name] = Field(description="The measure, or several.")
    colour: Name | None = Field(None, description="The axis with one colour a value; otherwise `variant`.")
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")
    fit: Literal["power", "exponential", "linear"] | None = Field(
        None,
        description="A fitted law: y = a · x^b, y = a · exp(b · x), or y = a + b · x, "
        "by least squares on the axes' scale.",
    )


FIGURES: Mapping[str, type[Figure]] = MappingProxyType(
    {"curves": Curves, "function": Function, "bars": Bars, "scaling": Scaling}
)

AnyFigure = Annotated[Curves | Function | Bars | Scaling, Field(discriminator="kind")]

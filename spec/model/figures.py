"""The kinds of figures, one model each: the table of figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, Strict

from .base import MEASURE, Closed, Condition, Expression, MeasureName, Name

AXIS = "axis"
AxisName = Annotated[Name, AXIS]
"""An axis: `variant`, a swept constant, or a map of patches."""

SWEPT = "swept constant"
SweptName = Annotated[Name, SWEPT]
"""An axis of numbers."""

AxisScale = Literal["linear", "log"]


def entry(word: str) -> tuple[str, tuple[int, ...]]:
    """A measure's name and the entry of it that is meant.

    >>> entry("left[0, 2]"), entry("error")
    (('left', (0, 2)), ('error', ()))
    """
    name, _, rest = word.partition("[")
    return name, tuple(int(part) for part in rest.rstrip("]").split(",")) if rest else ()


class Scale(Closed):
    """The scale of each axis."""

    x: AxisScale = Field("linear", description="The horizontal axis.")
    y: AxisScale = Field("linear", description="The vertical axis.")


class Figure(Closed):
    """What every figure has."""

    of_examples: ClassVar[bool] = False
    """Whether it shows single examples."""
    of_arrays: ClassVar[bool] = False
    """Whether its measures are arrays."""

    title: str | None = Field(None, description="Above the figure; otherwise its name.")
    caption: str | None = Field(None, description="Below the figure: what to see in it.")
    panel: AxisName | None = Field(
        None, description="The axis with one panel per value: `variant` or a swept constant."
    )
    where: Condition | list[Condition] = Field(
        default_factory=list, description="Shows only cells where these hold: `variant == non_flat`, `d <= 10`."
    )


class Curves(Figure):
    """A measure over the steps of training: the mean over replicates, with the range they span."""

    kind: Literal["curves"]
    y: MeasureName | list[MeasureName] = Field(
        description="The measure, or several; `left[0]` is an entry of an array."
    )
    colour: AxisName | None = Field(
        None, description="The axis with one colour per value; otherwise one of more than eight numbers, or `variant`."
    )
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")
    reference: dict[str, Expression] = Field(
        default_factory=dict,
        description="Lines at numbers, by label: expressions of constants, `{chance: 1 / classes}`.",
    )


class Function(Figure):
    """Values against a value over the first replicate's test examples: a target, and what was learnt of it."""

    of_examples = True

    kind: Literal["function"]
    x: Expression = Field(description="The horizontal value: one number per example, or an array.")
    y: dict[str, Expression] = Field(description="The curves, by label.")
    examples: Expression = Field(1000, description="How many test examples.")
    steps: list[Expression] | None = Field(None, description="At which steps of training; otherwise the last.")
    zoom: Annotated[tuple[float, float], Strict(False)] | None = Field(
        None, description="The stretch of x that is shown."
    )


class Bars(Figure):
    """A final measure, one bar a cell, with the spread over replicates."""

    kind: Literal["bars"]
    y: MeasureName | list[MeasureName] = Field(
        description="The measure, or several; `left[0]` is an entry of an array."
    )
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")


class Scaling(Figure):
    """A final measure against a swept constant, with its sampling floor where it has one."""

    kind: Literal["scaling"]
    x: SweptName = Field(description="The swept constant.")
    y: MeasureName | list[MeasureName] = Field(
        description="The measure, or several; `left[0]` is an entry of an array."
    )
    colour: AxisName | None = Field(
        None, description="The axis with one colour per value; otherwise one of more than eight numbers, or `variant`."
    )
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")
    fit: Literal["power", "exponential", "linear"] | None = Field(
        None,
        description="A fitted law: y = a · x^b, y = a · exp(b · x), or y = a + b · x, "
        "by least squares on the axes' scale.",
    )
    reference: dict[str, Expression] = Field(
        default_factory=dict,
        description="Lines at numbers, by label: expressions of constants, `{chance: 1 / classes}`.",
    )


class Examples(Figure):
    """Arrays over their entries: a row a test example of the first replicate, a column a step of training."""

    of_examples = True

    kind: Literal["examples"]
    y: dict[str, Expression] = Field(description="The curves, by label: arrays of one shape.")
    x: Expression | None = Field(None, description="The horizontal places of the entries; otherwise their indices.")
    count: Expression = Field(3, description="How many test examples.")
    steps: list[Expression] | None = Field(None, description="At which steps of training; otherwise the last.")


class Scatter(Figure):
    """Points of single test examples, such as a generator's samples beside the data: a row a cell, a column a step of training."""

    of_examples = True

    kind: Literal["scatter"]
    y: dict[str, Expression] = Field(
        description="The points, by label: arrays of two numbers, the horizontal and the vertical place; `{data: x, samples: G}`."
    )
    examples: Expression = Field(500, description="How many test examples.")
    steps: list[Expression] | None = Field(None, description="At which steps of training; otherwise the last.")
    replicates: Literal["first", "all"] = Field(
        "first", description="The `first` replicate of each cell, or `all`, one row each."
    )


class ArrayProfile(Figure):
    """An array measure against its index, or against another array: at the last step, or at several."""

    of_arrays = True

    kind: Literal["profile"]
    y: MeasureName | list[MeasureName] = Field(
        description="The measure, an array [n], or several; `left[0]` is a row of an array [m, n]."
    )
    x: MeasureName | None = Field(
        None,
        description="The horizontal places of the entries: a measure, an array of as many numbers, or a constant; otherwise their index, from 0.",
    )
    steps: list[Expression] | None = Field(
        None, description="At which steps of training, all of them evaluated; otherwise the last."
    )
    replicates: Literal["mean", "all"] = Field(
        "mean", description="The `mean` of the replicates with the range they span, or `all` as thin lines."
    )
    colour: AxisName | None = Field(
        None, description="The axis with one colour per value; otherwise one of more than eight numbers, or `variant`."
    )
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")
    reference: dict[str, Expression] = Field(
        default_factory=dict,
        description="Lines at numbers, by label: expressions of constants, `{chance: 1 / classes}`.",
    )


class ColourScale(Closed):
    """The scale of the colours of a heatmap."""

    z: AxisScale = Field("linear", description="The colours; a logarithmic scale marks what is not positive.")


class Heatmap(Figure):
    """A measure as colours: over two axes, a field a cell, or the entries of a matrix measure, a panel a cell."""

    of_arrays = True

    kind: Literal["heatmap"]
    z: MeasureName = Field(
        description="The final measure: one number if `x` and `y` are axes, otherwise an array [m, n]; `left[0]` is an entry of an array."
    )
    x: AxisName | None = Field(None, description="The axis that goes to the right; none for a matrix.")
    y: AxisName | None = Field(None, description="The axis that goes up; none for a matrix.")
    scale: ColourScale = Field(default_factory=lambda: ColourScale(), description="Linear or logarithmic colours.")


class Histogram(Figure):
    """How final values are spread: the entries of an array measure, or a number over the replicates; a line a cell."""

    of_arrays = True

    kind: Literal["histogram"]
    y: MeasureName | list[MeasureName] = Field(
        description="The measure, or several: all entries in all replicates; `left[0]` is an entry of an array."
    )
    bins: int | None = Field(
        None, ge=1, le=1000, description="How many bins, the same for all cells; otherwise chosen by the values."
    )
    colour: AxisName | None = Field(
        None, description="The axis with one colour per value; otherwise one of more than eight numbers, or `variant`."
    )
    scale: Scale = Field(default_factory=lambda: Scale(), description="Linear or logarithmic axes.")


ROWS_SEARCHED = 16
"""Among how many times the wanted number of images those of each row are looked for."""


class Images(Figure):
    """Test examples of the first replicate as images, sorted into rows by a value."""

    of_examples = True

    kind: Literal["images"]
    image: Expression = Field(description="What is shown: [height, width], or [height, width, 3] between 0 and 1.")
    rows: Expression | None = Field(
        None,
        description="One number per example: examples of one value share a row. Or an axis: one row per cell, all of the same examples.",
    )
    count: Expression = Field(8, description="How many images per row.")
    steps: list[Expression] | None = Field(
        None,
        description="At which steps of training; otherwise the last if training changes the images, and step 0 if not.",
    )


FIGURES: Mapping[str, type[Figure]] = MappingProxyType(
    {
        "curves": Curves,
        "function": Function,
        "bars": Bars,
        "scaling": Scaling,
        "profile": ArrayProfile,
        "heatmap": Heatmap,
        "histogram": Histogram,
        "examples": Examples,
        "scatter": Scatter,
        "images": Images,
    }
)

AnyFigure = Annotated[
    Curves | Function | Bars | Scaling | ArrayProfile | Heatmap | Histogram | Examples | Scatter | Images,
    Field(discriminator="kind"),
]


@cache
def naming(figure: type[Figure]) -> Mapping[str, str]:
    """The fields of a kind that name a measure, an axis or a swept constant, with which of these."""
    marks = {
        name: {*(mark for mark in field.metadata if isinstance(mark, str)), *_marks(field.annotation)}
        for name, field in figure.model_fields.items()
    }
    return {name: what for name, of in marks.items() for what in (MEASURE, AXIS, SWEPT) if what in of}


def _marks(kind: Any) -> Iterator[str]:
    """The words that an annotation carries, in any of its parts."""
    for part in (*getattr(kind, "__metadata__", ()), *get_args(kind)):
        yield from [part] if isinstance(part, str) else _marks(part)

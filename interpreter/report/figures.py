"""A run's figures for a page: the image inside it, the numbers behind it, and what it shows in words."""

from __future__ import annotations

import base64
import errno
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..results.number_text import number
from ..results.optional_outputs import Aside
from .small_images import small_image
from .vega_lite import can_be_drawn, table, vega_lite

SVG_BYTES = 120_000
"""Up to which size a figure is shown as SVG, which stays sharp; beyond, as whichever is smaller."""
REST_IS_THERE = "The rest is on the page"
TABLE_POINTS = 12
"""How many points of a series the table lists."""

KINDS = {
    "curves": "over the steps of training",
    "function": "as values against a value, over test examples",
    "bars": "at the end of training, as bars",
    "scaling": "at the end of training, against a swept constant",
    "heatmap": "at the end of training, as colours",
    "histogram": "at the end of training, as shares of values",
    "profile": "as arrays over their entries",
    "scatter": "as points, for single test examples",
    "examples": "as arrays over their entries, for single test examples",
    "images": "test examples as images",
}


@dataclass(frozen=True)
class Line:
    """Some points of one series, each as its place, its value and the range around it, of the `of` that it has."""

    panel: str
    label: str
    x: str
    points: list[tuple[str, str, str]]
    of: int


@dataclass(frozen=True)
class Picture:
    """A figure: its heading, its caption, the image as a data URI, its numbers as `figures/description.py` writes them."""

    name: str
    title: str
    caption: str
    kind: str
    image: str
    width: int
    height: int
    numbers: Mapping[str, Any] | None

    @property
    def description(self) -> str:
        """What stands for the image where it can't be seen."""
        shown = KINDS.get(self.kind, "")
        end = " Its numbers are in the table below it." if self.numbers else ""
        return f"{self.title}{f' ({shown})' if shown else ''}.{end}"

    @property
    def in_panels(self) -> bool:
        """Whether its panels have headings."""
        return any(line.panel for line in self.lines)

    @property
    def drawn(self) -> bool:
        """Whether the page draws it, too: with zoom, numbers under the pointer, and names to click."""
        return bool(self.numbers) and can_be_drawn(self.numbers or {})

    @property
    def drawing(self) -> dict[str, Any] | None:
        """It as a Vega-Lite dictionary; none of what stays an image, and of runs that kept too little of it."""
        return vega_lite(self.numbers) if self.numbers and self.drawn else None

    @cached_property
    def packed(self) -> str:
        """Its numbers and its drawing for the page: JSON, compressed, in letters. The table of points stands in it once."""
        numbers, drawing = self.numbers or {}, self.drawing
        names = [[one["title"], [series["label"] for series in one["series"]]] for one in numbers["panels"]]
        points = drawing["data"].pop("values") if drawing else table(numbers["panels"])
        text = json.dumps(
            {"names": names, "points": points, "drawing": drawing}, ensure_ascii=False, separators=(",", ":")
        )
        return packed(text)

    @cached_property
    def lines(self) -> list[Line]:
        """The numbers behind it, some of each series, the first and the last among them."""
        return list(_lines(self.numbers or {}))


def packed(text: str) -> str:
    """A text as a page keeps it: compressed with gzip, then in base64."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def pictures(folder: Path, experiment: str, models: Mapping[str, Any], aside: Aside) -> list[Picture]:
    """The figures of an experiment in a run's folder, in the order of the study, with their models (`title`, `caption`, `kind`) where it has them.

    One that can't be read is left out, and `aside` is told of it.
    """
    lead = f"{experiment}."
    there = {path.stem.removeprefix(lead): path for path in sorted(folder.glob("*.png")) if path.stem.startswith(lead)}
    order = [*(name for name in models if name in there), *(name for name in there if name not in models)]
    figures = []
    for name in order:
        with aside.part(f"the figure {lead}{name}", REST_IS_THERE):
            figures.append(_picture(name, there[name], models.get(name), aside))
    return figures


def _picture(name: str, path: Path, model: Any, aside: Aside) -> Picture:
    title = (model.title if model is not None else "") or name.replace("_", " ").capitalize()
    svg, file = path.with_suffix(".svg"), path.with_suffix(".json")
    width, height = _size(path)
    sharp = svg.exists() and svg.stat().st_size <= max(SVG_BYTES, path.stat().st_size)
    kind, content = ("svg+xml", svg.read_bytes()) if sharp else small_image(path.read_bytes())
    numbers = None
    with aside.part(f"the numbers of the figure {path.stem}", REST_IS_THERE):
        read = json.loads(file.read_text("utf-8")) if file.exists() else None
        numbers = read if list(_lines(read or {})) else None  # what has another shape is found here, not on the page
    return Picture(
        name, title, (model.caption or "") if model is not None else "", model.kind if model is not None else "",
        f"data:image/{kind};base64,{base64.b64encode(content).decode()}", width, height, numbers,
    )  # fmt: skip


def _size(path: Path) -> tuple[int, int]:
    """The width and height of a PNG, from its header (its 16th to 24th byte). Raises OSError where it is none."""
    head = path.read_bytes()[:24]
    if len(head) < 24 or not head.startswith(b"\x89PNG"):
        raise OSError(errno.EIO, "it is no PNG", path.name)
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _lines(numbers: Mapping[str, Any]) -> Iterator[Line]:
    for panel in numbers.get("panels", ()):
        for series in panel["series"]:
            last = len(series["x"]) - 1
            count = min(TABLE_POINTS, last + 1)
            places = sorted({round(place * last / max(1, count - 1)) for place in range(count)})
            pairs = [
                (_value(series["x"][place]), number(series["y"][place]), _range(series, place)) for place in places
            ]
            yield Line(panel["title"], series["label"], panel["x"], pairs, series["of"])


def _range(series: Mapping[str, Any], place: int) -> str:
    return f"{number(series['low'][place])} to {number(series['high'][place])}" if "low" in series else ""


def _value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else number(value)

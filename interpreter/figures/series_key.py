"""What the key says of a figure's series: their names, or a colour bar where their colours are numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.lines import Line2D

from ..results.replicates import Replicate
from .canvas import Sheet
from .key import add_colour_bar, stand_ins
from .math_text import short
from .palette import Palette
from .series_names import SeriesNames


class SeriesKey:
    """Names the series of a figure while they are drawn.

    Where a colour bar says what the colours are, the key has one grey entry for each dash, and one for all that diverged.
    """

    def __init__(self, figure: Sheet, palette: Palette, words: SeriesNames, measures: list[str]) -> None:
        self.figure = figure
        self.palette = palette
        self.words = words
        self.measures = measures
        self.dashes: dict[str, dict[str, Any]] = {}
        self.crosses: Counter[str] = Counter()
        figure.self_evident.update(map(short, measures) if len(measures) == 1 else ())

    def text(self, replicate: Replicate, measure: str, note: str = "", ahead: str = "") -> str:
        """What a series is called, with a note behind its name; `ahead` is what else tells it from others."""
        several = [measure] if len(self.measures) > 1 else []
        name = measure if self.words.alone else self.words.of(replicate, *several)
        if ahead:
            name = ahead if self.words.alone and not several else f"{name}, {ahead}"
        if self.palette.bar:
            looks = self.palette.line(replicate, measure)
            rest = SeriesNames(self.palette.results, (*self.words.left_out, self.palette.axis))
            if several or not rest.alone:
                self.dashes.setdefault(rest.of(replicate, *several), looks)
        return short(name) + (f" ({note})" if note else "")

    def seen(self, line: Any) -> None:
        """A line that was drawn of a series: where a colour bar names it the key does not."""
        if self.palette.bar:
            self.figure.unnamed.append(line)

    def cross(self, ending: str) -> None:
        """A replicate that ended early, in a cross."""
        self.crosses[ending] += 1

    def finish(self, panels: list[Any]) -> None:
        """Adds the colour bar, and the entries that go with it."""
        if not self.palette.bar:
            return
        add_colour_bar(self.figure, panels, self.palette)
        self.figure.entries += stand_ins((look, short(text)) for text, look in self.dashes.items())
        for ending, count in self.crosses.items():
            text = f"{ending}: {count:,} replicate{'' if count == 1 else 's'}"
            self.figure.entries.append(
                Line2D([], [], color="0.3", marker="x", linestyle="none", markersize=5, label=text)
            )

"""The size of a figure and the lines of its words: panels stay as large as they are meant to be, and no words leave the figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .canvas import MAX_INCHES, Sheet
from .math_text import literal, wrapped

ROUNDS = 4
"""How often the size is looked at; what stands around the panels seldom changes with it."""
CLOSE = 0.03
"""By how much of its width or height a panel may be smaller than it is meant to be."""
LETTER = 0.52
"""How wide a letter is on average, as a share of its height."""
TITLE_SIZE, NOTE_SIZE, PANEL_TITLE_SIZE = 11, 8, 9
LEAST_LETTERS = 18


def fit_size(figure: Sheet, title: str, below: Sequence[str]) -> None:
    """Sets the title and the words below, and makes the figure as large as all that stands in it asks for."""
    panels = figure.panels
    _wrap_panels(figure, panels)
    for _ in range(ROUNDS):
        width = figure.get_figwidth()
        free = _beside_key(figure)
        figure.suptitle(wrapped(title, letters(free, TITLE_SIZE)), fontsize=TITLE_SIZE, x=free / width / 2)
        lines = [wrapped(text, letters(free, NOTE_SIZE)) for text in below if text.strip()]
        if lines:
            figure.supxlabel("\n".join(lines), fontsize=NOTE_SIZE, x=free / width / 2)
        figure.measure()
        if figure.panel_size is None or not panels:
            figure.laid_out = True
            return
        wide, high = _missing(figure, panels)
        right, low = _outside(figure)
        if (
            right <= 0
            and low <= 0
            and abs(wide) <= CLOSE * figure.panel_size[0]
            and high <= CLOSE * figure.panel_size[1]
        ):
            figure.laid_out = True
            return
        rows, columns = panels[0].get_subplotspec().get_gridspec().get_geometry()
        figure.set_size_inches(
            min(MAX_INCHES, width + max(columns * wide, right) + (0.05 if right > 0 else 0)),
            min(MAX_INCHES, figure.get_figheight() + max(rows * high, low, 0)),
        )


def _beside_key(figure: Sheet) -> float:
    """How many inches of the figure's width are left of its key."""
    literal(figure)
    renderer = figure.renderer
    keys = [key.get_window_extent(renderer).width for key in figure.legends]
    return float(figure.get_figwidth() - max(keys, default=0.0) / figure.dpi)


def _outside(figure: Sheet) -> tuple[float, float]:
    """How many inches titles go on beyond the right edge, and keys below the lower edge."""
    renderer = figure.renderer
    titles = [text for axes in figure.panels for text in (axes.title, axes._left_title) if text.get_text()]
    right = max((text.get_window_extent(renderer).x1 for text in titles), default=0.0) - figure.bbox.width
    keys = [
        legend for legend in (*figure.legends, *(axes.get_legend() for axes in figure.panels)) if legend is not None
    ]
    low = -min((legend.get_window_extent(renderer).y0 for legend in keys), default=0.0)
    return right / figure.dpi, low / figure.dpi


def letters(inches: float, size: float) -> int:
    """About how many letters of a size, in points, fit on so many inches."""
    return max(LEAST_LETTERS, int(0.96 * inches * 72 / (LETTER * size)))


def _missing(figure: Sheet, panels: Sequence[Any]) -> tuple[float, float]:
    """By how many inches the narrowest panel is too narrow, and the lowest too low."""
    assert figure.panel_size is not None
    width, height = figure.get_size_inches()
    boxes = [axes.get_position(original=True) for axes in panels]
    return (
        figure.panel_size[0] - min(box.width for box in boxes) * width,
        figure.panel_size[1] - min(box.height for box in boxes) * height,
    )


def _wrap_panels(figure: Sheet, panels: Sequence[Any]) -> None:
    """Breaks the titles and names of the axes of panels into lines that are no longer than they are."""
    if figure.panel_size is None:
        return
    for axes in panels:
        for text, inches in (
            (axes.title, figure.panel_size[0]), (axes.xaxis.label, figure.panel_size[0]), (axes.yaxis.label, figure.panel_size[1]),
        ):  # fmt: skip
            lines = text.get_text().splitlines()
            text.set_text("\n".join(wrapped(line, letters(inches, text.get_fontsize())) for line in lines))

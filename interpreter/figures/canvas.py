"""What figures are drawn on: the same everywhere, whatever the environment and the user's own settings of matplotlib say.

Nothing here goes through `pyplot`: a figure is an object of its own on a canvas of Agg, and needs no window system.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .math_text import literal

STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.dpi": 150,
    "svg.hashsalt": "dlspec",
    # Okabe & Ito 2008, told apart by people with any colour vision, but for their yellow, which can't be seen on white.
    "axes.prop_cycle": cycler(
        color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255"]
    ),
}
NOT_SET = ("backend", "backend_fallback")
MAX_INCHES = 200.0
"""How wide and how high a figure may be: an image of Agg has fewer than 2¹⁶ pixels a side."""


MOST_IN_A_ROW, MOST_WIDTH = 5, 18.0
"""How many panels are in a row at most, and how many inches they take."""


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's own defaults and the style of dlspec's figures, until the context ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of defaults that a later matplotlib drops
        defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if name not in NOT_SET}
    with rc_context({**defaults, **STYLE}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what can't be drawn as it should stands in the figure's own notes
        yield


class Sheet(Figure):
    """A figure, and what is to be said below it of what it could not show."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.notes: list[str] = []
        self.panel_size: tuple[float, float] | None = None
        """How wide and how high each panel is, in inches, whatever stands around it."""
        self.unnamed: list[Any] = []
        """Of what is drawn and has a label: what the key does not name."""
        self.entries: list[Any] = []
        """What the key names that is drawn in no panel."""
        self.keyed: list[tuple[Any, str]] = []
        """What the key names, in its order: what it looks like, and the text."""
        self.self_evident: set[str] = set()
        """Names that say nothing where they are the only one."""
        self.laid_out = False
        """Whether all stands where it is to stand, so that saving it needs no layout."""

    @property
    def panels(self) -> list[Any]:
        """Its panels, without colour bars."""
        return [axes for axes in self.axes if axes.get_visible() and axes.get_subplotspec() is not None]

    @property
    def renderer(self) -> Any:
        """What boxes of texts are asked of."""
        canvas: Any = self.canvas
        return canvas.get_renderer()

    def measure(self) -> None:
        """Lays all out, so that it can be asked how large it is; no text that is no mathematics is taken for it."""
        literal(self)
        self.draw_without_rendering()

    def note(self, text: str) -> None:
        """Adds a note, once."""
        if text not in self.notes:
            self.notes.append(text)


def grid(rows: int, columns: int, width: float, height: float) -> tuple[Sheet, Any]:
    """A figure with panels [rows, columns], each of so many inches."""
    size = (min(width * columns + 0.6, MAX_INCHES), min(height * rows + 0.6, MAX_INCHES))
    figure = Sheet(figsize=size, layout="constrained")
    figure.panel_size = (width, height)
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def panels(count: int, width: float = 2.9, height: float = 2.1) -> tuple[Sheet, list[Any]]:
    """A figure with so many panels, as many in a row as can be read, rows alike."""
    most = max(1, min(MOST_IN_A_ROW, int(MOST_WIDTH / width)))
    rows = -(-count // most)
    columns = -(-count // rows)
    figure, axes = grid(rows, columns, width, height)
    flat = list(axes.ravel())
    for unused in flat[count:]:
        unused.set_visible(False)
    return figure, flat[:count]


@contextmanager
def _kept_layout(figure: Figure) -> Iterator[None]:
    """A figure that is laid out is not again, which would draw it once more for each file."""
    engine = figure.get_layout_engine()
    if engine is None or not getattr(figure, "laid_out", False):
        yield
        return
    figure.set_layout_engine(None)  # with "none" a placeholder stands there, for which each file is drawn twice
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def save(figure: Figure, paths: Sequence[Path]) -> str:
    """Writes a figure into files, all whole or none; returns the letters that no font has. Raises OSError.

    The files' endings say how.
    """
    literal(figure)
    made = []
    with warnings.catch_warnings(record=True) as told, _kept_layout(figure):
        warnings.simplefilter("always")
        for path in paths:
            image = io.BytesIO()
            figure.savefig(image, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None)
            made.append(image.getvalue())
    written: list[Path] = []
    try:
        for path, content in zip(paths, made, strict=True):
            written.append(path)
            path.write_bytes(content)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    missing = [found for one in told if (found := re.match(r"Glyph (\d+) ", str(one.message)))]
    return "".join(dict.fromkeys(chr(int(found[1])) for found in missing))

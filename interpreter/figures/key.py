"""The key of a figure: what its lines and points are called, outside of its panels.

What several panels share stands once, right of them; what one of them has for itself (a fitted law, what diverged there)
stands below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from . import ticks
from .canvas import MAX_INCHES, Sheet
from .math_text import MAX_NAME_LENGTH, short
from .palette import Palette, shade

MOST_NAMED = 120
"""How many series the key names at most."""
MOST_BELOW = 30
"""How many lines stand below a panel at most."""
MOST_COLUMNS = 4
"""How many columns the key has at most."""
LINE_INCHES, LETTER_INCHES, HANDLE_INCHES = 0.165, 0.06, 0.6
"""About how high a line of the key is, how wide a letter, and how wide what stands before it."""
NARROW, MANY = 28, 40
"""How many letters a name has at most where the key has many entries, and from how many on."""
SIZE = 7.5
"""The size of its letters, in points."""
GREY = "0.3"
"""The colour of an entry that stands for lines of all colours."""
BELOW = 5.0
"""How far below a panel's numbers and words its own key stands, in points."""


@dataclass(frozen=True)
class Entry:
    """One entry: its text, and what it looks like on the figure; `place` is that of its panel."""

    place: int
    handle: Any
    text: str

    @property
    def look(self) -> tuple[str, ...]:
        """What tells it from others of the same text."""
        handle = self.handle
        if not isinstance(handle, Line2D):
            return (type(handle).__name__,)
        return (to_hex(handle.get_color()), str(handle.get_linestyle()), str(handle.get_marker()))


def add_key(figure: Sheet, scale: float = 1.0) -> None:
    """Names what is drawn: once for all panels, or below each; `scale` is that of the points in it."""
    panels = figure.panels
    unnamed = set(map(id, figure.unnamed))
    every = [
        Entry(place, handle, text)
        for place, axes in enumerate(panels)
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
        if id(handle) not in unnamed
    ]
    every += [Entry(-1, handle, str(handle.get_label())) for handle in figure.entries]
    where: dict[Any, set[int]] = {}
    for entry in every:
        where.setdefault((entry.text, entry.look), set()).add(entry.place)
    shared, own = [], []
    for entry in every:
        found = where[entry.text, entry.look]
        if len(panels) == 1 or len(found) > 1 or -1 in found:
            shared.append(entry)
        else:
            own.append(entry)
    shared = list({(entry.text, entry.look): entry for entry in reversed(shared)}.values())[::-1]
    if len(shared) + len(own) == 1 and shared and shared[0].text in figure.self_evident:
        return
    if shared:
        _beside(figure, shared, scale)
    if own:
        places = dict.fromkeys(entry.place for entry in own)
        _below(figure, {place: [entry for entry in own if entry.place == place] for place in places}, scale)


def _beside(figure: Sheet, entries: list[Entry], scale: float) -> None:
    more = {"title": f"the first {MOST_NAMED} of {len(entries):,}"} if len(entries) > MOST_NAMED else {}
    entries = entries[:MOST_NAMED]
    lines = sum(entry.text.count("\n") + 1 for entry in entries) + len(more)
    width, height = figure.get_size_inches()
    columns = max(1, min(MOST_COLUMNS, math.ceil(lines * LINE_INCHES / (height - 0.5))))
    letters = NARROW if len(entries) > MANY else MAX_NAME_LENGTH
    texts = [_cut(entry.text, letters) for entry in entries]
    figure.keyed += [(entry.handle, entry.text) for entry in entries]
    widest = max(len(line) for text in texts for line in text.splitlines())
    figure.set_size_inches(
        min(MAX_INCHES, width + columns * (widest * LETTER_INCHES + HANDLE_INCHES)),
        min(MAX_INCHES, max(height, math.ceil(lines / columns) * LINE_INCHES + 0.5)),
    )
    figure.legend(
        [entry.handle for entry in entries], texts, ncols=columns, fontsize=SIZE, title_fontsize=SIZE, markerscale=scale,
        loc="outside right upper", columnspacing=1.0, handlelength=2.6, borderpad=0.2, **more,
    )  # fmt: skip


def _below(figure: Sheet, by_panel: Mapping[int, list[Entry]], scale: float) -> None:
    panels = figure.panels
    rows = panels[0].get_subplotspec().get_gridspec().nrows
    most = max(sum(entry.text.count("\n") + 1 for entry in entries[:MOST_BELOW]) for entries in by_panel.values())
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, min(MAX_INCHES, height + rows * (most + 1) * LINE_INCHES))
    figure.measure()
    for place, entries in by_panel.items():
        more = {"title": f"the first {MOST_BELOW} of {len(entries):,}"} if len(entries) > MOST_BELOW else {}
        axes = panels[place]
        figure.keyed += [(entry.handle, entry.text) for entry in entries[:MOST_BELOW]]
        box = axes.xaxis.get_tightbbox(figure.renderer)
        depth = max(0.0, axes.bbox.y0 - box.y0) / figure.dpi if box is not None else 0.0
        axes.legend(
            [entry.handle for entry in entries[:MOST_BELOW]], [entry.text for entry in entries[:MOST_BELOW]], fontsize=SIZE,
            title_fontsize=SIZE, loc="upper left", bbox_to_anchor=(0.0, 0.0), borderaxespad=0.0, markerscale=scale, handlelength=2.6,
            alignment="left", borderpad=0.2,
            bbox_transform=axes.transAxes + ScaledTranslation(0, -depth - BELOW / 72, figure.dpi_scale_trans), **more,
        )  # fmt: skip


def _cut(text: str, letters: int) -> str:
    lines = text.splitlines()
    return (
        "\n".join(line if len(line) <= letters else f"{line[: letters - 1]}…" for line in lines)
        if letters < MAX_NAME_LENGTH
        else text
    )


def add_colour_bar(figure: Sheet, axes: list[Any], palette: Palette) -> None:
    """A colour bar for the numbers of an axis, with its name."""
    bar = figure.colorbar(ScalarMappable(palette.norm, shades()), ax=axes, fraction=0.06, pad=0.02, aspect=24)
    bar.set_label(short(palette.axis), fontsize=SIZE + 1)
    finish_bar(bar, [float(value) for value in palette.values])


def shades() -> LinearSegmentedColormap:
    """The colours of numbers, in their order."""
    return LinearSegmentedColormap.from_list("shades", [shade(place / 32) for place in range(33)])


def finish_bar(bar: Any, values: list[float]) -> None:
    """The ticks of a colour bar."""
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SIZE)
    bar.ax.grid(False)
    scale = bar.ax.get_yscale()
    if scale == "log":
        ticks.logarithmic(bar.long_axis, values)
    elif scale == "symlog":
        ticks.signed(bar.long_axis, min(abs(value) for value in values if value))
    else:
        ticks.linear(bar.long_axis, bool(values) and all(value.is_integer() for value in values))


def stand_ins(named: Iterable[tuple[dict[str, Any], str]]) -> Iterator[Any]:
    """Entries for lines whose colours a colour bar explains: grey, with the dash and the marker that tell them apart."""
    for look, text in named:
        yield Line2D([], [], label=text, linewidth=1.2, **{**look, "color": GREY})

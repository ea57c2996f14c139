"""What a drawn line, bar, text or axis looks like, as plain numbers and words: lengths in points, colours as `#rrggbb`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.ticker import FixedLocator

from .canvas import Sheet

NO_MARKER = ("None", "none", None, "", " ")
SMALL_POINT = 0.5
"""A point's share of the size that matplotlib says of it."""


def line_look(line: Any) -> dict[str, Any]:
    """A line's colour, width, dash, opacity and marker; what it does not have is left out."""
    dashed = line.get_linestyle() not in NO_MARKER and line.get_linewidth() > 0
    marker = line.get_marker()
    look: dict[str, Any] = {"colour": to_hex(line.get_color())}
    if dashed:
        dash = getattr(line, "_dash_pattern", (0, None))[1] or ()
        look |= {"width": _rounded(line.get_linewidth())} | (
            {"dash": [_rounded(part) for part in dash]} if dash else {}
        )
        look |= {"steps": True} if line.get_drawstyle() == "steps-post" else {}
    if marker not in NO_MARKER:
        size = line.get_markersize() * (SMALL_POINT if marker == "." else 1.0)
        look |= {"marker": str(marker), "size": _rounded(size)}
        look |= {"hollow": True} if line.get_fillstyle() == "none" else {}
    if line.get_alpha() is not None and line.get_alpha() < 1:
        look["opacity"] = _rounded(line.get_alpha())
    return look


def bar_look(bar: Any) -> dict[str, Any]:
    """A bar's colour, opacity and hatch, and half of its width."""
    look = {"colour": to_hex(bar.get_facecolor()), "opacity": _rounded(bar.get_alpha() or 1.0)}
    return {**look, "bar": _rounded(bar.get_width() / 2), **({"hatch": bar.get_hatch()} if bar.get_hatch() else {})}


def key_look(handle: Any) -> dict[str, Any]:
    """What an entry of the key looks like."""
    if hasattr(handle, "patches"):
        return bar_look(handle.patches[0])
    return line_look(handle)


def axis_look(axis: Any, ends: tuple[float, float]) -> dict[str, Any]:
    """An axis (`axes.xaxis`, `axes.yaxis`): its scale, its ends, and its names or ticks where they are no round numbers."""
    scale = str(axis.get_scale())
    look: dict[str, Any] = {"scale": scale, "ends": [float(f"{end:.6g}") for end in ends]}
    if isinstance(axis.get_major_locator(), FixedLocator):
        places = np.asarray(axis.get_majorticklocs(), float).tolist()
        return {
            **look,
            "names": [[place, text.get_text()] for place, text in zip(places, axis.get_ticklabels(), strict=True)],
        }
    if scale in ("log", "symlog"):
        locations = np.asarray(axis.get_majorticklocs(), float).tolist()
        look["ticks"] = [float(f"{tick:.6g}") for tick in locations if min(ends) <= tick <= max(ends)]
    if scale == "symlog":
        return {**look, "linear_to": float(axis.get_transform().linthresh)}
    return look | ({"whole": True} if getattr(axis.get_major_locator(), "_integer", False) else {})


def bar_of_colours(axes: Any) -> dict[str, Any]:
    """A colour bar: its name, its scale, and the colour of each of its parts from the lowest to the highest."""
    mappable = axes._colorbar.mappable
    ends = axes.get_ylim()
    shares = (np.arange(32) + 0.5) / 32
    return {
        "label": axes.get_ylabel(), **axis_look(axes.yaxis, ends),
        "colours": [to_hex(mappable.cmap(float(share))) for share in shares],
        "edges": [float(f"{edge:.6g}") for edge in mappable.norm.inverse(np.linspace(0, 1, 33))],
    }  # fmt: skip


def words_of(figure: Sheet) -> dict[str, list[str]]:
    """The lines of a figure's title, and of what stands below it."""
    title, below = figure.get_suptitle(), figure.get_supxlabel()
    return {"title": title.splitlines(), "below": below.splitlines()}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")

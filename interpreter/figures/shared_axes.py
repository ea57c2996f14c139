"""Panels that are compared have one vertical axis, as long as each can be read on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .canvas import Sheet

LEAST_SHARE = 0.05
"""How much of a shared axis the values of each panel fill at least."""


def share_vertical(figure: Sheet, panels: Sequence[Any], label: str) -> None:
    """Gives panels one vertical axis, with its numbers at the first of each row; says so below where they can't have one."""
    rows = {axes: axes.get_subplotspec().is_first_col() for axes in panels}
    scales = {axes.get_yscale() for axes in panels}
    limits = np.asarray([axes.get_ylim() for axes in panels])
    together = len(scales) == 1 and len(panels) > 1
    if together:
        ends = np.log10(limits) if scales == {"log"} else limits
        with np.errstate(all="ignore"):
            parts = (ends[:, 1] - ends[:, 0]) / (ends[:, 1].max() - ends[:, 0].min())
        together = bool((parts >= LEAST_SHARE).all())
    for axes in panels:
        if together:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
            axes.tick_params(labelleft=rows[axes])
        if rows[axes]:
            axes.set_ylabel(label)
    if not together and len(panels) > 1:
        figure.note("Each panel has a vertical axis of its own: on one axis not all of them could be read.")

"""Ticks of logarithmic axes: those between powers of ten are there while they can be told apart."""

from __future__ import annotations

import pytest
from dlspec.interpreter.figures.canvas import panels, style
from dlspec.interpreter.figures.ticks import logarithmic


@pytest.mark.parametrize(("decades", "between"), [(3, True), (12, True), (20, False), (60, False)])
def test_an_axis_of_many_powers_of_ten_has_no_ticks_between_them(decades: int, between: bool) -> None:
    with style():
        _, (axes, *_) = panels(1)
        axes.set_yscale("log")
        axes.set_ylim(1e-5, 10.0 ** (decades - 5))
        logarithmic(axes.yaxis)
        assert (len(axes.yaxis.get_minorticklocs()) >= 8 * decades) == between
        assert between or len(axes.yaxis.get_minorticklocs()) == 0
        assert len(axes.yaxis.get_majorticklocs()) >= 3

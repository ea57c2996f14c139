"""Every kind of figure can be read with 1, 8 and 100 series: no two texts overlap, and none leaves the figure or lies on a panel."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec.interpreter.figures.canvas import Sheet, panels, style
from dlspec.spec.model.figures import FIGURES
from matplotlib.colors import to_hex

from .many_series import COUNTS, FIGURES_OF, MANY_PANELS, clashes, made_figure


def test_every_kind_is_among_them() -> None:
    assert {figure.partition("kind: ")[2].partition(",")[0] for figure, _ in FIGURES_OF.values()} == set(FIGURES)


TAKE_LONG = (*MANY_PANELS, "images_of_cells", "images_a_row_a_cell")
"""Of which 100 are 100 panels, or 400 images."""
EVERY = [
    pytest.param(name, count, marks=[pytest.mark.slow] if count == 100 and name in TAKE_LONG else [])
    for name in FIGURES_OF
    for count in COUNTS
]


@pytest.mark.parametrize(("name", "count"), EVERY)
def test_no_texts_clash(name: str, count: int) -> None:
    with style():
        figure = made_figure(name, count)
        assert clashes(figure) == []
        assert figure.get_figwidth() < 40
        for axes in figure.panels:
            width, height = axes.get_position(original=True).size * figure.get_size_inches()
            assert width >= 0.9 * figure.panel_size[0] and height >= 0.9 * figure.panel_size[1]


def test_what_clashes_is_found() -> None:
    """The twin: texts that overlap, leave the figure, or lie on another panel are all told."""
    with style():
        figure, (left, right) = panels(2)
        left.set_title(
            "a title that goes far over the panel on its right, and from there on and on beyond both ends of the figure, so that nobody can read it"
        )
        right.set_title("another")
        right.text(-1.3, 0.5, "on the other panel", transform=right.transAxes)
        told = " ".join(clashes(figure))
    assert (
        "leaves the figure: 'a title" in told
        and "overlap: 'a title" in told
        and "in a panel: 'on the other panel'" in told
    )


def looks(figure: Sheet) -> list[tuple[Any, ...]]:
    """What each named line of a figure looks like."""
    return [
        (to_hex(line.get_color()), str(line._unscaled_dash_pattern), str(line.get_marker()))
        for axes in figure.panels
        for line in axes.get_lines()
        if not str(line.get_label()).startswith("_")
    ]


@pytest.mark.parametrize("name", ["curves_of_variants", "curves_of_rates", "profile_of_variants", "scaling_of_rates"])
@pytest.mark.parametrize("count", COUNTS)
def test_no_two_series_look_alike(name: str, count: int) -> None:
    with style():
        every = [look for look in looks(made_figure(name, count)) if look[2] != "x"]
    assert len(set(every)) == len(every) >= count


def test_a_swept_number_has_a_colour_bar_and_the_key_has_what_else_differs() -> None:
    with style():
        figure = made_figure("curves_of_rates", 100)
        (bar,) = [axes for axes in figure.axes if axes not in figure.panels]
        assert bar.get_ylabel() == "rate" and bar.get_yscale() == "log"
        assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["method_0", "method_1"]
        shades = {str(line.get_label()).partition(" (")[0]: line.get_color() for line in figure.panels[0].get_lines()}
        assert shades["method_0, rate = 0.0001"] == shades["method_1, rate = 0.0001"] == "#440154"


def test_panels_that_compare_share_their_axis_or_say_why_not() -> None:
    with style():
        figure = made_figure("scaling_over_many", 8)
        assert len({axes.get_ylim() for axes in figure.panels}) == 1
        assert [axes.yaxis.get_tick_params()["labelleft"] for axes in figure.panels] == [True, False]
        figure = made_figure("curves_in_panels", 8)  # at d = 1 all is 25 times smaller than at d = 100
        assert len({axes.get_ylim() for axes in figure.panels}) == 3
        assert (
            figure.notes[-1] == "Each panel has a vertical axis of its own: on one axis not all of them could be read."
        )


def test_what_one_panel_has_for_itself_stands_below_it() -> None:
    with style():
        figure = made_figure("curves_in_panels", 8)
        below = [
            text.get_text() for axes in figure.panels if axes.get_legend() for text in axes.get_legend().get_texts()
        ]
        beside = [text.get_text() for text in figure.legends[0].get_texts()]
    assert (
        below and all("(1 of 3 diverged)" in text for text in below) and not any("diverged" in text for text in beside)
    )

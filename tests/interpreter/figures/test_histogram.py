"""Histograms: shares of the values of each cell, in bins that all share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.figures.draw import DRAWERS, draw

Make = Callable[..., Any]


def lines(axis: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()}


def test_numbers_are_spread_over_the_replicates(made: Make, tmp_path: Path) -> None:
    values = {(d, number): [0.0, 0.0, float(d * number)] for d in (1, 2) for number in range(4)}
    plan, found = made("{kind: histogram, y: error, bins: 3}", values)
    (axis,) = DRAWERS["histogram"](plan, found).axes
    assert lines(axis) == {
        "d = 1": ([0, 0, 2, 4, 6], [0, 0.5, 0.5, 0, 0]), "d = 2": ([0, 0, 2, 4, 6], [0, 0.25, 0.25, 0.5, 0]),
    }  # fmt: skip
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("error", "share of values")
    (panel,) = json.loads(draw(plan, found, tmp_path, pytest.fail)[2].read_text("utf-8"))["panels"]
    assert panel["series"][0]["y"] == [0, 0.5, 0.5, 0, 0]


def test_shares_that_are_all_alike_stand_on_an_axis_from_0(made: Make) -> None:
    plan, found = made("{kind: histogram, y: error, bins: 4}", {(1, n): [0, 0, float(n)] for n in range(4)})
    (axis,) = DRAWERS["histogram"](plan, found).axes
    assert lines(axis)["error"][1] == [0, 0.25, 0.25, 0.25, 0.25, 0] and axis.get_ylim()[0] <= 0


def test_arrays_are_spread_over_their_entries_and_what_is_in_no_bin_is_counted(made: Make) -> None:
    plan, found = made("{kind: histogram, y: pair, bins: 2, scale: {x: log}}", {(1, n): [1, 1, 1] for n in range(3)})
    ends = [[1.0, 100.0], [np.nan, -3.0], [5.0, 5.0]]
    for replicate, end in zip(found.replicates, ends, strict=True):
        replicate.curves = {"pair": [np.zeros(2), np.zeros(2), np.asarray(end)]}
    found.replicates[2].status = "diverged"
    (axis,) = DRAWERS["histogram"](plan, found).axes
    ((label, (edges, shares)),) = lines(axis).items()
    assert label == "pair (2 of 4 values in no bin, 1 of 3 not there)" and axis.get_xscale() == "log"
    assert np.allclose(edges, [1, 1, 10, 100]) and shares == [0, 0.25, 0.25, 0]


@pytest.mark.parametrize("end", [0.0, np.nan, -1.0, 1e308, 1e-300])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_hard_values_are_drawn(end: float, scale: str, made: Make, tmp_path: Path) -> None:
    plan, found = made(f"{{kind: histogram, y: error, scale: {{x: {scale}, y: {scale}}}}}", {(1, 0): [1, 1, end]})
    assert len(draw(plan, found, tmp_path, pytest.fail)) >= 2


def test_nothing_that_was_finished_is_no_figure(made: Make, tmp_path: Path) -> None:
    plan, found = made("{kind: histogram, y: error}", {(1, 0): [1, 1, 1]})
    found.replicates[0].status = "failed"
    told: list[str] = []
    assert draw(plan, found, tmp_path, told.append) == []
    assert told == ["no cell has what it shows, so it is not drawn"]


@pytest.mark.parametrize("scale", ["", ", scale: {x: log}"])
@pytest.mark.parametrize("near", [0.0, 1.0, 3e10])
def test_values_that_differ_by_rounding_are_one(made: Make, scale: str, near: float) -> None:
    """1 and the next number above it leave no room for three bins between them."""
    values = {(1, n): [0, 0, near if n else float(np.nextafter(near, np.inf)) if near else 0.0] for n in range(3)}
    plan, found = made(f"{{kind: histogram, y: error{scale if near else ''}}}", values)
    (axis,) = DRAWERS["histogram"](plan, found).axes
    shares = lines(axis)["error"][1]
    assert max(shares) == 1 and sum(shares) == 1

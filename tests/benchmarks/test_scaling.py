"""Slopes, and the page and figures that are made of the numbers."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from benchmarks import scaling
from benchmarks.scaling import Series, figure
from benchmarks.scaling_page import page

AT = [1, 10, 100, 1000, 10000]


def series(name: str, slope: float, fixed: float = 0.0) -> Series:
    return Series(name, "things", "a run", AT, [[fixed + 0.001 * at**slope] * 3 for at in AT])


def test_the_slope_of_a_power_is_its_exponent():
    slope, factor, begin = series("cells", 1.5).fit()
    assert slope == pytest.approx(1.5) and factor == pytest.approx(0.001) and begin == 100


def test_what_is_fixed_weighs_little_on_the_upper_half():
    assert series("cells", 1.0, fixed=0.01).fit()[0] == pytest.approx(1, abs=0.05)


def test_two_points_have_a_slope():
    assert Series("jobs", "jobs", "a run", [1, 2], [[4.0], [2.0]]).fit()[0] == pytest.approx(-1)


def test_the_tiny_study_is_valid_with_as_many_cells_as_asked_for():
    plan = spec.resolve(spec.parse(Source("tiny.yaml", scaling.TINY.format(rates="0.1, 0.2, 0.3"))))
    assert [program.training.steps for program in plan.experiments[0].programs] == [10, 10, 10]


def test_the_page_and_a_figure_show_every_series(tmp_path):
    names = ("dimension", "batch", "replicates", "points", "cells", "cells_stored", "jobs")
    held = {name: series(name, 1.0) for name in names}
    held["cells"].left_out = "10,000 cells would take about 9 minutes"
    data = {
        "date": "2020-01-01", "versions": {"dlspec": "0", "tensorflow": "2"},
        "machine": {"processor": "P", "cores": 2, "memory": 24.0, "system": "Linux", "python": "3", "load": 0.1},
    }  # fmt: skip
    text = page(data, {name: (one.fit(), one) for name, one in held.items()})
    assert text.count("Slope **1.00** from 100 on.") == 6
    assert "Not measured: 10,000 cells would take about 9 minutes." in text
    figure([held["cells"], held["cells_stored"]], tmp_path / "cells.png")
    assert (tmp_path / "cells.png").read_bytes().startswith(b"\x89PNG")

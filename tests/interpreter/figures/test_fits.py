"""Fitted laws: their parameters, the error of their slope over replicates, and what they are not fitted to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.figures.fits import LAWS, fit, usable
from dlspec.interpreter.results.number_text import with_error
from dlspec.spec.model.figures import Scaling
from scipy import stats

X = np.asarray([1.0, 2.0, 5.0, 9.0])
CURVES = {
    "power": lambda x, a, b: a * x**b,
    "exponential": lambda x, a, b: a * np.exp(b * x),
    "linear": lambda x, a, b: a + b * x,
}
Make = Callable[..., Any]
FIGURE = "{kind: scaling, x: d, y: error, scale: {x: log, y: log}, fit: power, where: variant == a}"


def labels(axis: Any) -> list[str]:
    return [" ".join(line.get_label().split()) for line in axis.get_lines()]


def fits_drawn(axis: Any) -> list[Any]:
    return [line for line in axis.get_lines() if line.get_linestyle() == "--" and len(line.get_xdata())]


def test_every_law_that_a_figure_may_ask_for_is_one() -> None:
    (choice, _) = get_args(Scaling.model_fields["fit"].annotation)
    assert set(get_args(choice)) == set(LAWS) == set(CURVES)


@pytest.mark.parametrize(
    ("law", "parameters", "text"),
    [
        ("power", (3, 1.5), "3 · x^1.50"),
        ("exponential", (2, -0.5), "2 · exp(-0.5 x)"),
        ("linear", (1, 4), "1 + 4 · x"),
    ],
)
def test_a_law_is_found_again(law: str, parameters: tuple[float, float], text: str) -> None:
    y = CURVES[law](X, *parameters)
    found = fit(LAWS[law], X, y, np.zeros(len(X), int))
    assert found is not None
    np.testing.assert_allclose(found.at(X), y, rtol=1e-9)
    assert (found.text, found.source) == (text, "no error: 1 replicate")


def test_a_coefficient_that_no_number_holds_is_a_power_of_ten() -> None:
    x = np.asarray([900.0, 901.0, 902.0])
    found = fit(LAWS["exponential"], x, np.exp(x - 900), np.zeros(3, int))
    assert found is not None and found.text == "10^-390.9 · exp(1 x)", "log10(e^-900) = -390.87"


@pytest.mark.parametrize(
    ("law", "text"), [("power", "x^{} ± {}"), ("exponential", "exp(({} ± {}) x)"), ("linear", "({} ± {}) · x")]
)
def test_the_error_is_that_of_the_slopes_of_replicates(law: str, text: str) -> None:
    random = np.random.default_rng(1)
    x, replicates = np.tile(X, 5), np.repeat(np.arange(5), len(X))
    y = CURVES[law](x, 2.0, np.repeat(random.normal(-0.5, 0.1, 5), len(X))) * random.lognormal(0, 0.1, len(x))
    found = fit(LAWS[law], x, y, replicates)
    straight = [(np.log(x) if law == "power" else x), (y if law == "linear" else np.log(y))]
    slopes = [stats.linregress(*(part[replicates == one] for part in straight)).slope for one in range(5)]
    low, high = stats.t.interval(0.95, 4, np.mean(slopes), stats.sem(slopes))
    assert found is not None and found.half == pytest.approx((high - low) / 2)
    assert found.slope == pytest.approx(np.mean(slopes)) == pytest.approx(stats.linregress(*straight).slope)
    assert found.text.endswith(text.format(*with_error(np.mean(slopes), (high - low) / 2).split(" ± ")))
    assert found.source == "5 replicates"


def test_the_error_of_very_large_slopes_is_a_number() -> None:
    x, replicates = np.tile(X, 3), np.repeat(np.arange(3), len(X))
    found = fit(LAWS["linear"], x, 1e198 * x * (1 + replicates), replicates)
    half = 1e198 * stats.t.ppf(0.975, 2) * stats.sem([1, 2, 3])
    assert found is not None and (found.slope, found.half) == (pytest.approx(2e198), pytest.approx(half))
    assert found.text.endswith("(2e+198 ± 2.5e+198) · x")


def test_slopes_that_agree_have_no_error_and_say_so() -> None:
    x, replicates = np.tile(X, 4), np.repeat(np.arange(4), len(X))
    found = fit(LAWS["power"], x, (1.0 + replicates) * x**2, replicates)
    assert found is not None and (found.half, found.source) == (None, "the same in all 4 replicates")
    assert found.text == f"{24**0.25:.3g} · x^2.00"


def test_replicates_with_too_few_x_are_in_no_error_and_counted() -> None:
    x, replicates = np.tile(X, 5), np.repeat(np.arange(5), len(X))
    y = x ** (1 + replicates / 10)
    kept = (replicates < 3) | (x < 3)
    found = fit(LAWS["power"], x[kept], y[kept], replicates[kept])
    assert found is not None and (found.source, found.unused) == ("3 of 5 replicates", 4)
    half = stats.t.ppf(0.975, 2) * stats.sem([1, 1.1, 1.2])
    assert (found.slope, found.half) == (pytest.approx(1.1), pytest.approx(half))
    kept = (replicates < 2) | (x < 3)
    found = fit(LAWS["power"], x[kept], y[kept], replicates[kept])
    assert found is not None and (found.half, found.unused) == (None, 0)
    assert found.source == "no error: 2 of 5 replicates have 3 x"
    assert found.slope == pytest.approx(stats.linregress(np.log(x[kept]), np.log(y[kept])).slope)


@pytest.mark.parametrize("law", LAWS)
def test_no_law_is_fitted_through_two_places(law: str) -> None:
    assert fit(LAWS[law], np.tile(X[:2], 5), np.arange(1.0, 11), np.repeat(np.arange(5), 2)) is None


def test_what_can_not_be_fitted_is_counted_once_by_why() -> None:
    x = np.asarray([1.0, 2, 3, 4, 5, 0, 7])
    y = np.asarray([np.nan, np.inf, 1e250, 0.5, -1, 2, 3])
    floor = np.asarray([9.0, 9, 9, 1, -2, 0, 0])
    kept, left_out = usable(LAWS["power"], x, y, floor)
    assert kept.tolist() == [False] * 6 + [True]
    assert left_out == {"not finite": 2, "too large": 1, "below the sampling floor": 1, "≤ 0": 1, "at x ≤ 0": 1}
    kept, left_out = usable(LAWS["linear"], x, y, None)
    assert kept.tolist() == [False] * 3 + [True] * 4 and left_out == {"not finite": 2, "too large": 1}


def test_the_legend_has_the_law_its_error_and_what_is_left_out(made: Make) -> None:
    values = {(d, r): [0, 0, (1 + r) * d ** (-2 + r / 10)] for d in (1, 2, 4) for r in range(4)}
    values[4, 3] = [0, 0, -1]
    plan, found = made(FIGURE, values)
    figure = DRAWERS["scaling"](plan, found)
    (axis,) = figure.axes
    half = stats.t.ppf(0.975, 2) * stats.sem([-2, -1.9, -1.8])
    text = f"1.82 · x^-1.90 ± {half:.2f} (3 of 4 replicates, 1 value ≤ 0, 2 of replicates with fewer than 3 x left out)"
    assert text in labels(axis)
    (drawn,) = fits_drawn(axis)
    np.testing.assert_allclose(drawn.get_ydata(), 6 ** (1 / 3) * drawn.get_xdata() ** -1.9, rtol=1e-9)
    figure.canvas.draw()
    assert text in [series["label"] for series in describe(figure)["panels"][0]["series"]]


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_what_has_no_value_or_ended_early_is_counted(status: str, made: Make) -> None:
    plan, found = made(FIGURE, {(d, r): [0, 0, d**2] for d in (1, 2, 4) for r in range(3)})
    first, second = (replicate for replicate in found.replicates if replicate.constants["d"] == 4 and replicate.number)
    first.status = second.status = status
    second.curves, second.steps = {}, []
    (axis,) = DRAWERS["scaling"](plan, found).axes
    told = "diverged" if status == "diverged" else "not finished"
    assert f"1 · x^2.00 (no error: 1 of 3 replicates have 3 x, 1 value {told}, 1 without a value left out)" in labels(
        axis
    )


def test_a_series_of_which_all_diverged_has_no_fit_and_says_so(made: Make) -> None:
    plan, found = made(FIGURE, {(d, 0): [0, 0, d**2] for d in (1, 2, 4)})
    for replicate in found.replicates:
        replicate.status = "diverged"
    (axis,) = DRAWERS["scaling"](plan, found).axes
    assert any(
        label.endswith("no fit: 0 different x, it needs 3; 3 values diverged left out") for label in labels(axis)
    )
    assert not fits_drawn(axis)


def test_figures_are_drawn_without_tensorflow() -> None:
    text = "import sys, dlspec.interpreter.figures; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", text], check=True)

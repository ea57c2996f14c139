"""The picture of a claim's margins: a dot a replicate, and an interval only where it is one of margins."""

from __future__ import annotations

import re
from typing import Any

import pytest
from dlspec.interpreter.report.margins import EDGE, WIDTH, margins_picture


def claim(**more: Any) -> dict[str, Any]:
    return {"margins": [], "interval": None, "evidence": [{"margins": [1.0, 2.0, 4.0]}], **more}


def places(picture: str) -> list[float]:
    return [float(place) for place in re.findall(r'cx="([\d.]+)"', picture)]


def test_dots_lie_to_scale_from_where_the_claim_turns() -> None:
    right = [EDGE + value / 4 * (WIDTH - 2 * EDGE) for value in (1, 2, 4)]
    assert places(margins_picture(claim())) == pytest.approx(right, abs=0.05)
    assert "from 1 to 4, mean 2.33" in margins_picture(claim())


def test_an_interval_of_the_mean_is_drawn_and_one_of_a_share_of_seeds_is_not() -> None:
    mean = claim(judge="mean", margins=[1.0, 2.0, 4.0], interval=[-1.0, 5.0])
    assert margins_picture(mean).count('class="interval"') == 2
    right = [EDGE + (value + 1) / 6 * (WIDTH - 2 * EDGE) for value in (1, 2, 4)]
    assert places(margins_picture(mean)) == pytest.approx(right, abs=0.05)
    for judge in ("replicates", "share 0.5"):
        share = claim(judge=judge, interval=[0.37, 1.0])
        assert margins_picture(share) == margins_picture(claim())


def test_nothing_is_drawn_of_one_replicate_of_several_conditions_and_of_what_has_no_scale() -> None:
    one = {"margins": [1.0, 2.0]}
    for nothing in (
        {"evidence": [{"margins": [1.0]}]},
        {"evidence": [one, one]},
        {"evidence": [{"margins": [1e308, -1e308]}]},
    ):
        assert margins_picture(claim(**nothing)) == ""

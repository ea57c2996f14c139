"""Numbers of a run that are asked for in the words of claims, beside the run's own tables."""

from __future__ import annotations

import dlspec
import numpy as np
import pytest


def test_a_number_stands_for_each_replicate_on_the_axes_that_are_left(run: dlspec.Run) -> None:
    found = run.evaluate("sqrt(final(error, r == 0.5)) * d", "e")
    finals = run.finals("e")
    own = finals[finals.r == 0.5].sort_values(["d", "replicate"])
    assert found.columns.tolist() == ["d", "replicate", "value", "low", "high"]
    assert found[["d", "replicate"]].values.tolist() == own[["d", "replicate"]].values.tolist()
    np.testing.assert_allclose(found["value"], np.sqrt(own["error"]) * own["d"], rtol=1e-12)


def test_curves_are_looked_at_over_their_steps(run: dlspec.Run) -> None:
    curves = run.curves("e", "error")
    lowest = curves.groupby(["d", "r", "replicate"])["value"].min()
    np.testing.assert_array_equal(run.evaluate("lowest(error)", "e")["value"], lowest)
    first = curves[curves.step == 0].groupby(["d", "r", "replicate"])["value"].mean()
    np.testing.assert_array_equal(run.evaluate("at(error, 0)", "e")["value"], first)
    along = run.evaluate("slope(at(error, 0), d)", "e").set_index(["r", "replicate"])["value"]
    np.testing.assert_allclose(along, first.loc[2] - first.loc[1], rtol=1e-9)


def test_an_event_that_never_came_lies_beyond_the_last_step(run: dlspec.Run) -> None:
    found = run.evaluate("first_step(error < -1)", "e")
    assert found["value"].isna().all()
    assert (found["low"] > 30).all()
    assert np.isinf(found["high"]).all()


def test_a_condition_is_one_or_zero_and_what_is_undefined_not_a_number(run: dlspec.Run) -> None:
    finals = run.finals("e")
    assert run.evaluate("final(error) > 0", "e")["value"].tolist() == [1.0] * len(finals)
    assert run.evaluate("log(-final(error)) > 0", "e")["value"].isna().all()


@pytest.mark.parametrize(
    ("expression", "experiment", "told"),
    [
        ("final(eror)", "e", "expression:1:7: `final` takes the name of a measure"),
        ("final(error, d == 7)", "e", "expression:1:"),
        ("final(m)", None, "the run has several experiments"),
        ("final(m", "other", "expression:1:"),
        ("final(m)", "elsewhere", "the run has no experiment 'elsewhere'"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_told_with_its_place(
    run: dlspec.Run, expression: str, experiment: str | None, told: str
) -> None:
    with pytest.raises(dlspec.StudyError) as raised:
        run.evaluate(expression, experiment)
    assert told in str(raised.value)
    assert len(str(raised.value).splitlines()) > 1

"""Curves on their axes: what has no value is NaN, axes that go in step are one dimension, names never take one another's place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from dlspec.interpreter.api.arrays import dataset
from dlspec.interpreter.api.frames import column
from dlspec.interpreter.results.replicates import Replicate


def replicate(
    number: int, steps: dict[int, Any], variant: str = "", status: str = "done", **constants: Any
) -> Replicate:
    """A replicate of one measure `m` at some steps."""
    made = Replicate("e", variant, constants, number, "d", status)
    for step, value in steps.items():
        made.record(step, {"m": np.asarray(value)})
    return made


def test_variants_with_other_steps_and_a_replicate_that_diverged() -> None:
    data = dataset(
        [
            replicate(0, {0: 1.0, 10: 2.0, 20: 3.0}, "a"),
            replicate(1, {0: 4.0}, "a", "diverged"),
            replicate(0, {0: 5.0, 15: 6.0}, "b"),
        ],
        {"study": "s"},
    )
    assert data["m"].dims == ("variant", "replicate", "step") and data["step"].values.tolist() == [0, 10, 15, 20]
    expected = [[[1, 2, np.nan, 3], [4, np.nan, np.nan, np.nan]], [[5, np.nan, 6, np.nan], [np.nan] * 4]]
    np.testing.assert_array_equal(data["m"].values, expected)
    assert data["status"].values.tolist() == [["done", "diverged"], ["done", ""]] and data.attrs == {"study": "s"}
    assert float(data["m"].sel(variant="b", replicate=0, step=15)) == 6


def test_axes_that_go_in_step_are_one_dimension_and_others_are_crossed() -> None:
    points = [(1, 10), (2, 20), (3, 30)]
    data = dataset([replicate(0, {0: float(d * r)}, d=d, n=n, r=r) for d, n in points for r in (0.5, 1.0)], {})
    assert dict(data["m"].sizes) == {"d": 3, "r": 2, "replicate": 1, "step": 1}
    assert data["n"].dims == ("d",) and data["n"].values.tolist() == [10, 20, 30]
    for d, n in points:
        chosen = data["m"].sel(d=d, r=0.5)
        assert chosen.item() == d / 2 and int(chosen["n"]) == n
    assert dict(dataset([replicate(0, {0: 1.0}, d=1, r=2)], {})["m"].sizes) == {
        "d": 1,
        "r": 1,
        "replicate": 1,
        "step": 1,
    }


def test_arrays_that_are_larger_in_some_cells_and_axes_that_are_lists() -> None:
    data = dataset([replicate(0, {0: [1.0] * d}, d=d, w=[d]) for d in (1, 2)], {})
    np.testing.assert_array_equal(data["m"].values[:, 0, 0], [[1, np.nan], [1, 1]])
    assert data["w"].dims == ("d",) and data["w"].values.tolist() == ["[1]", "[2]"]


def test_names_never_take_the_place_of_others() -> None:
    made = Replicate("e", "", {"step": 3, "m": 1}, 0, "d")
    made.record(0, {"m": np.asarray(2.0), "replicate": np.asarray(4.0)})
    data = dataset([made], {})
    assert data["m"].values.tolist() == [1] and data["measure.m"].item() == 2 and data["measure.replicate"].item() == 4
    assert data["axis.step"].values.tolist() == [3] and data["step"].values.tolist() == [0]


def test_without_replicates_there_is_nothing() -> None:
    assert dataset([], {}).sizes == {"replicate": 0, "step": 0}


@pytest.mark.parametrize(
    ("values", "kind", "shown"),
    [
        ([1, None], "Int64", [1, None]), ([1, 2], "int64", [1, 2]), ([1, 0.5], "float64", [1, 0.5]),
        ([None, 0.5], "float64", [None, 0.5]), ([True, None], "boolean", [True, None]), (["a", "b"], "str", ["a", "b"]),
        ([[1, 2], None], "str", ["[1, 2]", None]), ([2**70, 1], "object", [2**70, 1]),
    ],
)  # fmt: skip
def test_a_column_has_the_kind_of_its_values(values: list[Any], kind: str, shown: list[Any]) -> None:
    made = column(values)
    assert str(made.dtype) in (kind, "object" if kind == "str" else kind)
    assert [None if pd.isna(value) else value for value in made.tolist()] == shown

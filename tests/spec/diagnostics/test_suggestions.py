"""Suggestions: the same among thousands of names as among few."""

from __future__ import annotations

import difflib

from dlspec.spec.diagnostics.suggestions import MAX_COMPARED_DIRECTLY, Words, did_you_mean


def test_among_few_the_nearest_is_as_difflib_has_it() -> None:
    names = ["floor", "floor_to", "ceil", "relu", "softmax", "normal", "matmul"]
    for word in ("floor_too", "flor", "sofmax", "NORMAL", "mat_mul", "xyz", "ler"):
        close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
        assert Words(names).near(word) == (close[0] if close else "")


def test_among_thousands_a_misspelt_name_is_found() -> None:
    names = Words(f"weight_{number}" for number in range(10 * MAX_COMPARED_DIRECTLY))
    words = Words([*names, "accuracy"])
    assert words.near("acuracy") == "accuracy"
    assert words.near("weigth_1999") == "weight_1999"
    assert words.near("qqq") == ""


def test_what_may_not_stand_there_is_not_suggested() -> None:
    assert did_you_mean("errr", ["error"], but="error") == ""
    assert did_you_mean("errr", ["error", "errors"], but="error") == "Did you mean 'errors'?"


def test_of_two_that_differ_in_capitals_the_first_is_meant() -> None:
    assert Words(["w", "W"]).near("W_") == "W"

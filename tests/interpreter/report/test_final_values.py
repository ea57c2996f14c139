"""Finals by cell, from made-up cells."""

from __future__ import annotations

from typing import Any

from dlspec.interpreter.report.final_values import MAX_UNFOLDED_ROWS, MOST_ENTRIES, MOST_ROWS, Spread, finals, numbers


def cell(place: int, replicate: int = 0, **final: Any) -> dict[str, Any]:
    return {
        "experiment": "e", "variant": "v", "constants": {"d": place}, "replicate": replicate, "digest": f"{place:x}", "key": "k",
        "status": "done", "message": "", "steps": 10, "final": final or {"error": float(place + replicate)}, "infinite": {},
    }  # fmt: skip


def test_a_row_is_the_mean_and_the_range() -> None:
    (own,) = finals([cell(1, r) for r in range(3)])
    (row,) = own.rows
    assert (row.name, row.finals, row.replicates) == ("v, d = 1", [Spread("2", "1 … 3")], "3")
    assert [one.finals for one in own.each] == [[Spread("1")], [Spread("2")], [Spread("3")]]


def test_what_is_undefined_is_no_mean_and_is_said() -> None:
    assert Spread.of([1.0, None, 3.0]) == Spread("–", "1 of 3 undefined")
    assert Spread.of([None]) == Spread.of([]) == Spread("–")
    (own,) = finals([cell(1, error=1.0), cell(1, 1, error=None), {**cell(1, 2, error=5.0), "status": "diverged"}])
    assert own.rows[0].finals == [Spread("–", "1 of 2 undefined")] and own.rows[0].replicates == "2 of 3"


def test_small_arrays_are_taken_apart_and_large_ones_have_their_entries_below() -> None:
    table = [[float(5 * row + column) for column in range(5)] for row in range(5)]
    more = [[value + 2 for value in row] for row in table]
    (own,) = finals([cell(0, pair=[1.0, None], table=table), cell(0, 1, pair=[1.0, None], table=more)])
    assert own.measures == ["pair[0]", "pair[1]"]
    (large,) = own.arrays
    assert (large.name, large.shape, large.span, large.more) == ("table", "5 × 5", "0 to 26", 0)
    assert [(entry.place, entry.final) for entry in large.entries] == [
        (f"{place // 5}, {place % 5}", Spread(f"{place + 1:.3g}", f"{place} … {place + 2}")) for place in range(25)
    ]


def test_a_large_array_of_what_is_not_done_is_empty_and_very_many_entries_are_cut() -> None:
    (own,) = finals([{**cell(0, table=[1.0] * 9), "status": "diverged"}])
    assert own.arrays[0].span == "–" and {entry.final.mean for entry in own.arrays[0].entries} == {"–"}
    (own,) = finals([cell(0, table=[1.0] * (MOST_ENTRIES + 7))])
    assert own.arrays[0].more == 7 and len(own.arrays[0].entries) == MOST_ENTRIES


def test_squares_are_taken_apart() -> None:
    assert numbers(cell(0, square=[[1.0, 2.0], [3.0, 4.0]])) == {
        "square[0, 0]": 1,
        "square[0, 1]": 2,
        "square[1, 0]": 3,
        "square[1, 1]": 4,
    }


def test_a_large_study_is_folded_and_cut() -> None:
    (few,) = finals([cell(place) for place in range(MAX_UNFOLDED_ROWS)])
    assert not few.folded and few.more == 0
    (many,) = finals([cell(place) for place in range(MOST_ROWS + 5)])
    assert many.folded and many.more == 5 and len(many.rows) == MOST_ROWS and many.each == []


def test_what_is_infinite_is_so_in_tables_as_it_is_in_python() -> None:
    """An infinite entry was left out of what a large array spans, and an infinite final was as if undefined."""
    one = {
        **cell(1, error=None, table=[None, *map(float, range(8))]),
        "infinite": {"error": 1, "table": [-1, *[0] * 8]},
    }
    (own,) = finals([one, cell(1, 1, error=2.0, table=[0.0] * 9)])
    assert own.rows[0].finals == [Spread("inf", "2 … inf")]
    assert own.arrays[0].span == "-inf to 7"
    assert [entry.final.mean for entry in own.arrays[0].entries][:2] == ["-inf", "0"]


def test_an_array_that_is_large_in_one_cell_is_shown_whole_for_all() -> None:
    """The cell in which it is large stood in the columns of the others' entries, with nothing in them."""
    small, large = ([[float(10 * i + j) for j in range(d)] for i in range(d)] for d in (2, 3))
    (own,) = finals([cell(2, error=1.0, outer=small), cell(3, error=1.0, outer=large)])
    assert own.measures == ["error"]
    (array,) = own.arrays
    assert (array.shape, array.span) == ("2 × 2 or 3 × 3", "0 to 22")
    assert [(one.name, one.place, one.final.mean) for one in array.entries] == [
        (f"v, d = {d}", f"{i}, {j}", f"{10 * i + j}") for d in (2, 3) for i in range(d) for j in range(d)
    ]

"""Which operations rise or fall along each argument: the rows' word, against their own values on random numbers."""

import numpy as np
import pytest
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.operations.table import Operation

POINTS, LINES = 200, 300


def _numbers(row: Operation) -> bool:
    """Whether it maps real numbers to a real number, entry by entry."""
    kinds = {argument.kind for argument in row.arguments}
    return (
        row.elementwise
        and bool(row.arguments)
        and kinds <= {"real", "number"}
        and row.result.kind in ("real", "number")
    )


ROWS = [row for row in OPERATIONS.values() if _numbers(row)]


def _turns(row: Operation, along: int, beside_0: int | None) -> bool:
    """Whether values both rise and fall somewhere along one argument, the others held.

    The argument `beside_0` keeps its sign, if one is given. The others are whole numbers in half of all lines.
    """
    random = np.random.default_rng(along)
    for sign in (1, -1):
        places = [random.normal(scale=3, size=(LINES, 1)) for _ in row.arguments]
        for place in places:
            place[::2] = np.round(place[::2])
        places[along] = random.normal(scale=3, size=(LINES, POINTS))
        if beside_0 is not None:
            places[beside_0] = sign * np.abs(places[beside_0])
        places[along] = np.sort(places[along], axis=1)
        with np.errstate(all="ignore"):
            values = np.broadcast_to(np.asarray(row.numpy(*places), dtype=float), (LINES, POINTS))
        for value in values:
            steps = np.diff(value[np.isfinite(value)])
            if (steps > 1e-9).any() and (steps < -1e-9).any():
                return True
    return False


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_whether_it_is_monotone(row: Operation) -> None:
    arguments = range(len(row.arguments))
    turns = [_turns(row, along, None) for along in arguments]
    assert row.monotone == (not any(turns)), f"turns along the arguments: {turns}"
    if row.monotone_beside_0 is not None:
        assert any(turns)
        assert not any(_turns(row, along, row.monotone_beside_0) for along in arguments)

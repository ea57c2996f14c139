"""What series are called: what tells them from the others that are shown, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..results.cell_groups import axis_value, label
from ..results.replicates import Replicate, Results
from .palette import shown_values


class SeriesNames:
    """The names of an experiment's series where some axes are `taken`: by panels, or by an axis of the figure."""

    def __init__(self, results: Results, taken: Sequence[str | None] = ()) -> None:
        same = [axis for axis in results.axes if len(shown_values(results, axis)) < 2]
        spoken = [axis for axis in results.axes if axis not in same]
        # of axes that go in step the first says it all
        follow = [axis for group in results.zipped for axis in [one for one in group if one in spoken][1:]]
        self.left_out = tuple(dict.fromkeys([*filter(None, taken), *same, *follow]))
        """The axes that tell no series from another."""
        self.alone = not [axis for axis in results.axes if axis not in self.left_out]
        """Whether all that is shown is of one cell, as far as names go."""

    def of(self, replicate: Replicate, *more: str) -> str:
        """The name of a replicate's cell, with what else tells the series apart before it."""
        parts = [part for part in more if part]
        if not (self.alone and parts):
            parts.append(label(replicate, self.left_out))
        return ", ".join(parts)


def axis_words(axis: str, value: Any) -> str:
    """A value of an axis, as a heading.

    >>> axis_words("variant", "deep"), axis_words("d", 4)
    ('deep', 'd = 4')
    """
    return str(value) if axis == "variant" else f"{axis} = {value}"


def value_words(replicate: Replicate, axis: str) -> str:
    """A replicate's value on an axis, as a heading."""
    return axis_words(axis, axis_value(replicate, axis))

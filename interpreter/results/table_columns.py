"""The columns of a run's tables: axes of their own kind, none without a kind, each with what it means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .array_entries import entry_name

MEANINGS: Mapping[str, tuple[str, str]] = {
    "experiment": ("the experiment", ""),
    "variant": ("the variant; empty where the experiment has none", ""),
    "replicate": ("the replicate's number, from 0", ""),
    "digest": ("the digest of what is trained", ""),
    "status": ("how the replicate ended: done, diverged, undefined, failed or interrupted", ""),
    "steps": ("how many updates were made until the last evaluation", "updates"),
    "seconds": ("how long the replicate took, alone or as its share", "s"),
    "measure": ("the measure", ""),
    "index": ("the entry of an array, counted flat from 0; 0 for a number", ""),
    "entry": ("the entry of an array as it is written, `[1, 0]`; empty for a number", ""),
    "step": ("how many updates were made", "updates"),
    "value": ("the value; NaN where it is undefined", ""),
    "error": ("the standard error of the value over test examples, where it has one", ""),
    "bias": ("by how much chance may have added to the value over test examples, where that is told", ""),
}
"""What each column means, and in which unit it is."""


def column_name(kind: str, name: str, taken: Collection[str]) -> str:
    """The column of an axis or a measure: its name, or `KIND.NAME` where the table has such a column already.

    >>> column_name("axis", "d", {"steps"}), column_name("axis", "steps", {"steps"})
    ('d', 'axis.steps')
    """
    return f"{kind}.{name}" if name in taken else name


def axis_names(points: Iterable[Mapping[str, Any]], taken: Collection[str]) -> dict[str, str]:
    """The columns of the axes of some points, by axis."""
    names = dict.fromkeys(name for point in points for name in point)
    return {name: column_name("axis", name, taken) for name in names}


def axis_array(values: Sequence[Any]) -> pa.Array:
    """The values of an axis as a column of one kind: text where some are text, or are lists; never of no kind.

    >>> axis_array([1, 2.5]).type, axis_array([1, None]).type, axis_array([None]).type, axis_array([(1, 2), "a"]).to_pylist()
    (DataType(double), DataType(int64), DataType(string), ['[1, 2]', 'a'])
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array(values, pa.float64())
    return pa.array([value if value is None else axis_text(value) for value in values], pa.string())


def axis_text(value: Any) -> str:
    """A value of an axis that is no number, as a text: arrays as studies write them.

    >>> axis_text(((1, 2), (3, 4))), axis_text("a")
    ('[[1, 2], [3, 4]]', 'a')
    """
    return str(_lists(value))


def plain(value: Any) -> Any:
    """A value of an axis as a column holds it: what is no number or text as a text; nothing stays that."""
    return value if value is None or isinstance(value, bool | int | float | str) else axis_text(value)


def beside_column(numbers: Sequence[Any] | None, rows: int) -> pa.Array:
    """What lies beside a measure's values, a number a row, or nulls."""
    if numbers is None:
        return pa.nulls(rows, pa.float64())
    return pa.array(np.asarray(numbers, dtype=np.float64).ravel(), pa.float64())


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def subscript(index: int, shape: Sequence[int]) -> str:
    """An entry of an array, from its flat index.

    >>> subscript(3, (2, 2)), subscript(0, ())
    ('[1, 1]', '')
    """
    places: list[int] = []
    for size in reversed(shape):
        index, place = divmod(index, size)
        places.append(place)
    return entry_name("", tuple(reversed(places)))


def described(table: pa.Table, meanings: Mapping[str, str], about: Mapping[str, str]) -> pa.Table:
    """A table whose schema says of each column what it means (`description`) and in which unit (`unit`), and of itself what is `about`.

    `meanings` are those of the columns that are a study's own.
    """

    def field(one: pa.Field) -> pa.Field:
        meaning, unit = (meanings[one.name], "") if one.name in meanings else MEANINGS.get(one.name, ("", ""))
        words = {name: text for name, text in (("description", meaning), ("unit", unit)) if text}
        return one.with_metadata(words or None)

    schema = pa.schema([field(one) for one in table.schema], {name: text for name, text in about.items() if text})
    return table.cast(schema)


def counted(schema: pa.Schema) -> list[str]:
    """The columns of which Parquet keeps statistics: these leave NaN out, and who filters by them finds none, so numbers have none."""
    return [field.name for field in schema if not pa.types.is_floating(field.type)]

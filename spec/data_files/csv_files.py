"""CSV: rows by pyarrow, all of them as texts, of which the kind of a column is found over all its rows.

pyarrow's own kinds come from what it sees first, and take `007` for 7, `1` among `true` for a bool, and 2^63 for a real number.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import listing, shortened
from .arrays import unpacked
from .tables import arrow
from .values import Values, WholeColumns, file_problem, unusable

INT = r"^-?(0|[1-9][0-9]*)$"
REAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
NAN = r"^[+-]?([nN]a[nN]|NAN|inf|Inf|INF|[iI]nfinity)$"
PADDED = r"^[+-]?0[0-9]+$"
BOOL = r"^(true|false)$"
SEPARATORS = {"semicolons": ";", "tabs": "\t", "blanks": None}
"""What other tables have in place of commas. Texts have blanks, too: numbers alone are taken for fields there."""
LOOKED_AT = 100


class CsvFile(WholeColumns):
    """A table of comma-separated values in UTF-8, packed by gzip or not; the first row names the columns unless `header` is false."""

    def __init__(self, path: Path, header: bool = True) -> None:
        """Raises StudyError where rows differ in length, names are none, or the text is no UTF-8."""
        self.path = path
        data = unpacked(path)
        if not data.strip():
            raise file_problem(path, "is empty", "A table has a row of names and at least one row of values.")
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start) + 1
            message = f"line {row}: byte 0x{data[error.start]:02x} is not UTF-8"
            raise file_problem(path, message, "Save the file as UTF-8.") from None
        self._must_be_closed(data, header)
        if header:
            self._named(data)
        self.table = self._table(data, header)
        self._must_be_of_commas(header)
        self.names = tuple(self.table.column_names)
        if not self.table.num_rows:
            raise file_problem(path, "has names and no rows", "A table has at least one row of values.")

    def _must_be_closed(self, data: bytes, header: bool) -> None:
        """Refuses a quote that is opened and never closed, behind which pyarrow takes all rows for one text."""
        if not data.count(b'"') % 2:
            return
        reader, row = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True), 0
        try:
            for _ in reader:
                row += 1
        except csv.Error as error:
            if "end of data" in str(error) or "field limit" in str(error):
                place = f"row {row + 1 - header}" if row >= header else "the row of names"
                message = f"{place} opens a quote that is never closed"
                raise file_problem(self.path, message, 'Close it; within quotes write a quote twice: `""`.') from None

    def _must_be_of_commas(self, header: bool) -> None:
        """Refuses a table whose fields are parted by something else, which is one column of texts when commas are looked for."""
        if self.table.num_columns > 1 or not self.table.num_rows:
            return
        (name,), rows = self.table.column_names, self.table.column(0).slice(0, LOOKED_AT).to_pylist()
        texts = [*([name] if header else []), *(row or "" for row in rows)]
        for what, separator in SEPARATORS.items():
            fields = [text.split(separator) for text in texts]
            alike = len({len(row) for row in fields}) == 1 and len(fields[0]) > 1
            if alike and (separator is not None or all(_is_number(text) for row in fields[header:] for text in row)):
                message = f"its fields are separated by {what}: it reads `{shortened(texts[header])}`"
                hint = "Write it with commas, as by `pandas.read_csv(…, sep=…).to_csv(…, index=False)`."
                raise file_problem(self.path, message, hint)

    def _table(self, data: bytes, header: bool) -> Any:
        pa, arrow_csv = arrow("pyarrow"), arrow("pyarrow.csv")
        names = None if header else [f"c{place}" for place in range(len(self._first_row(data)))]
        types = dict.fromkeys(names or self._first_row(data), pa.string())
        skipped: list[Any] = []

        def refuse(row: Any) -> str:
            skipped.append(row)
            return "error"

        try:
            return arrow_csv.read_csv(
                pa.BufferReader(data),
                arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=min(max(len(data), 1), 2**30)),
                arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=refuse),
                arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
            )
        except pa.ArrowInvalid as error:
            if not skipped:
                raise file_problem(self.path, f"cannot be read as CSV: {error}", "Check the quotes.") from None
            row = skipped[0]
            place = f"row {row.number - header}" if row.number is not None else "a row"
            message = f"{place} has {row.actual_columns} field{'s' * (row.actual_columns != 1)}, but there are {row.expected_columns} columns"
            hint = f"It reads `{shortened(row.text)}`. Quote a text that holds a comma."
            raise file_problem(self.path, message, hint) from None

    def _first_row(self, data: bytes) -> list[str]:
        pa, arrow_csv = arrow("pyarrow"), arrow("pyarrow.csv")
        options = arrow_csv.ReadOptions(use_threads=False, block_size=max(2**20, min(len(data), 2**22)))
        parse = arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        try:
            with arrow_csv.open_csv(pa.BufferReader(data), options, parse) as reader:
                return list(reader.schema.names)
        except pa.ArrowInvalid:
            # A later row is wrong, or types change: the first alone is asked for here.
            first = data.lstrip(b"\xef\xbb\xbf").splitlines()[0] + b"\n"
            return list(arrow_csv.read_csv(pa.BufferReader(first), options, parse).column_names)

    def _named(self, data: bytes) -> None:
        """Refuses a first row that holds no names."""
        names = self._first_row(data)
        numbers = [name for name in names if _is_number(name)]
        seen: set[str] = set()
        twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
        hint = "Write `header: false` if the first row is an example: columns are then c0, c1, …"
        if numbers:
            shown = listing([f"'{name}'" for name in numbers], 4)
            raise file_problem(self.path, f"its first row holds numbers instead of names of columns: {shown}", hint)
        if twice:
            raise file_problem(self.path, f"two columns are called '{shortened(twice[0])}'", hint)

    def read(self, name: str) -> Values:
        """One of its columns: bool, whole numbers, real numbers or text, by all of its rows."""
        return _typed(self.table.column(name))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return not text.isidentifier()  # `nan` is a name, too


def _typed(column: Any) -> Values:
    pa, pc = arrow("pyarrow"), arrow("pyarrow.compute")
    rows = len(column)
    empty = column.is_null().to_numpy() if column.null_count else None
    if column.null_count == rows:
        return unusable(rows, "empty", "it is empty in every row")
    there = column.drop_null()

    def share(pattern: str) -> Any:
        return pc.match_substring_regex(there, pattern)

    def first(mask: Any) -> str:
        """Where a mask of the texts that are there holds first: `row 3 holds '007'`."""
        place = int(np.argmax(mask.to_numpy()))
        row = place if empty is None else int(np.flatnonzero(~empty)[place])
        return f"row {row + 1} holds '{shortened(there[place].as_py())}'"

    def spread(values: np.ndarray[Any, Any], stored: str) -> Values:
        if empty is not None:
            whole = np.zeros(rows, values.dtype) if values.dtype != object else np.full(rows, "", object)
            whole[~empty] = values
            values = whole
        missing = empty
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            missing = ~np.isfinite(values) if empty is None else ~np.isfinite(values) | empty
        return Values(values, stored, missing)

    def every(mask: Any) -> bool:
        return bool(pc.all(mask).as_py())

    bools, ints = share(BOOL), share(INT)
    if every(bools):
        return spread(pc.equal(there, "true").to_numpy(), "true or false")
    if every(ints):
        try:
            return spread(there.cast(pa.int64()).to_numpy(), "whole numbers")
        except pa.ArrowInvalid:
            far = pc.greater(pc.utf8_length(there), 18)
            return unusable(rows, "whole numbers", f"{first(far)}, which does not fit into 64 bits")
    numbers = pc.or_(share(REAL), share(NAN))
    if every(numbers):
        padded = share(PADDED)
        if pc.any(padded).as_py():
            return unusable(rows, "digits", f"{first(padded)}, which is not a number with its leading zeros")
        values = np.asarray(there.cast(pa.float64()).to_numpy())
        over = np.isinf(values) & share(REAL).to_numpy()
        if over.any():
            return unusable(rows, "numbers", f"{first(pa.chunked_array([pa.array(over)]))}, which is beyond float64")
        return spread(values, "numbers")
    texts = spread(np.asarray(there.to_numpy(zero_copy_only=False), object), "text")
    if pc.any(pc.or_(numbers, bools)).as_py():
        other = pc.invert(bools if pc.any(bools).as_py() else numbers)
        return Values(
            texts.values,
            "text",
            texts.missing,
            f"{first(other)} among other kinds of values (a missing value is an empty field)",
        )
    return texts

"""What real files were seen to hold, or libraries to make of them: each read right, or refused with place and remedy.

`test_survey.py` has what files of each kind become; here are the traps of files that people have.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from dlspec.spec.data_files import split
from dlspec.spec.data_files.survey import Column, open_file, survey
from dlspec.spec.data_files.tables import of_arrow
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.ir.data import FileColumn, NamedFile, Rows

DIGITS = Path(__file__).parents[3] / "examples" / "failures" / "data" / "digits.csv.gz"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def told(folder: Path, text: bytes, header: bool = True) -> tuple[str, str]:
    """How a CSV file is refused: the message without the file's name, and the remedy."""
    (folder / "t.csv").write_bytes(text)
    with pytest.raises(StudyError) as caught:
        survey(folder / "t.csv", header)
    (problem,) = caught.value.problems
    return problem.message.removeprefix("t.csv: "), problem.hint


def columns(path: Path) -> dict[str, Column]:
    return dict(survey(path).columns)


def test_digits_of_scikit_learn_have_no_header_and_all_their_rows() -> None:
    with pytest.raises(StudyError) as caught:
        survey(DIGITS)
    assert "its first row holds numbers" in caught.value.problems[0].message
    assert "header: false" in caught.value.problems[0].hint
    found = survey(DIGITS, header=False)
    assert len(found.columns) == 65 and {column.rows for column in found.columns.values()} == {1797}
    assert list(found.columns["c64"].classes or ()) == [str(digit) for digit in range(10)]


def test_later_rows_of_digits_are_other_writers_so_that_rows_are_shuffled_unless_the_order_is_the_files() -> None:
    table = np.loadtxt(DIGITS, delimiter=",")  # unpacks what ends in .gz
    file = NamedFile("digits", str(DIGITS), False, "", survey(DIGITS, header=False))

    def right(order: str, seed: int) -> float:
        """How often the nearest of 1,000 training rows has the label of a test row."""
        source = Rows(797, 1000, 1797, order, (file,))
        rows = split.split_rows(source, lambda count: np.random.default_rng(seed).permutation(count))
        train, test = table[rows[:1000]], table[rows[1000:]]
        apart = (train[:, :64] ** 2).sum(axis=1) - 2 * test[:, :64] @ train[:, :64].T
        return float((train[apart.argmin(axis=1), 64] == test[:, 64]).mean())

    assert Rows(797, 1000, 1797).order == "shuffle"
    assert right("file", 0) == pytest.approx(0.962, abs=0.001)
    assert np.mean([right("shuffle", seed) for seed in range(5)]) == pytest.approx(0.985, abs=0.004)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"150,4,setosa,versicolor,virginica\n5.1,3.5,1.4,0.2,0\n", "its first row holds numbers"),
        (b"569,30,malignant,benign\n" + b"1," * 30 + b"0\n", "its first row holds numbers"),
        (b"59 2 32.1 101\n48 1 21.6 87\n", "its fields are separated by blanks: it reads `48 1 21.6 87`"),
        (b"age sex bmi\n59  2 32.1\n", "its fields are separated by blanks: it reads `59  2 32.1`"),
        (b"a;b\n1;x\n2;y\n", "its fields are separated by semicolons: it reads `1;x`"),
        (b"a\tb\n1\tx\n", "its fields are separated by tabs"),
    ],
)
def test_counts_and_other_separators_are_no_names(tmp_path: Path, text: bytes, message: str) -> None:
    assert told(tmp_path, text)[0].startswith(message)


def test_without_a_header_a_row_is_as_long_as_the_first_and_its_fields_are_parted_by_commas(tmp_path: Path) -> None:
    rows = b"569,30,malignant,benign\n" + b"1," * 30 + b"0\n"
    assert told(tmp_path, rows, header=False)[0] == "row 2 has 31 fields, but there are 4 columns"
    assert told(tmp_path, b"1;2\n3;4\n", header=False)[0] == "its fields are separated by semicolons: it reads `1;2`"
    (tmp_path / "said.csv").write_bytes(b"said\nI came; I saw\nwell\nfive words of a text\n")
    assert (
        columns(tmp_path / "said.csv")["said"].kind == "text"
    )  # the twin: texts with blanks, and some with a semicolon


FIELDS = b'empty,word,plus,hex,mixed,none\n"",x,+1,0x10,1,1\n2,,2,3,true,"NA"\n3,y,3,4,1,2\n'


def test_kinds_that_pyarrow_would_guess(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(FIELDS)
    found = columns(tmp_path / "t.csv")
    assert (found["empty"].kind, found["empty"].first_missing) == ("int", 1)
    assert (found["word"].classes, found["word"].first_missing) == ({"x": 1, "y": 1}, 2)  # no text of no letters
    assert (found["plus"].kind, found["plus"].low) == ("real", 1)
    assert found["hex"].problem == "row 1 holds '0x10' among other kinds of values (a missing value is an empty field)"
    assert found["mixed"].problem == "row 1 holds '1' among other kinds of values (a missing value is an empty field)"
    assert found["none"].problem == "row 2 holds 'NA' among other kinds of values (a missing value is an empty field)"


def test_whole_numbers_with_gaps_stay_whole(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"n": pa.array([2**53 + 1, None, 3])}), tmp_path / "t.parquet")
    column = columns(tmp_path / "t.parquet")["n"]
    assert (column.kind, column.high, column.missing, column.first_missing) == ("int", 2**53 + 1, 1, 2)
    assert open_file(tmp_path / "t.parquet").read("n").values[0] == 2**53 + 1


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "parquet": parquet.write_table,
    "bare.parquet": lambda table, path: parquet.write_table(table, path, store_schema=False),  # as DuckDB's
    "feather": lambda table, path: feather.write_feather(table, str(path)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_dictionaries_go_by_value_and_lists_of_one_length_are_arrays_in_every_format(tmp_path: Path, kind: str) -> None:
    pairs = [[1.0, 2.0], None, [3.0, 4.0]]
    names = {"whole": [30, 50, 30], "part": [0.5, 1.0, 0.5], "flag": [True, False, True], "word": ["b", "a", "b"]}
    table = pa.table({
        **{name: pa.array(values).dictionary_encode() for name, values in names.items()},
        "pair": pa.array(pairs, pa.list_(pa.float32(), 2)),
        "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2)),
    })  # fmt: skip
    path = tmp_path / f"t.{kind}"
    WRITERS[kind](table, path)
    found, opened = columns(path), open_file(path)
    for name, values in names.items():
        assert opened.read(name).values.tolist() == values, name
    assert (found["pair"].shape, found["pair"].missing, found["pair"].first_missing) == ((2,), 1, 2)
    np.testing.assert_array_equal(opened.read("pair").values[[0, 2]], [pairs[0], pairs[2]])
    shape = (4,) if kind == "bare.parquet" else (2, 2)  # which no file without Arrow's schema says
    np.testing.assert_array_equal(opened.read("tensor").values, np.arange(12.0).reshape(3, *shape))


def test_a_file_packed_in_several_members_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n5,6\n"))
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,4\n5,6\n")
    assert survey(tmp_path / "t.csv.gz").checksum == survey(tmp_path / "t.csv").checksum


@pytest.mark.parametrize("fixed", [True, False])
def test_lists_of_slices_and_of_several_batches_are_in_their_rows(fixed: bool) -> None:
    kind = pa.list_(pa.float32(), 2) if fixed else pa.large_list(pa.float32())
    rows = [[float(n), n + 0.5] for n in range(9)]
    whole = pa.array(rows, kind)
    batches = pa.chunked_array([whole.slice(2, 3), whole.slice(0, 0), whole.slice(7)], kind)
    assert of_arrow(batches).values.tolist() == [rows[n] for n in (2, 3, 4, 7, 8)]
    gaps = pa.chunked_array([pa.array([None, *rows[:3], None], kind).slice(1), whole.slice(8)], kind)
    found = of_arrow(gaps)
    assert found.values.tolist() == [*rows[:3], [0, 0], rows[8]] and found.missing.tolist() == [False] * 3 + [
        True,
        False,
    ]


def test_a_study_is_checked_without_the_functions_of_pyarrow_and_without_pandas(tmp_path: Path) -> None:
    """Each takes longer to load than to check the study."""
    table = pa.table({"x": pa.array([[1.0, 2.0]] * 9, pa.list_(pa.float32(), 2)), "y": [0, 1, 2] * 3})
    parquet.write_table(table, tmp_path / "d.parquet")
    code = (
        "import sys; from pathlib import Path; from dlspec.spec.data_files import heads, heads_alone, survey; heads.LARGE = 10; survey.SETTLED = -1\n"
        f"with heads_alone.heads_alone(): found = survey.survey(Path({str(tmp_path / 'd.parquet')!r})); shapes = [c.shape for c in found.columns.values()]\n"
        "print(shapes, [name for name in ('pandas', 'pyarrow.compute') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[(2,), ()] []"


def test_the_row_of_a_list_is_that_of_the_file_in_every_row_group_and_batch(tmp_path: Path) -> None:
    pairs, deep = [[1.0, 2.0]] * 100, [[[1, 2], [3, 4]]] * 100
    lists = {
        "short": ([*pairs[:70], [1.0], *pairs[71:]], "row 71 has 1 entries, and row 41 has 2"),
        "deep": ([*deep[:70], [[1, 2], [3]], *deep[71:]], "row 71 has 1 entries, and row 41 has 2"),
        "inner": ([[[1, 2], [3]], *deep[1:]], "row 1 has lists of 2 and of 1 entries"),
        "later": (
            [None] * 3 + [[1.0]] * 37 + [None] * 2 + pairs[42:],
            "row 43 has the shape [2], and row 4 has [1]",
        ),
    }
    table = pa.table({name: values for name, (values, _) in lists.items()})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=40)
    feather.write_feather(table, str(tmp_path / "t.feather"), chunksize=40)
    for kind in ("parquet", "feather"):
        found = columns(tmp_path / f"t.{kind}")
        for name, (_, problem) in lists.items():
            assert found[name].problem == f"{problem}: an array has one shape", (kind, name)


def test_a_column_of_several_row_groups_is_read_whole_and_its_gaps_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(200.0).reshape(100, 2)
    rows = [None if n in (0, 41, 99) else [float("nan"), 1.0] if n == 50 else values[n].tolist() for n in range(100)]
    table = pa.table({"x": rows, "word": [None if n == 60 else "ab"[n % 2] for n in range(100)]})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=40)
    opened, found = open_file(tmp_path / "t.parquet"), columns(tmp_path / "t.parquet")
    there = np.delete(np.arange(100), [0, 41, 50, 99])
    np.testing.assert_array_equal(opened.read("x").values[there], values[there])
    words = opened.read("word")
    assert words.values[[0, 1, 99]].tolist() == ["a", "b", "b"] and np.flatnonzero(words.missing).tolist() == [60]
    file = NamedFile("t", str(tmp_path / "t.parquet"), True, survey(tmp_path / "t.parquet").checksum, None)
    complete = [FileColumn("t", name, found[name].checksum) for name in ("x", "word")]
    monkeypatch.setattr(type(opened), "read", None)
    left = split.rows_without_gaps([file], complete, 100)
    assert left.tolist() == np.delete(np.arange(100), [0, 41, 50, 60, 99]).tolist()

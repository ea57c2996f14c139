"""Data files in studies: names, splits, errors with place and remedy; digests hang on values alone."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.data_files.places import ALLOWED
from dlspec.spec.data_files.split import split_rows
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.types import Type
from dlspec.spec.passes.digests import measure_digest

COUNT = 60


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv(ALLOWED, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files: `d.csv` (a, b real; label 0 to 2; who 15 groups of 4; set; first; gaps; text), `z.npz`, `one.npy`."""
    rows = ["a,b,label,who,set,first,gaps,word"]
    for row in range(COUNT):
        part = ("train", "test", "validation")[row % 3]
        gaps = "" if row % 10 == 3 else f"{row}.5"
        rows.append(f"{row}.25,{-row},{row % 3},{row % 15},{part},{'true' if row < 45 else 'false'},{gaps},w{row % 4}")
    (tmp_path / "d.csv").write_text("\n".join(rows) + "\n")
    np.savez(
        tmp_path / "z.npz",
        image=np.arange(COUNT * 4).reshape(COUNT, 2, 2),
        wide=np.full(COUNT, 2**40),
        short=np.zeros(7),
        far=np.full(COUNT, 1e39),
    )
    np.save(tmp_path / "one.npy", np.arange(COUNT, dtype=">i2"))
    return tmp_path


BODY = """
dlspec: 1
study: t
experiments:
  e:
    task:
      data: DATA
      example: {x: X, y: d.label}
    measures: {mean: E(sum(x) + y)}
    replicates: 5
"""


def program(folder: Path, data: str, x: str = '"d[a:b]"', **replaced: str) -> Program:
    text = BODY.replace("DATA", data).replace("X", x)
    for before, after in replaced.items():
        text = text.replace(before, after)
    plan = spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text)))
    return plan.experiments[0].programs[0]


def source(folder: Path, data: str) -> Rows:
    found = program(folder, data).data
    assert isinstance(found, Rows)
    return found


def refused(folder: Path, data: str, x: str = '"d[a:b]"', **replaced: str) -> Problem:
    with pytest.raises(StudyError) as caught:
        program(folder, data, x, **replaced)
    (problem,) = caught.value.problems
    assert problem.span is not None and problem.hint
    return problem


def permuted(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count)


def test_columns_are_names_of_the_example(folder: Path) -> None:
    files = "{files: {d: d.csv, z: z.npz, one: one.npy}, train: 0.5}"
    found = program(folder, files, '"sum(z.image) + one + d.a + sum(d[a:label])"')
    terms = [item for item in t.walk(found.examples[0].term) if isinstance(item, t.FileValue)][::-1]
    assert [str(term.type) for term in terms] == ["int[2, 2]", "int", "real", "real[3]"]
    assert [(term.low, term.high) for term in terms[:2]] == [(0, 4 * COUNT - 1), (0, COUNT - 1)]
    assert terms[3].columns == ("a", "b", "label")


@pytest.mark.parametrize(
    ("data", "train", "test"),
    [
        ("{file: d.csv, train: 40}", 40, 20),
        ("{file: d.csv, train: 0.29}", 17, 43),
        ("{file: d.csv, test: 0.25}", 45, 15),
        ("{file: d.csv, train: 10, test: 0.5}", 10, 30),
        ("{file: d.csv, train: 0.8, stratify: label}", 48, 12),
        ("{file: d.csv, train: 0.5, group: who}", 28, 32),
        ("{file: d.csv, train: 0.5, missing: [gaps]}", 27, 27),
        ("{file: d.csv, train: set}", 20, 20),
        ("{file: d.csv, train: d.first}", 45, 15),
        ("{file: d.csv}", 0, 60),
    ],
)
def test_a_whole_number_counts_rows_and_a_share_is_rounded_down(folder: Path, data: str, train: int, test: int) -> None:
    found = source(folder, data)
    assert (found.train, found.test) == (train, test)
    rows = split_rows(found, permuted)
    assert len(rows) == len(set(rows.tolist())) == train + test


def test_a_share_is_the_number_that_is_written(folder: Path) -> None:
    for share in ("0.1", "0.29", "0.55", "0.7", "0.95"):
        assert source(folder, f"{{file: d.csv, train: {share}}}").train == int(Fraction(share) * COUNT)


def test_splits_keep_classes_groups_columns_and_the_order_of_the_file(folder: Path) -> None:
    label, who = np.arange(COUNT) % 3, np.arange(COUNT) % 15
    strata = split_rows(source(folder, "{file: d.csv, train: 0.6, test: 0.2, stratify: label}"), permuted)
    assert np.bincount(label[strata[:36]]).tolist() == [12] * 3 and np.bincount(label[strata[36:]]).tolist() == [4] * 3
    assert strata[:36].tolist() != sorted(strata[:36])
    groups = split_rows(source(folder, "{file: d.csv, train: 0.5, group: who}"), permuted)
    assert not set(who[groups[:28]]) & set(who[groups[28:]]) and set(who[groups[:28]]) != set(range(7))
    ordered = source(folder, "{file: d.csv, train: 40, order: file}")
    assert split_rows(ordered, None).tolist() == list(range(COUNT)) and not ordered.split_at_random
    chosen = source(folder, "{file: d.csv, train: set}")
    rows = split_rows(chosen, None)
    assert set(rows[:20] % 3) == {0} and set(rows[20:] % 3) == {1} and not chosen.split_at_random
    gaps = split_rows(source(folder, "{file: d.csv, train: 0.5, missing: [gaps]}"), permuted)
    assert not (gaps % 10 == 3).any() and len(gaps) == 54


@pytest.mark.parametrize(
    ("data", "x", "message"),
    [
        ("{files: {d: away.csv}, train: 1}", "1", "away.csv: cannot be read: No such file or directory"),
        ("{file: ../d.csv, train: 1}", "1", "../d.csv: is outside the study's folder"),
        ('{files: {d: "a\\0.csv"}, train: 1}', "1", "a\\x00.csv: is no path"),
        ("{files: {d: .}, train: 1}", "1", None),
        ("{file: d.csv, train: 1.0}", "1", "'train' is 1, which is neither a number of rows nor a share"),
        ("{file: d.csv, train: 61}", "1", "61 rows are asked for, and there are 60"),
        ("{file: d.csv, train: 0.9, test: 0.2}", "1", "66 rows are asked for, and there are 60"),
        ("{file: d.csv, train: 60}", "1", "no row is left to test on, and the measure 'mean' needs test rows"),
        ("{file: d.csv, train: 0.001}", "1", "0.001 of 60 is less than one"),
        ("{file: d.csv, train: 30, group: who}", "1", "30 rows are not a whole number of groups"),
        ("{file: d.csv, train: 0.5, group: word, stratify: label}", "1", "rows are split by `stratify` or by `group`, not both"),
        ("{file: d.csv, train: label}", "1", "'label' does not say which rows train"),
        ("{file: d.csv, train: set, test: 3}", "1", "a column already says which rows train, and 'test' would say it again"),
        ("{file: d.csv, train: 9, stratify: lable}", "1", "'d' has no column 'lable'"),
        ("{file: d.csv, train: 9}", "d.word", "'d.word' is a text, and expressions have numbers and bools"),
        ("{file: d.csv, train: 9}", "d.gaps", "'d.gaps' has no finite value in 6 rows, the first of them row 4"),
        ("{file: d.csv, train: 9}", "d", "'d' is a file of 8 columns, not a value"),
        ("{file: d.csv, train: 9}", '"d[b:a]"', "'a' comes before 'b' in 'd'"),
        ("{files: {d: d.csv, z: z.npz}, train: 9}", "z.short", "'z.short' has 7 rows, and other columns have 60"),
        ("{files: {d: d.csv, z: z.npz}, train: 9}", "z.wide", f"'z.wide' holds {2**40}, and ints have 32 bits"),
        ("{files: {d: d.csv, z: z.npz}, train: 9}", "z.far", "'z.far' holds 1e+39, which is infinite in float32"),
        ("{files: {d: d.csv, y: z.npz}, train: 9}", "1", "'y' is the name of a data file, and of something else"),
        ("{file: d.csv, files: {z: z.npz}}", "1", "there are both `file` and `files`"),
        ("{file: d.csv, enumerate: y}", "1", "'enumerate' does not go with files"),
        ("{train: 9, stratify: label}", "1", "'stratify' is only for files"),
        ("{train: 9, order: file}", "1", "only files have an order of their own"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(folder: Path, data: str, x: str, message: str | None) -> None:
    replaced = {"d.label": "1"} if "file" not in data.split(",")[0] else {}
    found = refused(folder, data, x, **replaced).message
    assert message is None or found == message


def test_groups_of_several_sizes_are_taken_as_they_come_in_the_file(folder: Path) -> None:
    who = [3, 1, 1, 3, 2, 2, 2, 0, 4, 1]
    (folder / "g.csv").write_text("label,who\n" + "".join(f"{place},{group}\n" for place, group in enumerate(who)))
    data = "{files: {d: g.csv}, train: 0.5, validation: 0.2, order: file, group: who"
    rows = program(folder, data + "}", "d.label").data
    assert isinstance(rows, Rows)
    assert (rows.train, rows.test, rows.validation) == (5, 4, 1)  # groups 3 and 1; 2 and 0; 4
    assert split_rows(rows, None).tolist() == [0, 3, 1, 2, 9, 4, 5, 6, 7, 8]
    assert "a number of rows need not be a whole" in refused(folder, data.replace("0.5", "5") + "}", "d.label").message


def test_groups_of_several_sizes_and_labels_that_are_no_class_are_refused(folder: Path) -> None:
    (folder / "g.csv").write_text("a,who,label\n1,0,0\n2,0,1\n3,1,7\n")
    problem = refused(folder, "{files: {d: g.csv}, train: 0.5, group: who}", "d.a")
    assert problem.message == "groups of 'who' have 1 to 2 rows: splits would differ in size"
    assert "GroupShuffleSplit" in problem.hint
    text = {"E(sum(x) + y)": "'E(cross_entropy([1.0, 2, 3], y))'"}
    assert "7" in refused(folder, "{files: {d: g.csv}, train: 1}", "d.a", **text).message
    assert program(folder, "{file: d.csv, train: 1}", "d.a", **text)
    assert (
        "are allowed only in `task.example`"
        in refused(folder, "{file: d.csv, train: 1}", "1", **{"sum(x) + y": "d.a"}).message
    )


def test_whole_numbers_written_as_reals_are_turned_exactly_or_not_at_all(folder: Path) -> None:
    """A column of `5.0` is real, `int` makes it a label; a row that is not whole is named, and rows without a value are no rows."""
    rows = ["0.0,1.5,3e9,0.0", "2.0,2.0,1.0,", "1.0,3.0,2.0,1.0", "0.0,1.0,0.0,1.0"]
    (folder / "w.csv").write_text("\n".join(["y,part,big,gaps", *rows]) + "\n")
    labelled = {"E(sum(x) + y)": "'E(cross_entropy([1.0, 2, 3], y))'"}
    whole = program(folder, "{files: {d: w.csv}, train: 2}", "d.y", **{"d.label": "int(d.y)", **labelled})
    terms = {item.name: item.term for item in whole.examples}
    assert (terms["y"].type, terms["x"].type) == (Type("int"), Type("real")) and len(whole.of_files) == 2
    again = program(
        folder, "{files: {d: w.csv}, train: 2, missing: [gaps]}", "1", **{"d.label": "int(d.gaps)", **labelled}
    )
    assert next(item for item in again.examples if item.name == "y").type == Type("int")
    assert "is real" in refused(folder, "{files: {d: w.csv}, train: 2}", "1", **{"d.label": "d.y", **labelled}).message

    def told(text: str) -> str:
        return refused(folder, "{files: {d: w.csv}, train: 2}", "1", **{"d.label": text}).message

    assert told("int(d.part)") == "'d.part' holds numbers that are not whole, the first in row 1"
    assert told("int(d.big)") == f"'d.big' holds {3 * 10**9}, and ints have 32 bits"
    assert told("'int(d[y:part])'") == "'d.part' holds numbers that are not whole, the first in row 1"
    assert told("int(0.5)") == "0.5 is not a whole number, and `int` converts only whole numbers"
    assert told("int(d.y * 1.0)").startswith("`int` takes what is known to be whole before anything runs")
    (folder / "w.csv").write_text("a,flag\n1,True\n2,False\n")
    problem = refused(folder, "{files: {d: w.csv}, train: 1}", "d.a", **{"d.label": "d.flag"})
    assert problem.hint == "Only `true` and `false`, in small letters, are bools: write the column so."


def test_outside_the_study_with_leave(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "studies"
    inner.mkdir()
    (inner / "link.csv").symlink_to(folder / "d.csv")
    assert "outside" in refused(inner, "{files: {d: link.csv}, train: 9}").message
    monkeypatch.setenv(ALLOWED, "1")
    assert program(inner, "{file: ../d.csv, train: 9}").data.train == 9


def test_a_digest_hangs_on_the_values_that_are_used(folder: Path, tmp_path: Path) -> None:
    data = "{file: d.csv, train: 0.5}"

    def digests(place: Path, text: str = data) -> tuple[str, str]:
        found = program(place, text)
        return found.digest, measure_digest(found, found.measures[0])

    before = digests(folder)
    os.utime(folder / "d.csv", (10**9, 10**9))
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved, ignore=shutil.ignore_patterns("moved"))
    shutil.move(moved / "d.csv", moved / "other.csv")
    assert digests(folder) == before == digests(moved, "{files: {d: other.csv}, train: 0.5}")
    text = (folder / "d.csv").read_text()
    (folder / "d.csv").write_text(text.replace("w3", "w7"))
    assert digests(folder) == before  # a column that nothing uses
    (folder / "d.csv").write_text(text.replace("5.25,", "5.75,", 1))
    changed = digests(folder)
    assert changed[1] != before[1]
    others = [
        data.replace("0.5", split)
        for split in ("0.4", "set", "0.5, stratify: label", "0.5, order: file", "0.5, missing: [gaps]")
    ]
    assert len({digests(folder, other)[1] for other in others}) == len(others)


def test_splits_of_groups_of_several_sizes_are_columns_and_variants(folder: Path) -> None:
    who = np.array([3, 1, 1, 3, 2, 2, 2, 0, 4, 1])
    splits = [np.isin(who, groups) for groups in ([3, 1], [2, 0, 4])]
    rows = [f"{row},{who[row]},{str(splits[0][row]).lower()},{str(splits[1][row]).lower()}" for row in range(len(who))]
    (folder / "g.csv").write_text("\n".join(["label,who,split_0,split_1", *rows]) + "\n")
    more = "replicates: 5\n    variants: {first: {}, second: {task: {data: {train: split_1}}}}"
    text = (
        BODY.replace("DATA", "{files: {d: g.csv}, train: split_0}").replace("X", "d.who").replace("replicates: 5", more)
    )
    (plan,) = spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments
    for made, split in zip(plan.programs, splits, strict=True):
        assert isinstance(made.data, Rows)
        found = split_rows(made.data, None)
        assert found[: made.data.train].tolist() == np.flatnonzero(split).tolist() and len(found) == len(who)

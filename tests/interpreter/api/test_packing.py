"""A run as one archive: taken elsewhere its report and its results are there, and no archive writes outside its folder."""

from __future__ import annotations

import json
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.results.archive import unpack
from dlspec.interpreter.results.errors import StoreError
from typer.testing import CliRunner

STUDY = """\
dlspec: 1
study: packed
title: A packed study
source: {paper: "arXiv:1703.07950", section: "5"}
experiments:
  e:
    constants: {d: 2}
    sweep: {d: [2, 3]}
    task: {example: {x: "normal([d])"}}
    measures: {size: E(sum(x^2)), entries: "E(x)"}
    replicates: 2
    claims: {large: {says: It is large., check: final(size) > 1}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dlspec.Run:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(here)
    Path("packed.yaml").write_text(STUDY)
    return dlspec.run("packed.yaml")


def command(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.output


def test_a_run_goes_on_elsewhere_from_its_archive(
    run: dlspec.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = run.pack(tmp_path / "there" / "a.dlspec.zip")
    names = zipfile.ZipFile(archive).namelist()
    assert {
        f"{run.name}/{name}" for name in ("spec.yaml", "report.html", "curves.parquet", "run.json", "CITATION.txt")
    } <= set(names)
    monkeypatch.chdir(tmp_path / "there")
    Path("packed.yaml").write_text(STUDY.replace("replicates: 2", "replicates: 3"))
    said = command("run", "packed.yaml", "--take", "a.dlspec.zip", "--json")
    cells = json.loads(said[said.index("{") :])["cells"]
    assert [cell["stored"] for cell in cells] == [True, True, False] * 2, "only the third replicate was run"
    assert dlspec.open_run(run.name).finals().equals(run.finals())
    assert dlspec.unpack("a.dlspec.zip").path == Path("runs") / run.name, "again: it is there, and stays as it is"


def test_cells_that_mean_the_same_are_all_in_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an axis changes nothing, its cells have one key in the store."""
    monkeypatch.chdir(tmp_path)
    Path("packed.yaml").write_text(STUDY.replace("normal([d])", "normal([2])"))
    command("run", "packed.yaml")
    name = next(path.name for path in Path("runs").iterdir() if path.name.startswith("packed-"))
    said = command("pack", name)
    assert "4 of 4 replicates to continue from" in said and "no longer in the store" not in said


def test_a_report_is_made_of_an_archive_anew(run: dlspec.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.path / "report.html").write_text("<script>alert('not ours')</script>")
    archive = run.pack(tmp_path / "there" / "a.dlspec.zip")
    monkeypatch.chdir(tmp_path / "there")
    assert command("report", str(archive)) == f"{run.name}.html\n"
    page = Path(f"{run.name}.html").read_text()
    assert "It is large." in page and "not ours" not in page
    taken = dlspec.unpack(archive)
    assert "not ours" not in (taken.path / "report.html").read_text() and not Path("runs", ".unpacked").exists()


def test_another_run_of_the_name_stays(run: dlspec.Run, tmp_path: Path) -> None:
    archive = run.pack(tmp_path / "a.dlspec.zip")
    about = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**about, "device": "other"}))
    with pytest.raises(dlspec.StudyError, match="another run of this name exists already"):
        dlspec.unpack(archive)


def test_what_is_pruned_is_said(run: dlspec.Run, tmp_path: Path) -> None:
    command("runs", "prune", run.name)
    command("runs", "prune", "--replicates")
    with pytest.raises(dlspec.StudyError, match="there is no run"):
        dlspec.open_run(run.name)
    again = dlspec.run("packed.yaml")
    for path in Path("runs/store/cells").rglob("*.parquet"):
        path.unlink()
    with pytest.warns(dlspec.StudyWarning) as told:
        archive = again.pack(tmp_path / "a.dlspec.zip")
    assert any("4 of 4 replicates are no longer in the store" in str(one.message) for one in told)
    assert not [name for name in zipfile.ZipFile(archive).namelist() if name.startswith("store/")]


@pytest.mark.parametrize(
    "name",
    [
        "../outside.txt",
        "a/../../outside.txt",
        "/tmp/outside.txt",
        "a\\..\\outside.txt",
        "C:/outside.txt",
        ".hidden",
        "a//b",
    ],
)
def test_no_archive_writes_outside_its_folder(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        info = zipfile.ZipInfo("x")
        info.filename = name
        file.writestr(info, "harmless")
        file.writestr("run/run.json", "{}")
    folder = tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(StoreError, match="is not the name of a file in a run"):
        unpack(archive, folder)
    assert not list(folder.iterdir()) and sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "in"]


def test_links_doubles_and_what_is_no_archive_are_refused(tmp_path: Path) -> None:
    archive, folder = tmp_path / "a.zip", tmp_path / "folder"
    folder.mkdir()
    link = zipfile.ZipInfo("run/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(link, "/etc/hostname")
    with pytest.raises(StoreError, match="is a link, or not a plain file"):
        unpack(archive, folder)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("run/A", "1")
        file.writestr("run/a", "2")
    with pytest.raises(StoreError, match="is in it twice"):
        unpack(archive, folder)
    archive.write_bytes(b"no zip at all")
    with pytest.raises(StoreError, match="cannot be unpacked"):
        unpack(archive, folder)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("notes/readme.txt", "no run")
    with pytest.raises(dlspec.StudyError, match="it contains no run"):
        dlspec.unpack(archive, tmp_path / "runs")
    assert not list(folder.iterdir())


def test_a_damaged_result_file_is_not_taken_in(run: dlspec.Run, tmp_path: Path) -> None:
    archive = run.pack(tmp_path / "a.zip")
    changed = tmp_path / "b.zip"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name)[:-9] if name.startswith("store/") else source.read(name))
    with pytest.warns(dlspec.StudyWarning, match="It is not taken in"):
        taken = dlspec.unpack(changed, tmp_path / "other")
    assert taken.name == run.name and not list((tmp_path / "other" / "store" / "cells").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "claims.json",
            lambda entries: entries[0].update(verdict="fails"),
            "it says that the claim e.large fails; judged again from its curves it is seen",
        ),
        (
            "cells.json",
            lambda entries: entries[1]["final"].update(size=0.5),
            "the finals of e d=2 replicate 1 in it are not the ends of its curves",
        ),
        (
            "cells.json",
            lambda entries: (entries[1]["final"].update(size=None), entries[1].update(infinite={"size": -1})),
            "the finals of e d=2 replicate 1 in it are not the ends of its curves",
        ),
        ("cells.json", lambda entries: entries[0].update(seconds=1e6), ""),
    ],
)
def test_an_archive_that_contradicts_its_curves_is_warned_of(
    run: dlspec.Run, tmp_path: Path, name: str, change: Callable[[Any], object], said: str
) -> None:
    """Its verdicts and finals are judged and read anew, as its page is."""
    entries = json.loads((run.path / name).read_text())
    change(entries)
    (run.path / name).write_text(json.dumps(entries))
    archive = run.pack(tmp_path / "a.zip")
    told = command("unpack", str(archive), "--runs", str(tmp_path / "elsewhere"))
    assert said in " ".join(told.split()) and (said != "") == ("warning" in told), told


def test_a_study_and_a_run_are_cited_in_a_line(run: dlspec.Run) -> None:
    study = dlspec.load("packed.yaml")
    line = f"A packed study. After arXiv:1703.07950, section 5. Study packed, digest {study.digest[:12]} (dlspec {dlspec.__version__}"
    assert study.citation == f"{line})." == command("cite", "packed.yaml").strip()
    assert run.citation.startswith(f"{line}, tensorflow ") and run.citation.endswith(
        f", run on {run.finished:%Y-%m-%d})."
    )
    assert command("cite", run.name).strip() == run.citation
    assert "profile" not in run.citation and "e.constants.d=7" in command(
        "cite", "packed.yaml", "-o", "e.constants.d=7"
    )


WITH_DATA = """\
dlspec: 1
study: rows
experiments:
  e:
    task: {data: {file: data/rows.csv, train: 4}, example: {x: "[rows.a, rows.b]"}}
    measures: {size: E(sum(x^2))}
    variants: {own: {}, other: {task: {data: {file: data/other/rows.csv}}}}
"""


def test_weights_and_data_files_go_in_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here / "data" / "other", there):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    rows = "a,b\n" + "".join(f"{i},{i * i}\n" for i in range(8))
    for name in ("data/rows.csv", "data/other/rows.csv"):
        Path(name).write_text(rows)
    Path("rows.yaml").write_text(WITH_DATA)
    run = dlspec.run("rows.yaml")
    assert run.citation.split(" (")[0] == dlspec.load("rows.yaml").citation.split(" (")[0] != ""
    assert run.evaluate("final(size, variant == own)")["value"].tolist() == run.finals()["size"].tolist()[:1]
    differs = dlspec.compare(run, run).diff
    assert differs is not None and differs.same
    text = Path("rows.yaml").read_text()
    Path("rows.yaml").write_text(text.replace("study: rows", "study: lines"))
    with pytest.raises(dlspec.StudyError, match=r"rows\.csv: cannot be read"):
        dlspec.open_run(run.name).evaluate("final(size)")
    Path("rows.yaml").write_text(text)
    keys = [item["key"] for item in run.record.read("cells.json")]
    weights = here / "runs" / "store" / "weights"
    (weights / keys[0]).mkdir(parents=True)
    (weights / keys[0] / "f.keras").write_text("kept")
    np.save(weights / keys[0] / "w.npy", np.ones(2))
    np.save(weights / keys[0] / "pickled.npy", np.asarray([{}]), allow_pickle=True)
    (weights / keys[0] / "broken.npy").write_text("no array")
    (weights / "of another run").mkdir()
    said = command("pack", run.name, "-o", "plain.dlspec.zip").splitlines()
    assert said[1:] == [
        "not included: kept weights of 1 replicate (--weights); data files data/rows.csv and data/other/rows.csv (--data FOLDER, the study's)"
    ]
    assert not [
        name for name in zipfile.ZipFile("plain.dlspec.zip").namelist() if "weights" in name or "rows.csv" in name
    ]
    whole = there / "whole.dlspec.zip"
    assert len(command("pack", run.name, "-o", str(whole), "--weights", "--data", ".").splitlines()) == 1
    with pytest.raises(dlspec.StudyError, match=r"no data file data/rows\.csv"):
        run.pack("none.dlspec.zip", data=there)
    monkeypatch.chdir(there)
    command("unpack", str(whole))
    taken = there / "runs" / "store" / "weights" / keys[0]
    assert (taken / "f.keras").read_text() == "kept" and np.load(taken / "w.npy").tolist() == [1, 1]
    assert {path.name for path in taken.iterdir()} == {"f.keras", "w.npy"}, "nothing that would be unpickled"
    assert sorted(path.name for path in (there / "runs" / "store" / "weights").iterdir()) == [keys[0]]
    (taken / "f.keras").unlink()
    assert dlspec.open_run(run.name).weights("e/own")["w"].tolist() == [1, 1], "a free parameter is no model"
    again = dlspec.run(there / "runs" / run.name / "spec.yaml")
    assert all(item["stored"] for item in again.record.read("cells.json"))


def test_what_was_trained_again_since_is_said(run: dlspec.Run, tmp_path: Path) -> None:
    """The archive of the earlier run has results that are of the later one beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.pack(tmp_path / "a.zip")
        dlspec.run("packed.yaml", force=True)  # to the same bits: there is nothing to say
        run.pack(tmp_path / "b.zip")
    file = run.path / "curves.parquet"
    table = pq.read_table(file)
    value, second = (table.column(name).to_numpy() for name in ("value", "replicate"))
    other = np.where(second == 1, np.nextafter(value, np.inf), value)  # as if the store's were of another compiled form
    pq.write_table(table.set_column(table.schema.get_field_index("value"), "value", pa.array(other)), file)
    with pytest.warns(dlspec.StudyWarning, match="2 of 4 replicates were trained again since") as told:
        run.pack(tmp_path / "c.zip")
    assert len(told) == 1

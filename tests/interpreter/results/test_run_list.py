"""Runs found, filtered, exported, compared and pruned, from folders alone."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.api.run_comparison_text import print_numbers
from dlspec.interpreter.cli.text.results import print_claims
from dlspec.interpreter.cli.text.run_list import print_runs
from dlspec.interpreter.figures.run_comparison import draw
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.export_table import export
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_list import RunRecord, chosen, list_runs, named, prunable, referenced_keys
from dlspec.interpreter.results.run_reader import results, verdicts
from dlspec.interpreter.results.run_writer import cells_json, claims_json, write_curves
from dlspec.interpreter.results.verdicts import Decision, Evidence, Point, Verdict
from dlspec.interpreter.verdicts.run_comparison import as_data, compare
from dlspec.spec.ir.plan import ClaimPlan
from rich.console import Console
from scipy import stats

Make = Callable[..., RunRecord]


def replicates(shift: float, numbers: int, digest: str = "a") -> list[Replicate]:
    found = []
    for variant in ("plain", "deep"):
        for number in range(numbers):
            replicate = Replicate("line", variant, {"d": 2}, number, digest, key=f"{digest}{variant}{number}")
            for step in (0, 10, 20):
                replicate.record(step, {"error": number + shift + 1 / (1 + step), "pair": np.asarray([step, shift])})
            found.append(replicate)
    return found


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A run's folder, as `dlspec run` leaves it."""

    def made(name: str, found: Sequence[Replicate], day: int = 1, verdict: str = "holds", **about: object) -> RunRecord:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        write_curves(folder / "curves.parquet", found)
        (folder / "cells.json").write_text(json.dumps(cells_json({"line": Results("line", {}, 3, found)})))
        claim = {
            "id": "line.learns", "says": "It learns.", "check": "final(error) < 1", "verdict": verdict, "value": 0.5,
            "interval": [0.4, 0.6], "reason": "",
        }  # fmt: skip
        (folder / "claims.json").write_text(json.dumps([claim]))
        told = {
            "study": "small", "profile": "", "finished": datetime(2026, 1, day, tzinfo=UTC).isoformat(),
            "cells": {"done": len(found)}, "verdicts": {verdict: 1}, **about,
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(told))
        return RunRecord(folder, told)

    return made


def test_runs_are_listed_newest_first_and_filtered(make: Make, tmp_path: Path) -> None:
    make("old", replicates(0, 2), day=1)
    make("new", replicates(0, 2), day=3, verdict="fails")
    make("quick", replicates(0, 2), day=2, profile="quick", cells={"done": 3, "diverged": 1})
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    unreadable: list[str] = []
    found = list_runs(tmp_path / "runs", unreadable)
    assert [run.name for run in found] == ["new", "quick", "old"]
    assert len(unreadable) == 1 and "broken" in unreadable[0]
    assert [run.name for run in chosen(found, profile="quick")] == ["quick"]
    assert [run.name for run in chosen(found, verdict="fails")] == ["new"]
    assert [run.name for run in chosen(found, since=datetime(2026, 1, 2, tzinfo=UTC))] == ["new", "quick"]
    assert chosen(found, study="other") == []
    console = Console(file=io.StringIO(), width=200)
    print_runs(found, console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[1].split() == ["new", "2026-01-03", "00:00", "4", "1", "fails"]
    assert "4 (1 diverged)" in lines[2]
    assert [run.name for run in prunable(found, 1)] == ["old"]
    assert prunable(found, 2) == []


def test_a_run_is_named_by_its_beginning(make: Make, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    for name in ("flat-1", "flat-2", "line-1"):
        make(name, replicates(0, 1))
    assert named(root, "line").name == "line-1" and named(root, "flat-2").name == "flat-2"
    assert named(Path("elsewhere"), str(root / "flat-1")).folder == root / "flat-1"
    with pytest.raises(StoreError, match="begins the names of 2 runs"):
        named(root, "flat")
    with pytest.raises(StoreError, match="there is no run 'flet-1'") as error:
        named(root, "flet-1")
    assert "Did you mean 'flat-1'?" in error.value.problems[0].hint


def test_a_run_is_read_back(make: Make) -> None:
    own = replicates(0.25, 2)
    (found,) = results(make("run", own)).values()
    for one, other in zip(own, found.replicates, strict=True):
        assert (one.variant, one.number, one.steps) == (other.variant, other.number, other.steps)
        for name, values in one.curves.items():
            assert np.array_equal(np.asarray(values), np.asarray(other.curves[name]))


def test_verdicts_are_read_back(make: Make) -> None:
    (verdict,) = verdicts(make("run", replicates(0, 1), verdict="fails"))
    assert (verdict.id, verdict.verdict, verdict.value, verdict.range) == ("line.learns", "fails", 0.5, (0.4, 0.6))


def test_what_a_verdict_is_worth_is_read_back(make: Make) -> None:
    run = make("run", replicates(0, 1))
    told = json.loads((run.folder / "claims.json").read_text())
    more = {"error": 0.0625, "needed": 5, "family": "both", "evidence": [], "range": [0.4, 0.6], "interval": [0.5, 1.0]}
    (run.folder / "claims.json").write_text(json.dumps([{**told[0], "verdict": "seen", **more}]))
    (verdict,) = verdicts(run)
    assert (verdict.decision.error, verdict.decision.needed, verdict.claim.family) == (0.0625, 5, "both")
    assert (verdict.range, verdict.decision.interval) == ((0.4, 0.6), (0.5, 1.0))


def test_what_was_seen_is_printed_again_as_it_was(make: Make) -> None:
    points = [Point("d = 1", 0.5, 0.4, 0.6), Point("d = 2", None, None, None, never=2, undefined=1)]
    seen = [
        Evidence("error < 1", True, points, 2, "d = 1", "0.6", 0, (0.4, math.nan), True),
        Evidence("pair > 2", None, points[:1], 1, "d = 2", "undefined", 0),
    ]
    claim = ClaimPlan("line", "learns", "It learns.", "error < 1 and pair > 2", None)
    decision = Decision("inconclusive", "2 of 3 replicates agree", "2 of 3 replicates", 0.5, (0.1, 0.9), counted=3)
    before = Verdict(claim, decision, None, None, seen, ("by 3 replicates: holds",))
    run = make("run", replicates(0, 1))
    (run.folder / "claims.json").write_text(json.dumps(claims_json([before])))

    def printed(verdict: Verdict) -> str:
        console = Console(width=160, record=True, file=io.StringIO())
        print_claims([verdict], console)
        return console.export_text()

    (again,) = verdicts(run)
    assert printed(again) == printed(before)
    assert "`error < 1` is true; saw d = 1: 0.5 (0.4 … 0.6); d = 2: 2 never, 1 undefined" in printed(again).replace(
        "\n", " "
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_export_writes_curves_and_finals(ending: str, make: Make, tmp_path: Path) -> None:
    run, path = make("run", replicates(0.25, 2)), tmp_path / f"out.{ending}"

    def read() -> list[dict[str, object]]:
        return (csv.read_csv(path) if ending == "csv" else pq.read_table(path)).to_pylist()

    assert export(run, path, finals=False) == 4 * 3 * 3 == len(read())
    assert {"experiment", "variant", "replicate", "measure", "index", "step", "value"} <= set(read()[0])
    assert export(run, path, finals=True) == 4
    last = read()[1]
    assert (last["variant"], last["replicate"], last["d"]) == ("plain", 1, 2)
    assert last["error"] == 1.25 + 1 / 21 and (last["pair[0]"], last["pair[1]"]) == (20, 0.25)


def test_export_asks_for_an_ending_it_knows(make: Make, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"neither \.csv nor \.parquet"):
        export(make("run", replicates(0, 1)), tmp_path / "out.xlsx", finals=True)


def test_two_runs_are_compared(make: Make, tmp_path: Path) -> None:
    first = make("first", replicates(0, 3))
    second = make("second", [*replicates(1, 3, "b")[:3], *replicates(0, 3)[3:]], verdict="fails")
    made = compare(first, second)
    data = as_data(made, [])
    by_name = {(item["program"], item["measure"]): item for item in data["finals"]}
    assert [name for _, name in by_name] == ["error", "pair[0]", "pair[1]"] * 2
    changed, same = by_name["plain, d = 2", "error"], by_name["deep, d = 2", "error"]
    assert changed["second"]["mean"] - changed["first"]["mean"] == pytest.approx(1)
    assert changed["difference"] == {"mean": pytest.approx(1), "interval": None, "pairs": 3, "undefined": 0}
    assert (changed["same_cells"], same["same_cells"], same["difference"]["mean"]) == (False, True, 0)
    assert [(c["first"]["verdict"], c["second"]["verdict"]) for c in data["claims"]] == [("holds", "fails")]
    paths = draw(made, tmp_path / "figures" / "both.png")
    assert [path.name for path in paths] == ["both.png", "both.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG") and "first" in paths[1].read_text("utf-8")


def test_a_paired_interval_covers_what_it_should(make: Make) -> None:
    own, others = replicates(0, 3), replicates(0, 3, "b")
    for replicate, gap in zip(others[:3], (1.0, 2.0, 3.0), strict=True):
        replicate.curves["error"] = [value + gap for value in replicate.curves["error"]]
    final = next(f for f in compare(make("a", own), make("b", others)).finals if f.program.startswith("plain"))
    difference = final.difference()
    expected = stats.t.interval(0.95, 2, 2.0, stats.sem([1.0, 2.0, 3.0]))
    assert difference is not None and difference.interval == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gaps", "told", "data"),
    [
        ((0, 0, 0), "0 in all 3", (0, None, 0)),
        ((0.1, 0.1, 0.1), "0.1 in all 3", (pytest.approx(0.1), None, 0)),
        ((1, 2, 3), "2 ± 2.48", (2, pytest.approx([2 - 2.4841377, 2 + 2.4841377]), 0)),
        ((1, 2), "1.5", (1.5, None, 0)),
        ((4,), "4", (4, None, 0)),
        ((1, np.inf, 2), "– (1 of 3 not finite)", (None, None, 1)),
        ((np.nan, -np.inf, 2), "– (2 of 3 not finite)", (None, None, 2)),
    ],
)
def test_a_difference_has_an_error_where_there_is_one(
    gaps: tuple[float, ...], told: str, data: tuple[Any, ...], make: Make
) -> None:
    sides = [
        [replicate for replicate in replicates(0, 3, digest) if replicate.variant == "plain"][: len(gaps)]
        for digest in "ab"
    ]
    for replicate, gap in zip(sides[1], gaps, strict=True):
        replicate.curves["error"] = [value + gap for value in replicate.curves["error"]]
    made = compare(make("a", sides[0]), make("b", sides[1]))
    console = Console(file=io.StringIO(), width=200)
    print_numbers(made, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    (line,) = [line for line in text.splitlines() if " error " in line]
    assert line.rstrip().endswith(f"   {told}"), "what the terminal says"
    assert text.count("mean (least … largest) over replicates") == 1
    item = next(item for item in as_data(made, [])["finals"] if item["measure"] == "error")
    assert tuple(item["difference"][name] for name in ("mean", "interval", "undefined")) == data
    assert item["difference"]["pairs"] == len(gaps)


def test_used_are_the_keys_of_all_runs(make: Make) -> None:
    runs = [make("a", replicates(0, 1)), make("b", replicates(0, 2, "b"))]
    assert referenced_keys(runs) == {"aplain0", "adeep0", "bplain0", "bplain1", "bdeep0", "bdeep1"}


def test_a_claim_of_format_1_reads_in_the_words_of_now(make: Make) -> None:
    run = make("small-1", replicates(0.0, 2))
    path = run.folder / "claims.json"
    (claim,) = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps([{**claim, "seen": [{"text": "it"}]}]))
    (found,) = run.read("claims.json")
    assert (found["range"], found["interval"], found["evidence"]) == ([0.4, 0.6], None, [{"text": "it"}])
    path.write_text(json.dumps([{**claim, "range": [1.0, 2.0], "evidence": []}]))
    (found,) = run.read("claims.json")
    assert (found["range"], found["interval"], found["evidence"]) == ([1.0, 2.0], [0.4, 0.6], [])

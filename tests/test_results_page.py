"""docs/results.md is what its source, the kept numbers and the examples say."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import dlspec
import pytest
from dlspec.interpreter.api.study import load
from dlspec.spec.check.quantities import quantity
from dlspec.spec.passes.digests import NUMERICS

from benchmarks import paper

SOURCE = paper.SOURCE.read_text("utf-8")
HELD = json.loads(paper.DATA.read_text("utf-8"))


def test_the_page_is_what_its_source_and_the_kept_numbers_say() -> None:
    assert paper.PAGE.read_text("utf-8") == paper.page(SOURCE, HELD), "`python -m benchmarks.paper --page` writes it"


def test_what_is_kept_is_of_the_studies_as_they_are() -> None:
    assert set(HELD) >= {"flat", "parities", "conditioning"}
    assert {name: one["study"] for name, one in HELD.items()} == {
        name: paper.meaning(paper.RUNS[name].path) for name in HELD
    }


@pytest.mark.parametrize("name", paper.RUNS)
def test_each_mark_asks_for_what_its_run_has(name: str) -> None:
    asked = paper.RUNS[name]
    plan = load(asked.path).resolved(None, asked.changes, asked.only)
    experiments = {one.name: one for one in plan.experiments}
    claims = {f"{one.name}.{claim.name}" for one in plan.experiments for claim in one.claims}
    wanted = paper.expressions(SOURCE, name)
    for experiment, expression in wanted:
        quantity(experiments[experiment], expression)
    others = [paper.OTHER.match(mark) for mark in paper.MARK.findall(SOURCE)]
    assert {one["claim"] for one in others if one and one["run"] == name and one["what"] == "claim"} <= claims
    assert wanted or asked.figures


def test_marks_that_mean_nothing_are_refused() -> None:
    for mark in ("{{flat}}", "{{falt time}}", "{{flat/staircase final(error)}}"):
        with pytest.raises(KeyError):
            paper.page(mark, HELD)


def test_a_part_stands_until_a_run_is_kept() -> None:
    source = "<!-- until tuples -->\nbefore\n<!-- then -->\n{{tuples time}}\n<!-- end -->\n"
    assert paper.page(source, {}) == "before\n"
    assert paper.page(source, {"tuples": {"seconds": 90}}) == "90 s\n"


def test_what_was_not_run_says_so() -> None:
    assert paper.page("{{flat time}}", {}) == paper.NOT_YET


@pytest.mark.parametrize(
    ("form", "values", "told"),
    [
        ("range", [1e-5, 3e-5], "2·10⁻⁵ (10⁻⁵ … 3·10⁻⁵)".replace("(10", "(1·10")),
        ("mean", [1.0, 2.0], "1.5"),
        ("interval", [1.0, 2.0, 3.0], "2.0 ± 2.5"),  # Student's t of 2 degrees at 97.5 % is 4.303; 4.303 / √3 = 2.484
        ("each", [0.5, 0.25], "0.5, 0.25"),
        ("each", [500.0, math.nan], "500, never"),
        ("share", [1.0, 1.0, 1.0, 0.0, 0.0], "3 of 5 (19 % … 92 % of seeds)"),
        ("range", [1.0, math.nan], "– (1 of 2 undefined)"),
    ],
)
def test_forms(form: str, values: list[float], told: str) -> None:
    assert paper.FORMS[form](values) == told


ASKED = paper.Asked("flat", ["initial_bias"], seeds=[0, 1, 2])


def test_seeds_that_are_kept_are_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper.os, "cpu_count", lambda: 2)
    held = {"study": paper.meaning(ASKED.path), "numerics": NUMERICS, "seeds": [1], "numbers": {"initial_bias: a": []}}
    assert [part.seeds for part in ASKED.left(None)] == [[0, 1], [2]]
    assert [part.changes for part in ASKED.left(held)] == [["initial_bias.seed=0,2"]]
    assert ASKED.left(held | {"seeds": [2, 0, 1]}) == []
    for stale in ({"numerics": NUMERICS - 1}, {"study": "another"}):
        assert [part.seeds for part in ASKED.left(held | stale)] == [[0, 1], [2]]
    assert [part.seeds for part in ASKED.left(held, [("initial_bias", "a")])] == [[0, 2]]
    assert [part.seeds for part in ASKED.left(held, [("initial_bias", "b")])] == [[0, 1], [2]]
    assert paper.RUNS["flat"].left(held) == [paper.RUNS["flat"]]


def test_seeds_of_two_sittings_are_together() -> None:
    def kept(seeds: list[int], values: list[float], **other: object) -> dict[str, object]:
        numbers = {"initial_bias: final(error)": [{"at": [], "values": values}]}
        held = {"study": "s", "numerics": 1, "seconds": 10, "replicates": [len(seeds)], "seeds": seeds}
        return held | {"verdicts": {"a": "seen"}, "numbers": numbers} | other

    both = paper.joined(ASKED, kept([2, 0], [0.5, 0.25]), kept([1], [4.0], device="another"))
    command = "dlspec run examples/flat.yaml --only initial_bias -o initial_bias.seed=2,0,1"
    assert both == kept([2, 0, 1], [0.5, 0.25, 4.0], seconds=20, verdicts={}, device="another", command=command)
    assert paper.joined(ASKED, kept([0], [1.0], numerics=0), kept([1], [4.0])) == kept([1], [4.0])
    assert paper.joined(ASKED, kept([0], [1.0]) | {"numbers": {}}, kept([1], [4.0])) == kept([1], [4.0])


def test_values_of_seeds_are_those_of_each_alone(tmp_path: Path) -> None:
    tiny = [
        "initial_bias.sweep.start=[0]",
        "initial_bias.training.steps=2",
        "initial_bias.training.evaluate.every=1",
        "initial_bias.replicates=1",
    ]
    wanted = [("initial_bias", "final(error, start == 0)")]
    asked = replace(ASKED, overrides=tiny, seeds=[3, 5])
    held = [
        paper.kept(part, dlspec.run(part.path, only=part.only, overrides=part.changes, runs=tmp_path), wanted)
        for part in (asked, replace(asked, seeds=[3]), replace(asked, seeds=[5]))
    ]
    [both], [first], [second] = (one["numbers"]["initial_bias: final(error, start == 0)"] for one in held)
    assert both == {"at": first["at"], "values": [*first["values"], *second["values"]]}
    assert first["values"] != second["values"]
    assert [one["replicates"] for one in held] == [[2], [1], [1]]

"""`null` in a profile deletes once, in the experiment and in each of its variants."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import ExperimentPlan

STUDY: dict[str, Any] = {
    "dlspec": 1,
    "study": "deletions",
    "experiments": {
        "e": {
            "task": {"example": {"x": "normal([3])", "y": "sum(x)"}},
            "architecture": {"f": {"input": "x", "layers": [{"dense": n} for n in (4, 5, 6, 1)]}},
            "loss": {"squared": "(f - y)^2"},
            "training": {"optimizer": "adam", "batch": 8, "steps": 10, "until": "error < 0.1"},
            "measures": {"error": "E((f - y)^2)", "size": "E(f)"},
            "replicates": 5,
            "variants": {"a": {}, "b": {"training": {"batch": 4}}, "c": {"training": {"until": None}}},
            "claims": {
                "small": {"says": "Small.", "check": "final(error) < 1"},
                "large": {"says": "Large.", "check": "final(error) > 0"},
            },
            "figures": {"error": {"kind": "curves", "y": "error"}, "bars": {"kind": "bars", "y": "error"}},
        }
    },
}


def quick(patch: dict[str, Any]) -> ExperimentPlan:
    document = spec.parse(Source("s", json.dumps({**STUDY, "profiles": {"quick": {"experiments": {"e": patch}}}})))
    return spec.resolve(document, "quick", (), ()).experiments[0]


def test_a_layer_is_deleted_once() -> None:
    plan = quick({"architecture": {"f": {"layers": {"dense_2": None}}}})
    assert [len(program.networks[0].layers) for program in plan.programs] == [3, 3, 3]


def test_a_measure_is_deleted_in_every_variant() -> None:
    plan = quick({"measures": {"size": None}})
    assert [[item.name for item in program.measures] for program in plan.programs] == [["error"]] * 3


def test_what_a_variant_has_deleted_may_be_deleted() -> None:
    plan = quick({"training": {"until": None}})
    assert [program.training.until for program in plan.programs if program.training] == [None] * 3


@pytest.mark.parametrize("part", ["claims", "figures"])
def test_what_is_said_of_all_cells_is_deleted(part: str) -> None:
    first, second = STUDY["experiments"]["e"][part]
    assert [item.name for item in getattr(quick({part: {first: None}}), part)] == [second]

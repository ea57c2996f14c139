"""What profiles and overrides say of an experiment and of one of its variants: the value laid over last holds, whether the variant itself changes anything or not."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.resolve.overrides import Override

VARIANTS: dict[str, dict[str, Any]] = {"empty": {}, "full": {"training": {"batch": 4}}}
STEPS: dict[str, Any] = {"training": {"steps": 3}}
REPLICATES: dict[str, Any] = {"replicates": 2}
STUDY: dict[str, Any] = {
    "dlspec": 1,
    "study": "late",
    "experiments": {
        "e": {
            "task": {"example": {"x": "normal([3])", "y": "sum(x)"}},
            "architecture": {"f": {"input": "x", "layers": [{"dense": 1}]}},
            "loss": {"squared": "(f - y)^2"},
            "training": {"optimizer": "adam", "batch": 8, "steps": 10},
            "measures": {"error": "E((f - y)^2)"},
            "replicates": 5,
            "variants": VARIANTS,
        }
    },
}


def resolved(profile: dict[str, Any] | None, *overrides: str) -> dict[str, tuple[int, int, int]]:
    """Of each variant its steps, batch and replicates."""
    study = {**STUDY, **({"profiles": {"p": {"experiments": {"e": profile}}}} if profile else {})}
    document = spec.parse(Source("s", json.dumps(study)))
    plan = spec.resolve(document, "p" if profile else None, list(map(Override.read, overrides)), ())
    found = {}
    for program in plan.experiments[0].programs:
        assert program.training is not None
        found[program.variant] = program.training.steps, program.training.largest_batch, program.replicates
    return found


@pytest.mark.parametrize(("general", "own"), list(itertools.product(("profile", "override"), repeat=2)))
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_said_of_all_holds_in_a_variant_of_which_more_is_said(general: str, own: str, variant: str) -> None:
    profile: dict[str, Any] = {}
    overrides = []
    if general == "profile":
        profile |= STEPS
    else:
        overrides.append("e.training.steps=3")
    if own == "profile":
        profile["variants"] = {variant: REPLICATES}
    else:
        overrides.append(f"e.variants.{variant}.replicates=2")
    expected = {name: (3, given.get("training", {}).get("batch", 8), 5) for name, given in VARIANTS.items()}
    expected[variant] = (*expected[variant][:2], 2)
    assert resolved(profile, *overrides) == expected
    assert resolved(profile, *reversed(overrides)) == expected


def test_an_override_of_all_goes_over_what_the_profile_says_of_a_variant() -> None:
    profile = {"training": {"steps": 5}, "variants": {"empty": {"training": {"steps": 6}}, "full": {"replicates": 2}}}
    assert resolved(profile) == {"empty": (6, 8, 5), "full": (5, 4, 2)}
    assert resolved(profile, "e.training.steps=7") == {"empty": (7, 8, 5), "full": (7, 4, 2)}


def test_of_two_overrides_the_later_holds() -> None:
    own, general = "e.variants.full.training.steps=6", "e.training.steps=7"
    assert resolved(None, general, own) == {"empty": (7, 8, 5), "full": (6, 4, 5)}
    assert resolved(None, own, general) == {"empty": (7, 8, 5), "full": (7, 4, 5)}


def test_a_variant_that_a_profile_leaves_out_is_gone() -> None:
    profile = {"training": {"steps": 5}, "variants": {"full": None}}
    assert resolved(profile) == {"empty": (5, 8, 5)}

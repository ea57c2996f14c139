"""Every key of an experiment, wherever a patch may stand: it changes what is resolved, or it is refused at its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.model.fields import TOP, fields
from dlspec.spec.model.json_schema import study_schema
from dlspec.spec.model.patch import IN_PROFILES, IN_VARIANTS
from dlspec.spec.passes.digests import measure_digest
from dlspec.spec.passes.print_term import spell

BASE: dict[str, Any] = {
    "about": "A base.",
    "weights": "bfloat16",
    "loss_scale": 1024,
    "constants": {"d": 3, "e": 1},
    "sweep": {"d": [3, 4], "e": [1, 2], "kind": {"one": {}, "two": {"training": {"batch": 3}}}},
    "zip": [["d", "e"]],
    "functions": {"u(r)": "r + e"},
    "task": {"example": {"x": "normal([d])", "y": "u(x[0])"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": 4}, {"dense": 1}]}},
    "layer_defaults": {"use_bias": True},
    "outputs": {"twice": "2 * f"},
    "loss": {"squared": "(twice - y)^2"},
    "gradient": {"f": {"scale": 0.5}},
    "training": {
        "optimizer": {"sgd": {"learning_rate": 0.1}},
        "batch": 2,
        "phases": {"p": {"steps": 5}, "q": {"steps": 5, "gradient": {"f": {"scale": 0.75}}}},
    },
    "estimates": {"size": {"after": "p", "of": "E(f^2)", "examples": 10}},
    "measures": {"error": "(f - y)^2 * size"},
    "replicates": 2,
    "variants": {"a": {}, "v": {"training": {"evaluate": {"every": 5}}}},
    "claims": {"learns": {"says": "It learns.", "check": "final(error) < 1"}},
    "figures": {"curve": {"kind": "curves", "y": "error"}},
}

CHANGES: dict[str, Any] = {
    "about": "Another.",
    "base": "e",
    "dtype": "tf32",
    "weights": "float16",
    "state": "float32",
    "loss_scale": 2048,
    "seed": 9,
    "constants": {"e": 5},
    "sweep": {"kind": {"two": {"training": {"batch": 4}}}},
    "zip": [],
    "functions": {"u(r)": "r - e"},
    "task": {"example": {"y": "x[1]"}},
    "architecture": {"f": {"layers": [{"dense": 5}, {"dense": 1}]}},
    "layer_defaults": {"use_bias": False},
    "outputs": {"twice": "3 * f"},
    "loss": {"squared": "abs(twice - y)"},
    "gradient": {"f": {"scale": 0.25}},
    "training": {"phases": {"p": {"steps": 6}}},
    "estimates": {"size": {"examples": 20}},
    "measures": {"error": "abs(f - y) * size"},
    "replicates": 3,
    "variants": {"v": {"training": {"evaluate": {"every": 2}}}},
    "claims": {"learns": {"check": "final(error) < 2"}},
    "figures": {"curve": {"scale": {"y": "log"}}},
}

Place = Callable[[dict[str, Any], str, Any], list[str]]


def in_variant(study: dict[str, Any], key: str, value: Any) -> list[str]:
    study["experiments"]["e"]["variants"]["v"][key] = value
    return []


def in_axis(study: dict[str, Any], key: str, value: Any) -> list[str]:
    study["experiments"]["e"]["sweep"]["kind"]["one"][key] = value
    return []


def in_profile(study: dict[str, Any], key: str, value: Any) -> list[str]:
    study["profiles"] = {"p": {"experiments": {"e": {key: value}}}}
    return []


def in_profiles_variant(study: dict[str, Any], key: str, value: Any) -> list[str]:
    study["profiles"] = {"p": {"experiments": {"e": {"variants": {"v": {key: value}}}}}}
    return []


def in_override(study: dict[str, Any], key: str, value: Any) -> list[str]:
    return [f"e.{key}={json.dumps(value)}"]


def in_overrides_variant(study: dict[str, Any], key: str, value: Any) -> list[str]:
    return [f"e.variants.v.{key}={json.dumps(value)}"]


OF_A_CELL: tuple[Place, ...] = (in_variant, in_axis, in_profiles_variant, in_overrides_variant)
OF_AN_EXPERIMENT: tuple[Place, ...] = (in_profile, in_override)


def written(place: Place | None, key: str = "") -> tuple[dict[str, Any], list[str]]:
    """A study with a change in some place, and the overrides that come to it."""
    own = copy.deepcopy(BASE)
    if key == "constants":  # what is swept has its values from there
        own["sweep"] = {"kind": own["sweep"]["kind"]}
        own.pop("zip")
    study = {"dlspec": 1, "study": "s", "experiments": {"e": own}}
    return study, place(study, key, CHANGES[key]) if place else []


def resolved(study: dict[str, Any], overrides: list[str]) -> Any:
    """All that is resolved of a study, as plain data."""
    document = spec.parse(Source("t.yaml", json.dumps(study, indent=1)))
    profile = "p" if "profiles" in study else None
    (plan,) = spec.resolve(document, profile, [spec.Override.read(text) for text in overrides]).experiments
    programs = [
        (program.name, program.digest, program.replicates, program.training and program.training.evaluations,
         [(measure.name, spell(measure.term), measure_digest(program, measure)) for measure in program.measures])
        for program in plan.programs
    ]  # fmt: skip
    claims = [(claim.name, claim.says, claim.text, claim.judge) for claim in plan.claims]
    return plan.about, plan.axes, programs, claims, [(item.name, repr(item.model)) for item in plan.figures]


def without(place: Place, key: str) -> Any:
    """What is resolved without the change."""
    study, _ = written(place, key)
    clean, _ = written(None)
    clean["experiments"]["e"] = copy.deepcopy(study["experiments"]["e"])
    for patch in (clean["experiments"]["e"]["variants"]["v"], clean["experiments"]["e"]["sweep"]["kind"]["one"]):
        if patch.get(key) == CHANGES[key]:
            del patch[key]
    return resolved(clean, [])


def test_the_changes_are_of_all_fields() -> None:
    assert CHANGES.keys() == Experiment.model_fields.keys()


@pytest.mark.parametrize("key", CHANGES)
@pytest.mark.parametrize("place", [*OF_A_CELL, *OF_AN_EXPERIMENT], ids=lambda place: place.__name__)
def test_each_field_is_honoured_or_refused(place: Place, key: str) -> None:
    refused = IN_VARIANTS if place in OF_A_CELL else IN_PROFILES
    study, overrides = written(place, key)
    if key in refused.keys:
        with pytest.raises(StudyError) as caught:
            resolved(study, overrides)
        (problem,) = caught.value.problems
        assert problem.message == f"'{key}' is not allowed in {refused.place}"
        assert problem.span is not None and problem.hint
    else:
        assert resolved(study, overrides) != without(place, key)


@pytest.mark.parametrize("key", CHANGES)
@pytest.mark.parametrize("place", [in_variant, in_axis, in_profile, in_profiles_variant], ids=lambda p: p.__name__)
def test_the_schema_takes_what_the_models_take(place: Place, key: str) -> None:
    refused = IN_VARIANTS if place in OF_A_CELL else IN_PROFILES
    study, _ = written(place, key)
    faults = [*jsonschema.Draft202012Validator(study_schema()).iter_errors(study)]
    assert bool(faults) == (key in refused.keys)


def test_an_editor_offers_what_a_patch_holds() -> None:
    experiment = TOP.below("experiments", {}).below("e", {})
    variant = experiment.below("variants", {}).below("v", {})
    axis = experiment.below("sweep", {}).below("kind", {}).below("one", {})
    profile = TOP.below("profiles", {}).below("p", {}).below("experiments", {}).below("e", {})
    for place, refused in ((variant, IN_VARIANTS), (axis, IN_VARIANTS), (profile, IN_PROFILES)):
        (model,) = place.models
        assert set(fields(model)) == set(Experiment.model_fields) - set(refused.keys)
    (within,) = profile.below("variants", {}).below("v", {}).models
    assert "claims" not in fields(within)


@pytest.mark.parametrize("override", ["e=null", "e={}", "e=3", "e.variants=3", "e.variants=null", "e.variants.v=3"])
def test_an_override_that_sets_nothing_is_refused(override: str) -> None:
    study, _ = written(None)
    with pytest.raises(StudyError) as caught:
        resolved(study, [override])
    (problem,) = caught.value.problems
    assert problem.span is not None and problem.hint


def test_a_profile_or_an_override_leaves_a_variant_out() -> None:
    study, _ = written(None)
    assert resolved(study, ["e.variants.v=null"])[1]["variant"] == ("a",)
    study["experiments"]["e"]["claims"]["learns"]["check"] = "final(error, variant == v) < 1"
    study["profiles"] = {"p": {"experiments": {"e": {"variants": {"v": None}}}}}
    assert resolved(study, [])[1]["variant"] == ("a",)


@pytest.mark.parametrize("patch", [{"constants": {"d": 5}}, {"variants": {"v": {"constants": {"d": 5}}}}])
def test_a_profile_does_not_set_what_is_swept(patch: Any) -> None:
    study, _ = written(None)
    study["profiles"] = {"p": {"experiments": {"e": patch}}}
    with pytest.raises(StudyError, match="'d' is swept"):
        resolved(study, [])

"""What the models say of places: read from annotations, so that a new field needs no word here."""

from __future__ import annotations

from dlspec.spec.model.experiment import Experiment
from dlspec.spec.model.fields import NOWHERE, TOP, Place, fields
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.tables.dtypes import DTYPES

E = TOP.below("experiments", {}).below("e", {})


def at(*steps: str, place: Place = E) -> Place:
    for step in steps:
        place = place.below(step, {step: ""})
    return place


def test_fields_are_in_the_models_order() -> None:
    assert fields(Experiment) == tuple(Experiment.model_fields)
    assert fields(FIGURES["curves"])[0] == "kind"
    for model in FIGURES.values():
        assert set(fields(model)) == set(model.model_fields)
        assert fields(model)[-4:] == ("title", "caption", "panel", "where")


def test_expressions_are_known() -> None:
    for path in (
        ("constants", "d"),
        ("training", "steps"),
        ("loss", "l"),
        ("loss", "l", "of"),
        ("gradient", "u", "scale"),
    ):
        assert at(*path).expression("x"), path
    for path in (("about",), ("claims", "c", "says"), ("figures", "f", "title"), ("dtype",)):
        assert not at(*path).expression("x"), path
    assert at("claims", "c", "check").condition and at("training", "until").condition
    layer = at("architecture", "f", "layers").item()
    assert not layer.expression("dense") and layer.below("dense", {"dense": ""}).expression("2 * n")
    start = at("layer_defaults", "kernel_initializer")
    assert start.expression("normal()") and not start.expression("zeros")


def test_patches_are_experiments() -> None:
    for place in (at("variants", "v"), at("sweep", "axis", "p"), at("profiles", "p", "experiments", "e", place=TOP)):
        (model,) = place.models
        assert set(fields(model)) < set(fields(Experiment)) and "base" not in fields(model)


def test_choices_are_known() -> None:
    assert "adam" in at("training", "optimizer").words and at("dtype").words == tuple(DTYPES)
    assert set(at("figures", "f", "kind").words) == set(FIGURES)
    assert at("figures", "f").below("fit", {"kind": "scaling"}).words
    assert at("functions").heads and not at("constants").heads


def test_what_is_unknown_is_nowhere() -> None:
    assert at("nonsense") == NOWHERE and at("nonsense", "further") == NOWHERE and NOWHERE.item() == NOWHERE

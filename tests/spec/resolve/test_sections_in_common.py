"""The models of cells and profiles: sections that a patch leaves alone are those of the study, and nothing is lost by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.model.base import Closed
from dlspec.spec.model.experiment import Experiment

ROOT = Path(__file__).parents[3]
STUDY = """
dlspec: 1
study: shared
experiments:
  e:
    constants: {c: 1}
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    measures: {m: E(f), n: {of: E(f * f), on: train}}
    variants: {a: {}, b: {constants: {c: 2}}, d: {measures: {m: E(2 * f)}}}
    claims: {k: {says: So., check: final(m) < 1}}
    replicates: 5
profiles:
  quick: {experiments: {e: {replicates: 6}}}
"""


def _models(model: Any, path: str = "") -> Iterator[tuple[str, Closed]]:
    """A model and all models in it, by where they stand."""
    if isinstance(model, Closed):
        yield path, model
        for name, value in model.__dict__.items():
            yield from _models(value, f"{path}.{name}")
    elif isinstance(model, dict):
        for name, value in model.items():
            yield from _models(value, f"{path}.{name}")
    elif isinstance(model, list):
        for place, value in enumerate(model):
            yield from _models(value, f"{path}[{place}]")


@pytest.mark.parametrize("name", ["flat", "conditioning"])
def test_models_are_those_of_their_trees(name: str) -> None:
    document = spec.load(ROOT / "examples" / f"{name}.yaml")
    for profile in (None, *document.study.profiles):
        for experiment in spec.resolve(document, profile).experiments:
            for model in {id(model): model for model in (experiment.model, *experiment.models)}.values():
                node = model.node()
                assert node is not None
                whole = Experiment.from_node(node)
                assert model == whole
                assert model.model_fields_set == whole.model_fields_set
                places = [{path: (part.node(), part.span()) for path, part in _models(one)} for one in (model, whole)]
                assert places[0].keys() == places[1].keys()
                for path, place in places[0].items():
                    assert place == places[1][path], path


def test_what_a_patch_leaves_alone_is_validated_once() -> None:
    document = spec.parse(Source("shared.yaml", STUDY))
    written = document.study.experiments["e"]
    for profile in (None, "quick"):
        (experiment,) = spec.resolve(document, profile).experiments
        a, b, d = experiment.models
        for model in (experiment.model, a, b, d):
            assert model.claims is written.claims
            assert model.architecture is written.architecture
        assert a.measures is b.measures is written.measures
        assert d.measures is not written.measures
        assert (b.constants, d.measures["m"]) == ({"c": 2}, "E(2 * f)")


def test_an_error_in_a_patch_has_its_place() -> None:
    document = spec.parse(Source("shared.yaml", STUDY.replace("b: {constants: {c: 2}}", "b: {replicate: 3}")))
    with pytest.raises(StudyError) as caught:
        spec.validate(document)
    (problem,) = caught.value.problems
    assert problem.span is not None
    assert (problem.span.line, problem.message, "replicates" in problem.hint) == (10, "unknown key 'replicate'", True)

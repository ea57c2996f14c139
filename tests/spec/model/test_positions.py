"""A validated model knows where it stands in its file, in every form that a document can be written in."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlspec.spec import load
from dlspec.spec.diagnostics.problems import Source, Span
from dlspec.spec.model.base import Closed
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.source import nodes as yaml

TEXT = """\
task:
  draw: {u: "normal([3])"}
architecture:
  f:
    input: x
    layers:
      - dense: 4
      - relu
      - dense: {units: 2, kernel_initializer: {constant: 0.5}}
      - {apply: tanh}
training:
  optimizer: {sgd: 0.1}
  steps: 10
loss:
  main: {of: f, weight: 2}
  other: f * f
measures: {error: E(f)}
figures:
  one: {kind: curves, y: error}
  two: {kind: curves, y: [error, error]}
"""


def text(span: Span) -> str:
    """What stands at a place of one line."""
    assert span.line == span.end_line
    return span.source.lines[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.fixture
def experiment() -> Experiment:
    return Experiment.from_node(yaml.parse(Source("study.yaml", TEXT)))


def test_fields_and_their_keys(experiment: Experiment) -> None:
    assert experiment.training is not None
    assert text(experiment.training.span("steps")) == "10"  # a scalar
    assert text(experiment.training.key("steps")) == "steps"
    assert text(experiment.training.span()) == "training"  # a mapping: its key
    assert text(experiment.span("task", "draw", "u")) == '"normal([3])"'
    assert text(experiment.span("task", "draw", "v")) == "draw"  # the deepest part that is there
    assert text(experiment.span("figures", "two", "y", 1)) == "error"


def test_short_forms(experiment: Experiment) -> None:
    assert experiment.training is not None
    sgd = experiment.training.optimizer.value
    assert text(sgd.node("learning_rate").span) == text(sgd.span("learning_rate")) == "0.1"
    assert sgd.node("momentum") is None
    short, word, long, apply = experiment.architecture["f"].layers
    assert [text(layer.key(layer.kind)) for layer in (short, word, long, apply)] == ["dense", "relu", "dense", "apply"]
    assert text(short.value.span("units")) == "4"
    assert short.value.node("use_bias") is None
    assert word.node("relu" if word.kind == "relu" else "apply") is word.node()
    assert text(long.value.kernel_initializer.value.span("value")) == "0.5"
    assert text(long.value.kernel_initializer.extent) == "{constant: 0.5}"
    assert text(apply.span("apply")) == "tanh"


def test_lists_maps_and_values_in_their_place(experiment: Experiment) -> None:
    assert [text(node.span) for node in experiment.figures["one"].nodes("y")] == ["error"]
    assert [text(node.span) for node in experiment.figures["two"].nodes("y")] == ["error", "error"]
    assert experiment.figures["one"].nodes("where") == ()
    assert text(experiment.loss["main"].span("weight")) == "2"
    assert text(experiment.span("loss", "other")) == "f * f"


def test_what_holds_by_default_is_written_nowhere(experiment: Experiment) -> None:
    assert experiment.training is not None
    evaluate = experiment.training.evaluate
    assert evaluate.node() is evaluate.node("every") is None
    assert text(evaluate.span("every")) == "training"
    assert Experiment.model_validate({"measures": {"m": 1}}).node("measures", "m") is None


def test_positions_are_no_part_of_a_value(experiment: Experiment) -> None:
    moved = Experiment.from_node(yaml.parse(Source("study.yaml", f"about:\n{TEXT}")))
    assert moved == experiment.model_copy(update={"about": None})
    assert moved.span("training", "steps") != experiment.span("training", "steps")
    assert pickle.loads(pickle.dumps(experiment.figures["one"])).node() is None


def test_each_model_of_each_example_has_its_place() -> None:
    for path in sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml")):
        document = load(path)
        models = list(_models(document.study))
        assert len(models) >= 20
        for model in models:
            for field in model.model_fields_set if model.node() is not None else ():
                assert model.node(field) is not None, (path, type(model), field)


def _models(model: Closed) -> Iterator[Closed]:
    yield model
    for value in model.__dict__.values():
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, Closed):
                yield from _models(item)

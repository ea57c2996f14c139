"""The JSON Schema, the reference and the first spec: generated, fresh, and in agreement with what the models take."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.model.json_schema import study_schema, study_schema_text
from dlspec.spec.model.reference import describe, reference
from dlspec.spec.model.reference_entries import entries
from dlspec.spec.new_study import first_spec
from dlspec.spec.source.nodes import data
from dlspec.spec.source.nodes import parse as parse_yaml
from dlspec.spec.source.text import read
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import CONSTRAINTS
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from dlspec.spec.tables.optimizers import OPTIMIZERS

ROOT = Path(__file__).parents[3]
SCHEMA_FILE = "schemas/study.schema.json"
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SCHEMA = study_schema()
BOUNDS = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FIRST_LINE = "# yaml-language-server: $schema="


def content(text: str) -> Any:
    """A document as the schema sees it."""
    return data(parse_yaml(Source("s.yaml", text)))


def faults(document: Any) -> list[str]:
    """What the schema refuses of a document."""
    return [error.message for error in VALIDATOR.iter_errors(document)]


def models_refuse(document: Any) -> bool:
    """Whether the models refuse a document."""
    try:
        spec.parse(Source("s.yaml", json.dumps(document)))
    except spec.StudyError:
        return True
    return False


FLAT = data(parse_yaml(read(ROOT / "examples" / "flat.yaml")))


def flat(*path: Any, value: Any = None, drop: bool = False) -> Any:
    """The flat study with the value at a path set or dropped."""
    document = copy.deepcopy(FLAT)
    node = document
    *steps, last = path
    for step in steps:
        node = node[step]
    if drop:
        del node[last]
    else:
        node[last] = value
    return document


# -- the schema --------------------------------------------------------------------------------------------------------


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"].replace("http:", "https:")


def test_every_reference_is_defined_and_every_definition_is_used() -> None:
    used = {node["$ref"] for node in nodes(SCHEMA) if "$ref" in node}
    assert used <= {f"#/$defs/{name}" for name in SCHEMA["$defs"]}
    assert not [node for node in nodes(SCHEMA) if "x-expression" in node]


def test_no_reference_has_a_bound_beside_it() -> None:
    """An editor that writes what a key requires passes over one that has: `conv1d` came without its `filters`."""
    assert not [node for node in nodes(SCHEMA) if "$ref" in node and BOUNDS & node.keys()]
    assert [node for node in nodes(SCHEMA) if "anyOf" in node and BOUNDS & node.keys()]


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """All maps in a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from nodes(item)


def test_the_committed_schema_is_fresh() -> None:
    committed = (ROOT / SCHEMA_FILE).read_text("utf-8")
    assert committed == study_schema_text(), "`make schemas` regenerates it"
    assert json.loads(committed) == SCHEMA


def test_the_text_is_the_same_each_time() -> None:
    assert study_schema_text() == study_schema_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid(path: Path) -> None:
    text = path.read_text("utf-8")
    assert faults(content(text)) == []
    few = "is judged on one replicate of something random"  # twenty minutes each, and the spec says so
    assert [warning.message for warning in spec.validate(spec.load(path)) if few not in warning.message] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_name_the_schema_on_their_first_line(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith(FIRST_LINE)
    assert (path.parent / first.removeprefix(FIRST_LINE)).resolve() == ROOT / SCHEMA_FILE


def test_there_are_examples() -> None:
    assert ROOT / "examples" / "flat.yaml" in EXAMPLES


STAIRCASE = ("experiments", "staircase")
LAYER = (*STAIRCASE, "variants", "end_to_end", "architecture", "score", "layers", 0)
WRONG: dict[str, Any] = {
    "a key of the study": flat("titel", value="x"),
    "a key of an experiment": flat(*STAIRCASE, "taks", value={}),
    "a key of the task": flat(*STAIRCASE, "task", "examples", value={}),
    "a key of the training": flat(*STAIRCASE, "training", "batchsize", value=3),
    "a key of the evaluation": flat(*STAIRCASE, "training", "evaluate", "step", value=3),
    "a parameter of the optimiser": flat(*STAIRCASE, "training", "optimizer", "adam", "beta1", value=0.9),
    "an optimiser": flat(*STAIRCASE, "training", "optimizer", value={"adma": {}}),
    "two optimisers": flat(*STAIRCASE, "training", "optimizer", "sgd", value={}),
    "a layer": flat(*STAIRCASE, "architecture", "score", "layers", value=[{"dens": 1}]),
    "an argument of a layer": flat(
        *STAIRCASE, "architecture", "score", "layers", value=[{"dense": {"units": 1, "unit": 2}}]
    ),
    "no argument of a layer": flat(*STAIRCASE, "architecture", "score", "layers", value=[{"dense": {}}]),
    "an activation": flat(
        *STAIRCASE, "architecture", "score", "layers", value=[{"dense": {"units": 1, "activation": "r leu"}}]
    ),
    "a gradient mode": flat(*STAIRCASE, "gradient", value={"u": "forwardonly"}) | {"dlspec": 2},
    "a gradient mode in full": flat(*STAIRCASE, "gradient", value={"u": {"scales": 2}}),
    "a kind of figure": flat(*STAIRCASE, "figures", "figure_7a", "kind", value="curve"),
    "a key of a figure": flat(*STAIRCASE, "figures", "figure_7a", "pannel", value="variant"),
    "a key of a claim": flat(*STAIRCASE, "claims", "forward_only_lowest", "say", value="x"),
    "no measures": flat(*STAIRCASE, "measures", drop=True),
    "no experiments": flat("experiments", drop=True),
    "no version": flat("dlspec", drop=True),
    "another version": flat("dlspec", value=2),
    "a dtype": flat(*STAIRCASE, "dtype", value="float16"),
    "a seed": flat(*STAIRCASE, "seed", value=-1),
    "a map for an expression": flat(*STAIRCASE, "outputs", "guess", value={"a": 1}),
    "a list of layers as a number": flat(*STAIRCASE, "architecture", "score", "layers", value=3),
}
IN_PATCHES: dict[str, Any] = {
    "a key of a variant": flat(*STAIRCASE, "variants", "non_flat", "trainings", value={}),
    "a key in a variant's training": flat(*STAIRCASE, "variants", "forward_only", "training", "step", value=1),
    "a layer in a variant": flat(*LAYER, value={"dens": 3}),
    "a key in a profile": flat("profiles", "quick", "experiments", "staircase", "replicate", value=3),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_schema_refuses_what_the_models_refuse(name: str) -> None:
    assert faults(WRONG[name])
    assert models_refuse(WRONG[name])


@pytest.mark.parametrize("name", IN_PATCHES)
def test_the_schema_refuses_unknown_keys_in_patches(name: str) -> None:
    assert faults(IN_PATCHES[name])


OPTIMIZER = (*STAIRCASE, "training", "optimizer")
ONE = (*STAIRCASE, "architecture", "score", "layers")
RIGHT: dict[str, Any] = {
    "an optimiser's word": flat(*OPTIMIZER, value="sgd"),
    "an optimiser with its rate": flat(*OPTIMIZER, value={"sgd": 0.1}),
    "an optimiser a network": flat(*OPTIMIZER, value={"score": {"sgd": 0.1}}),
    "a schedule": flat(*OPTIMIZER, value={"sgd": {"learning_rate": "1 / (1 + step)"}}),
    "a layer's word": flat(*ONE, value=["flatten", {"dense": 1}]),
    "a function as a layer": flat(*ONE, value=["u", {"dense": 1}]),
    "a layer's size": flat(*ONE, value=[{"dense": "2 * d"}, {"dense": 1}]),
    "an initialiser's word": flat(*ONE, value=[{"dense": {"units": 1, "kernel_initializer": "he_normal"}}]),
    "an initialiser in full": flat(
        *ONE, value=[{"dense": {"units": 1, "kernel_initializer": {"constant": {"value": 2}}}}]
    ),
    "an initialiser's number": flat(*ONE, value=[{"dense": {"units": 1, "bias_initializer": 0.5}}]),
    "a distribution": flat(*ONE, value=[{"dense": {"units": 1, "kernel_initializer": "normal(0, 1 / sqrt(fan_in))"}}]),
    "a constraint": flat(*ONE, value=[{"dense": {"units": 1, "kernel_constraint": {"max_norm": 3}}}]),
    "a block": flat(*ONE, value=[{"repeat": {"times": 2, "layers": [{"dense": 3}], "skip": False}}, {"dense": 1}]),
    "whitening": flat(*ONE, value=[{"whiten": {"examples": 100}}, "whiten", {"dense": 1}]),
    "a gradient mode": flat(*STAIRCASE, "gradient", value={"score": {"clip": 1}, "u": {"surrogate": "r"}}),
    "a weighted loss": flat(*STAIRCASE, "loss", value={"a": {"of": "(guess - y)^2", "weight": "1 / (1 + step)"}}),
    "a list for an array": flat(*STAIRCASE, "constants", "more", value=[[1, 2], ["d", 3]]),
    "a measure's options": flat(*STAIRCASE, "measures", "more", value={"of": "E(y)", "on": "train"}),
    "a sweep of values": flat(*STAIRCASE, "sweep", value={"d": [1, "2 * 3"]}),
    "a sweep of patches": flat(*STAIRCASE, "sweep", value={"rate": {"a": {"seed": 3}, "b": {}}}),
    "a deletion in a variant": flat(*STAIRCASE, "variants", "non_flat", "outputs", value={"guess": None}),
    "layers patched by name": flat(
        *STAIRCASE,
        "variants",
        "non_flat",
        "architecture",
        value={"score": {"layers": {"dense_1": {"use_bias": False}}}},
    ),
    "a patch of part of an optimiser": flat(
        *STAIRCASE, "variants", "non_flat", "training", "optimizer", value={"adam": {"epsilon": 1e-3}}
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_schema_takes_what_the_models_take(name: str) -> None:
    assert faults(RIGHT[name]) == []
    assert not models_refuse(RIGHT[name])


TABLES: dict[str, tuple[str, Any]] = {
    "layers": ("LayerEntry", [*LAYERS, "repeat"]),
    "optimisers": ("OptimizerEntry", OPTIMIZERS),
    "gradient modes": ("GradientEntry", GRADIENT_MODES),
    "initialisers": ("Initializer", INITIALIZERS),
    "constraints": ("Constraint", CONSTRAINTS),
}


@pytest.mark.parametrize("family", TABLES)
def test_every_row_is_a_property_with_a_description(family: str) -> None:
    title, rows = TABLES[family]
    for name in (title, f"{title}Patch"):
        properties = next(form["properties"] for form in SCHEMA["$defs"][name]["anyOf"] if "properties" in form)
        for row in rows:
            assert properties[row]["description"], f"{name}.{row}"
    words = [word for form in SCHEMA["$defs"][title]["anyOf"] for word in form.get("enum", [])]
    assert set(words) <= set(rows) and not {"surrogate", "clip", "scale", "dense"} & set(words), (
        "a word that needs a value is no word alone"
    )
    assert words or family in ("layers", "initialisers", "constraints"), (
        "where only words may stand, they are completed"
    )


def test_editors_are_shown_no_titles_and_no_null() -> None:
    below = [inner for found in SCHEMA["$defs"].values() for inner in found.get("properties", {}).values()]
    assert not [inner for inner in below if isinstance(inner, dict) and isinstance(inner.get("title"), str)]
    assert not [node for node in nodes(SCHEMA) if node.get("default", 0) is None]


@pytest.mark.parametrize("kind", FIGURES)
def test_every_kind_of_figure_is_there(kind: str) -> None:
    (found,) = [
        found
        for name, found in SCHEMA["$defs"].items()
        if found.get("properties", {}).get("kind", {}).get("const") == kind and not name.endswith("Patch")
    ]
    assert found["description"]
    assert found["properties"]["kind"]["description"] == found["description"]


def test_every_field_says_what_it_means() -> None:
    silent = [
        f"{title}.{name}"
        for title, found in [("Study", SCHEMA), *SCHEMA["$defs"].items()]
        for name, field in found.get("properties", {}).items()
        if not field.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("name", [*LAYERS])
def test_every_argument_of_a_layer_is_a_property(name: str) -> None:
    row = LAYERS[name]
    found = SCHEMA["$defs"][f"{row.class_name}Layer"]
    assert set(found["properties"]) == {*row.parameters, "name"}
    required = {parameter.name for parameter in row.parameters.values() if parameter.required}
    assert set(found.get("required", [])) == required
    assert found["additionalProperties"] is False


# -- the reference -----------------------------------------------------------------------------------------------------


def test_the_committed_reference_is_fresh() -> None:
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference(), "`make schemas` regenerates it"


def test_the_reference_and_descriptions_hold_every_row() -> None:
    text = reference()
    every = list(entries())
    for entry in every:
        assert f"`{entry.name}`" in text
        found = describe(entry.name)
        if entry.kind not in ("counters", "named numbers", "activations", "constraints"):  # a line says all of them
            assert found is not None and found.startswith(entry.name)
    assert {"relu", "max_norm", "heatmap", "phase_step", "pi"} <= {entry.name for entry in every}
    for table in (OPERATIONS, FORMS, CLAIM_FORMS):
        for name, row in table.items():
            assert row.meaning in (describe(name) or "")
    for table in (LAYERS, OPTIMIZERS, GRADIENT_MODES):
        for name, row in table.items():
            assert row.meaning in (describe(name) or "")
    assert set(INITIALIZERS) <= {entry.name for entry in every}, "`dlspec ops he_normal` says what it is"
    assert describe("no_such_thing") is None


def test_tables_of_the_reference_are_tables() -> None:
    width = 0
    for line in reference().splitlines():
        if line.startswith("|"):
            cells = line.replace("\\|", "").count("|")
            width = width or cells
            assert cells == width, line
        else:
            width = 0


# -- the first spec ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["first", "a_study_2"])
def test_the_first_spec_is_valid(name: str) -> None:
    text = first_spec(name, "../schemas/study.schema.json")
    assert text.splitlines()[0] == f"{FIRST_LINE}../schemas/study.schema.json"
    assert "{{" not in text and "}}" not in text.replace("}}}", "").replace("}}\n", "\n")
    assert faults(content(text)) == []
    document = spec.parse(Source(f"{name}.yaml", text))
    assert spec.validate(document) == ()
    plan = spec.resolve(document)
    assert plan.name == name
    (experiment,) = plan.experiments
    assert [program.variant for program in experiment.programs] == ["linear", "hidden_layer"]
    assert len(experiment.claims) == 2 and len(experiment.figures) == 1
    assert all(program.training for program in experiment.programs)


@pytest.mark.parametrize(
    ("optimizer", "word"),
    [
        ({"adm": {"learning_rate": 0.1}}, "'adm' was unexpected"),
        ({"adm": 0.1}, "'adm' was unexpected"),
        ({"net": {"adm": {"learning_rate": 0.1}}}, "'adm' was unexpected"),
        ({"net": {"adam": {"learning_rat": 0.1}}}, "'learning_rat' was unexpected"),
    ],
)
def test_a_misspelt_optimiser_is_what_the_schema_refuses(optimizer: Any, word: str) -> None:
    """Not its arguments, as if it were a network's name; `tests/clients/yaml_language_server.mjs` shows it in an editor's server."""
    document = copy.deepcopy(FLAT)
    next(iter(document["experiments"].values()))["training"]["optimizer"] = optimizer
    told: list[str] = []
    left = list(VALIDATOR.iter_errors(document))
    while left:
        error = left.pop()
        left += error.context or []
        told.append(error.message)
    assert any(word in text for text in told) and not any("'learning_rate' was unexpected" in text for text in told)

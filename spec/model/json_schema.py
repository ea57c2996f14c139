"""The JSON Schema of a study, generated from the models and tables, for editors and for other tools."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from ..tables.optimizers import OPTIMIZERS
from .base import EXPRESSION_MARK, EXPRESSION_SCHEMA
from .patch import IN_PROFILES, IN_VARIANTS, Refused
from .study import Study

OPTIMIZER = {"$ref": "#/$defs/OptimizerEntry"}
BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
IDENTIFIER = "https://json-schema.org/draft/2020-12/schema"


def study_schema() -> dict[str, Any]:
    """The schema, with variants and profiles as patches: nothing required, and null allowed everywhere."""
    _, whole = models_json_schema([(Study, "validation")], by_alias=True)
    definitions = whole["$defs"]
    study = definitions.pop("Study")
    _whole_words(definitions)
    _kinds_described(definitions)
    for name in ("Training", "TrainingPhase"):
        definitions[name] = _by_network(definitions[name])
    patches = {f"{name}Patch": _patch(schema) for name, schema in definitions.items()}
    definitions.update(patches)
    reference = {"$ref": "#/$defs/ExperimentPatch"}
    varied = {"$ref": f"#/$defs/{IN_VARIANTS.title}"}
    for name in ("Experiment", "ExperimentPatch"):
        fields = definitions[name]["properties"]
        kind = "object" if name == "Experiment" else ["object", "null"]
        _replace(fields, "variants", {"type": kind, "additionalProperties": varied})
        axis = {
            "anyOf": [{"type": "array", "items": EXPRESSION_MARK}, {"type": "object", "additionalProperties": varied}]
        }
        _replace(fields, "sweep", {"type": kind, "additionalProperties": axis})
    profile = definitions["Profile"]["properties"]
    _replace(
        profile, "experiments", {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{IN_PROFILES.title}"}}
    )
    for refused in (IN_VARIANTS, IN_PROFILES):
        definitions[refused.title] = _less(definitions["ExperimentPatch"], refused)
    # An experiment with a base is a patch of it; the condition keeps an editor's errors to one of the two.
    derived = {"if": {"required": ["base"]}, "then": reference, "else": {"$ref": "#/$defs/Experiment"}}
    patterns = study["properties"]["experiments"]["patternProperties"]
    patterns.update(dict.fromkeys(patterns, derived))
    expressions: dict[str, Any] = {}
    referenced = _referenced({"study": study, "definitions": definitions}, expressions)
    document_schema: dict[str, Any] = _readable(
        {"$schema": IDENTIFIER, "title": "dlspec study", **referenced["study"], "$defs": referenced["definitions"]}
    )
    document_schema["$defs"] = dict(sorted((document_schema["$defs"] | expressions).items()))
    return document_schema


def _whole_words(definitions: dict[str, Any]) -> None:
    """Leaves the words alone that say all by themselves, where one key names a kind: an editor proposes no others without a value."""
    for schema in definitions.values():
        shape, *others = schema.get("anyOf", [{}])
        if shape.get("maxProperties") != 1:
            continue
        for form in others:
            if "enum" in form:
                form["enum"] = [
                    word for word in form["enum"] if _stands_alone(shape["properties"].get(word, {}), definitions)
                ]
            if (
                "anyOf" in form
            ):  # any text may stand there, and an editor that knew the words twice would propose `dense: dense`
                form["anyOf"] = [choice for choice in form["anyOf"] if "enum" not in choice]


def _kinds_described(definitions: dict[str, Any]) -> None:
    """Describes the key that says which of several a model is as the model: what an editor shows of `kind: curves` is what curves are."""
    for schema in definitions.values():
        for field in schema.get("properties", {}).values():
            if "const" in field:
                field.setdefault("description", schema["description"])


def _by_network(schema: Any) -> Any:
    """A schema in which a condition says whether an optimiser or a map of networks to optimisers stands there.

    With a choice of both an editor speaks of a name that is misspelt as of a network, and of its arguments as of optimisers.
    """
    if isinstance(schema, list):
        return [_by_network(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("oneOf", [])
    if OPTIMIZER not in choices:
        return {key: _by_network(value) for key, value in schema.items()}
    (networks,) = (choice for choice in choices if choice != OPTIMIZER)
    an_optimiser: dict[str, Any] = {
        "anyOf": [
            {"type": "string"},
            {"type": "object", "anyOf": [{"required": [name]} for name in OPTIMIZERS]},
            {"type": "object", "not": {"additionalProperties": {"not": {"type": "object"}}}},
        ]
    }
    some = {"not": {"additionalProperties": {"not": an_optimiser}}}
    condition = {"type": "object", "propertyNames": {"not": {"enum": list(OPTIMIZERS)}}, **some}
    rest = {key: value for key, value in schema.items() if key != "oneOf"}
    proposed: list[Any] = [OPTIMIZER, {}]  # editors propose words out of a choice, and none out of a condition
    return {**rest, "anyOf": proposed, "if": condition, "then": networks, "else": OPTIMIZER}


def _stands_alone(field: dict[str, Any], definitions: dict[str, Any]) -> bool:
    """Whether a key may stand without a value: what it takes has no part that has to be said."""
    for choice in (field, *field.get("anyOf", [])):
        name = str(choice.get("$ref", "")).rpartition("/")[2]
        if name in definitions and name != "Expression":
            return not definitions[name].get("required")
    return False


def _readable(schema: Any, definition: bool = True) -> Any:
    """A schema as editors show it: no titles that repeat a key, and no null as a default."""
    if isinstance(schema, list):
        return [_readable(item, False) for item in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = {"title"} if not definition and isinstance(schema.get("title"), str) else set()
    left_out |= {"default"} if "default" in schema and schema["default"] is None else set()
    return {
        key: {name: _readable(inner, key == "$defs") for name, inner in value.items()}
        if key in ("properties", "patternProperties", "$defs") and isinstance(value, dict)
        else _readable(value, False)
        for key, value in schema.items()
        if key not in left_out
    }


def study_schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n"


def _less(patch: dict[str, Any], refused: Refused) -> dict[str, Any]:
    """The schema of a patch without what it cannot hold where it stands."""
    held = {name: field for name, field in patch["properties"].items() if name not in refused.keys}
    return {**patch, "title": refused.title, "properties": held}


def _replace(fields: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
    fields[name] = {**schema, "description": fields[name].get("description", "")}


def _patch(schema: Any) -> Any:
    """A schema in which nothing is required, null deletes, and references go to other patches."""
    if isinstance(schema, list):
        return [_patch(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = ("required", "minItems", "default", "discriminator")
    patch = {key: value if key == "if" else _patch(value) for key, value in schema.items() if key not in left_out}
    if "oneOf" in patch:  # without the key that tells them apart, a patch may be of several
        patch["anyOf"] = patch.pop("oneOf")
    if "$ref" in schema:
        patch["$ref"] = schema["$ref"] + "Patch"
    if schema.get("minProperties") == 1 and "maxProperties" not in schema:
        patch.pop("minProperties")
    if isinstance(patch.get("properties"), dict):
        patch["properties"] = {key: _nullable(value) for key, value in patch["properties"].items()}
    if isinstance(patch.get("additionalProperties"), dict):
        patch["additionalProperties"] = _nullable(patch["additionalProperties"])
    if isinstance(patch.get("patternProperties"), dict):
        patch["patternProperties"] = {key: _nullable(value) for key, value in patch["patternProperties"].items()}
    properties = schema.get("properties", {})
    if "layers" in properties:
        layers = patch["properties"]["layers"]
        by_name = {"type": "object", "additionalProperties": True, "description": "Layers patched by name."}
        patch["properties"]["layers"] = {"anyOf": [layers, by_name], "description": layers.get("description", "")}
    return patch


def _nullable(schema: Any) -> Any:
    if not isinstance(schema, dict) or {"type": "null"} in schema.get("anyOf", []):
        return schema
    description = {"description": schema["description"]} if "description" in schema else {}
    inner = {key: value for key, value in schema.items() if key != "description"}
    return {**description, "anyOf": [inner, {"type": "null"}]}


def _referenced(schema: Any, expressions: dict[str, Any]) -> Any:
    """The marks of expressions replaced by the reference; `expressions` takes the definitions: one for each pair of bounds, and one without.

    An editor that writes what a key requires passes over one whose reference has a bound beside it. A definition has no description: an editor
    would show it in the place of what the key means.
    """
    if isinstance(schema, list):
        return [_referenced(item, expressions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-expression" not in schema:
        return {key: _referenced(value, expressions) for key, value in schema.items()}
    bounds = {key: schema[key] for key in BOUNDS if key in schema}
    name = "_".join(["Expression", *(f"{key}_{value:g}" for key, value in bounds.items())])
    expressions[name] = {key: EXPRESSION_SCHEMA[key] for key in ("title", "anyOf")} | bounds
    beside = {key: value for key, value in schema.items() if key not in ("x-expression", *bounds)}
    return {**beside, "$ref": f"#/$defs/{name}"}

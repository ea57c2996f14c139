"""A cell of a random study is the experiment that says the same without base, variants, axes, profile and overrides, merged by plain dictionaries."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import measure_digest, training_digest
from dlspec.spec.resolve.overrides import Override

STUDIES = 40
BASE: dict[str, Any] = {
    "constants": {"c": 1, "k": 2},
    "task": {"example": {"x": "normal([3])", "y": "c * sum(x)"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": {"name": "first", "units": 4, "activation": "relu"}}, {"dense": {"name": "last", "units": 1}}]}},
    "loss": {"squared": "(f - y)^2", "small": {"of": "f^2", "weight": 0.1}},
    "training": {"optimizer": {"adam": {"learning_rate": 0.001}}, "batch": 8, "steps": 10, "evaluate": {"every": 5}},
    "measures": {"error": "E((f - y)^2)", "size": "E(k * abs(f))", "high": "E(f > 0)"},
    "replicates": 5,
    "seed": 3,
}  # fmt: skip


def change(pick: random.Random, taken: set[str]) -> dict[str, Any]:
    """A patch of one to three places; none of what was taken, which it adds to."""
    number = pick.randrange(1, 1000)
    places: dict[str, Any] = {
        "steps": {"training": {"steps": 5 * number}},
        "batch": {"training": {"batch": number}},
        "rate": {"training": {"optimizer": {"adam": {"learning_rate": number / 1000}}}},
        "beta": {"training": {"optimizer": {"adam": {"beta_1": 1 / (number + 2)}}}},
        "c": {"constants": {"c": number}},
        "units": {"architecture": {"f": {"layers": {"first": {"units": number}}}}},
        "activation": {"architecture": {"f": {"layers": {"first": {"activation": pick.choice(["tanh", "elu", "gelu"])}}}}},
        "weight": {"loss": {"small": {"weight": number / 7}}},
        "replicates": {"replicates": number},
        "seed": {"seed": number},
        "evaluate": {"training": {"evaluate": {"every": number}}},
        "target": {"task": {"example": {"y": f"{number} * sum(x)"}}},
        "measure": {"measures": {"high": f"E(f > {number})"}},
    }  # fmt: skip
    found: dict[str, Any] = {}
    for place in pick.sample(sorted(set(places) - taken), pick.randint(1, 3)):
        taken.add(place)
        found = merged(found, places[place])
    return found


def merged(base: Any, patch: Any) -> Any:
    """A patch over a base: maps merge, all else is replaced; layers are patched by name."""
    if isinstance(base, list):
        layers = copy.deepcopy(base)
        for layer in layers:
            ((_, arguments),) = layer.items()
            arguments.update(patch.get(arguments["name"], {}))
        return layers
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return patch
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in patch.items()}}


def paths(patch: dict[str, Any], before: tuple[str, ...] = ()) -> list[str]:
    """A patch as overrides, a place each."""
    return [
        text
        for key, value in patch.items()
        for text in (
            paths(value, (*before, key)) if isinstance(value, dict) else [f"{'.'.join((*before, key))}={json.dumps(value)}"]
        )
    ]  # fmt: skip


def digests(program: Program) -> list[Any]:
    """All that a cell's numbers hang on."""
    return [
        training_digest(program),
        *((measure.name, measure_digest(program, measure)) for measure in program.measures),
        program.replicates,
        program.seed,
        program.training.steps if program.training is not None else 0,
    ]


def programs(study: dict[str, Any], profile: str | None = None, overrides: list[str] | None = None) -> list[Program]:
    document = spec.parse(Source("s", json.dumps({"dlspec": 1, "study": "s", **study})))
    plan = spec.resolve(document, profile, [Override.read(text) for text in overrides or ()], ())
    return [program for experiment in plan.experiments if experiment.name == "e" for program in experiment.programs]


@pytest.mark.parametrize("seed", range(STUDIES))
def test_each_cell_is_what_a_plain_merge_gives(seed: int) -> None:
    pick = random.Random(seed)
    derived = change(pick, set()) if pick.random() < 0.4 else {}
    with_axis = pick.random() < 0.5
    variants: dict[str, Any] = {"empty": {}, "full": change(pick, {"steps"} if with_axis else set())}
    axis: dict[str, Any] = {"none": {}, "some": {"training": {"steps": 35}}} if with_axis else {}
    general = change(pick, set()) if pick.random() < 0.6 else {}
    special = {name: change(pick, set()) for name in variants if pick.random() < 0.4}
    overrides: list[tuple[str | None, dict[str, Any]]] = [
        (pick.choice([None, None, *variants]), change(pick, set())) for _ in range(pick.randrange(4))
    ]
    profile = merged(general, {"variants": special}) if special else general

    experiment = {**BASE, "variants": variants, **({"sweep": {"axis": axis}} if axis else {})}
    if derived:
        study: dict[str, Any] = {"experiments": {"b": experiment, "e": {"base": "b", **derived}}}
        plain = merged(BASE, derived)
    else:
        study, plain = {"experiments": {"e": experiment}}, BASE
    if profile:
        study["profiles"] = {"p": {"experiments": {"e": profile}}}
    words = [
        f"e.variants.{variant}.{text}" if variant else f"e.{text}" for variant, patch in overrides for text in paths(patch)
    ]  # fmt: skip
    found = programs(study, "p" if profile else None, words)
    assert len(found) == len(variants) * max(1, len(axis))
    for program in found:
        cell = merged(plain, variants[program.variant])
        cell = merged(cell, axis[str(program.point["axis"])]) if axis else cell
        cell = merged(merged(cell, general), special.get(program.variant, {}))
        for variant, patch in overrides:
            cell = merged(cell, patch) if variant in (None, program.variant) else cell
        (alone,) = programs({"experiments": {"e": cell}})
        assert digests(program) == digests(alone), (program.name, words)

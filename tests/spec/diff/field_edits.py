"""An edit of each field of the models: a study that has them all, and another value for each."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import yaml
from dlspec.spec.model import base, experiment, figures, layers, study, task
from dlspec.spec.model.base import Closed, OneOf

STUDY = """
dlspec: 1
study: fields
title: All fields
source: {paper: "arXiv:1703.07950", section: 1, figure: 2, url: "https://example.org"}
about: A study that has all fields.
experiments:
  root: {measures: {one: 1}}
  counted: {task: {data: {enumerate: s}, example: {s: rademacher(), y: s}}, measures: {mean: E(y)}}
  swept:
    constants: {k: 1, m: 1, p: 1, q: 1, r: 1}
    sweep: {k: [1, 2], m: [1, 2], p: [1], q: [1], r: [1]}
    measures: {size: k + m + p + q + r, other: k}
    figures: {scaling: {kind: scaling, x: k, y: size}, heatmap: {kind: heatmap, z: size, x: k, y: m}}
  filed:
    task: {data: {file: tests/spec/diff/files/rows.csv, train: 6}, example: {x: rows.x, y: rows.y}}
    measures: {mean: E(x + y)}
  rounded:
    weights: bfloat16
    loss_scale: 512
    task: {example: {x: "normal([2])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [{dense: 1}]}}
    loss: {fit: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 5}
    measures: {size: E(f^2)}
  staged:
    task: {example: {x: "normal([2])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [{dense: 1}]}, g: {input: x, layers: [{dense: 1}]}}
    loss: {fit: {of: (f - y)^2, trains: [f]}, more: (f + g - y)^2}
    training:
      optimizer: {sgd: 0.1}
      batch: 4
      phases:
        a: {steps: 5}
        b: {steps: 6, times: 2, gradient: {f: {scale: 2}}, loss: {fit: abs(f - y), more: abs(f + g - y)}, updates: {all: {networks: [f, g], loss: [fit, more]}}}
      updates: {one: {networks: [f], loss: [fit]}, two: {networks: [g], loss: [more]}}
    estimates: {taken: {after: a, of: E(f^2), examples: 50}}
    measures: {size: E(f + g) + taken}
  e:
    constants: {d: 3, k: 2, half: 0.5}
    functions: {soft(u): tanh(u)}
    task:
      data: {train: 20, test: 30, validation: 12}
      draw: {v: "normal([d])"}
      example: {x: "normal([d])", s: rademacher(), y: "half * dot(v, x)", z: "normal([4, 4])", word: "integer(3, [2])"}
      statistics: {spread: E(s * y)}
      tests: {far: {s: 2 * rademacher()}}
    architecture:
      f: {input: x, layers: [{dense: {units: 4, activation: soft}}, {repeat: {name: block, times: k, layers: [{dense: 4}]}}, {dense: 1}]}
      g: {input: "[s]", layers: [{dense: 1}]}
      h: {input: "[[x[0]], [x[1]]]", each: 2, layers: [{dense: 1}]}
      r: {input: word, copies: 2, layers: [{embedding: {input_dim: 3, output_dim: 2}}, {simple_rnn: 2}, {dense: 1}]}
      free: {parameter: [2, 2], initializer: ones}
    outputs: {guess: f + g}
    loss: {fit: (guess - y)^2, small: {of: "sum(f.weights^2)", weight: 0.1}}
    gradient: {g: {clip: 1}}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 40, evaluate: {every: 10}}
    measures:
      error: E((guess - y)^2)
      other: {of: E(abs(guess - y)), "on": test, mode: inference}
      untrained: E(h[0] + h[1] + sum(r))
      of_far: {of: E(g), "on": far}
      validated: {of: E(f), "on": validation}
      freed: sum(free^2)
      all: E(x)
      squares: E(x^2)
      spread_taken: spread
    replicates: 3
    variants: {one: {}, two: {training: {batch: 5}}}
    claims: {learns: {says: It learns., check: "final(error) <= 1"}, more: {says: More., check: "final(other) <= 1"}}
    figures:
      curves: {kind: curves, y: error}
      function: {kind: function, x: "dot(v, x)", y: {target: y}}
      bars: {kind: bars, y: error}
      examples: {kind: examples, y: {input: x}}
      images: {kind: images, image: z}
      scatter: {kind: scatter, y: {data: word}}
      profile: {kind: profile, y: all}
      histogram: {kind: histogram, y: all}
profiles:
  quick:
    about: Fast.
    experiments: {e: {training: {steps: 20}}}
"""
REMOVED: Any = object()
"""The edit that takes a field away."""
Path = tuple[str | int, ...]
E: Path = ("experiments", "e")
SWEPT: Path = ("experiments", "swept")
FILED: Path = ("experiments", "filed", "task", "data")
ROUNDED: Path = ("experiments", "rounded")
STAGED: Path = ("experiments", "staged")
PHASES: Path = (*STAGED, "training", "phases")
UPDATES: Path = (*STAGED, "training", "updates")
LAYER: Path = ("architecture", "f", "layers")
FREE: Path = (*E, "architecture", "free")
EDITS: dict[str, tuple[Path, Any]] = {
    "Origin.paper": (("source", "paper"), "arXiv:1"), "Origin.section": (("source", "section"), 3),
    "Origin.figure": (("source", "figure"), 3), "Origin.url": (("source", "url"), REMOVED),
    "Study.study": (("study",), "others"), "Study.title": (("title",), "Fields"), "Study.source": (("source",), REMOVED),
    "Study.about": (("about",), REMOVED), "Study.layer_defaults": (("layer_defaults",), {"use_bias": False}),
    "Study.experiments": (("experiments", "new"), {"measures": {"one": 1}}),
    "Study.profiles": (("profiles", "new"), {"experiments": {"e": {"replicates": 2}}}),
    "Profile.about": (("profiles", "quick", "about"), "Faster."),
    "Profile.experiments": (("profiles", "quick", "experiments", "root"), {"replicates": 2}),
    "Experiment.about": ((*E, "about"), "What it shows."), "Experiment.base": (("experiments", "root", "base"), "counted"),
    "Experiment.dtype": ((*E, "dtype"), "float64"), "Experiment.weights": ((*ROUNDED, "weights"), "float16"),
    "Experiment.state": ((*ROUNDED, "state"), "float32"), "Experiment.loss_scale": ((*ROUNDED, "loss_scale"), 1024),
    "Experiment.seed": ((*E, "seed"), 1),
    "Experiment.constants": ((*E, "constants", "half"), 0.25), "Experiment.sweep": ((*SWEPT, "sweep", "k"), [1, 2, 3]),
    "Experiment.zip": ((*SWEPT, "zip"), [["k", "m"]]), "Experiment.functions": ((*E, "functions", "soft(u)"), "relu(u)"),
    "Experiment.task": ((*E, "task", "example", "y"), "sum(x)"),
    "Experiment.architecture": ((*E, *LAYER, 0, "dense", "units"), 5),
    "Experiment.layer_defaults": ((*E, "layer_defaults"), {"kernel_initializer": "zeros"}),
    "Experiment.estimates": ((*STAGED, "estimates", "taken"), {"after": "a", "of": "E(f)", "examples": 5}),
    "Estimate.after": ((*STAGED, "estimates", "taken", "after"), "b"), "Estimate.of": ((*STAGED, "estimates", "taken", "of"), "E(abs(f))"),
    "Estimate.examples": ((*STAGED, "estimates", "taken", "examples"), 60),
    "Experiment.outputs": ((*E, "outputs", "guess"), "f - g"), "Experiment.loss": ((*E, "loss", "fit"), "abs(guess - y)"),
    "Experiment.gradient": ((*E, "gradient", "g"), "stop"), "Experiment.training": ((*E, "training", "steps"), 50),
    "Experiment.measures": ((*E, "measures", "error"), "E(abs(guess - y))"), "Experiment.replicates": ((*E, "replicates"), 4),
    "Experiment.variants": ((*E, "variants", "two"), {"training": {"batch": 6}}),
    "Experiment.claims": ((*E, "claims", "more", "check"), "final(other) > 0"),
    "Experiment.figures": ((*E, "figures", "bars", "y"), "other"),
    "Data.train": ((*E, "task", "data", "train"), 25), "Data.test": ((*E, "task", "data", "test"), 35),
    "Data.validation": ((*E, "task", "data", "validation"), 45),
    "Data.order": ((*E, "task", "data", "order"), "with_replacement"),
    "Data.enumerate": (("experiments", "counted", "task", "data"), {"test": 8}),
    "Data.file": ((*FILED, "file"), "tests/spec/diff/files/other/rows.csv"),
    "Data.files": (FILED, {"files": {"rows": "tests/spec/diff/files/other/rows.csv"}, "train": 6}),
    "Data.redraw": ((*E, "task", "data", "redraw"), ["x"]),
    "Data.once": (("experiments", "filed", "task"), {
        "data": {"file": "tests/spec/diff/files/rows.csv", "train": 6, "once": ["n"]},
        "example": {"x": "rows.x + n", "y": "rows.y", "n": "normal()"},
    }),
    "Data.missing": ((*FILED, "missing"), ["z"]), "Data.stratify": ((*FILED, "stratify"), "y"),
    "Data.group": (FILED, {"file": "tests/spec/diff/files/rows.csv", "train": 6, "group": "g"}),
    "Task.data": (("experiments", "counted", "task", "data"), "fresh"), "Task.draw": ((*E, "task", "draw", "v"), "uniform(-1, 1, [d])"),
    "Task.example": ((*E, "task", "example", "x"), "uniform(-1, 1, [d])"),
    "Task.statistics": ((*E, "task", "statistics", "spread"), "E(s * y^2)"),
    "Task.tests": ((*E, "task", "tests", "far", "s"), "3 * rademacher()"),
    "Network.input": ((*E, "architecture", "f", "input"), "2 * x"),
    "Network.each": ((*E, "architecture", "h", "each"), REMOVED), "Network.copies": ((*E, "architecture", "r", "copies"), 3),
    "Network.layers": ((*E, *LAYER, 2), {"dense": {"units": 1, "activation": "tanh"}}),
    "FreeParameter.parameter": ((*FREE, "parameter"), [2, 3]), "FreeParameter.initializer": ((*FREE, "initializer"), "zeros"),
    "FreeParameter.constraint": ((*FREE, "constraint"), "non_neg"),
    "Repeat.name": ((*E, *LAYER, 1, "repeat", "name"), "part"), "Repeat.times": ((*E, *LAYER, 1, "repeat", "times"), 3),
    "Repeat.layers": ((*E, *LAYER, 1, "repeat", "layers"), [{"dense": 5}]),
    "Repeat.skip": ((*E, *LAYER, 1, "repeat", "skip"), True), "Repeat.share": ((*E, *LAYER, 1, "repeat", "share"), True),
    "Repeat.activation": ((*E, *LAYER, 1, "repeat", "activation"), "tanh"),
    "LossTerm.of": ((*E, "loss", "small", "of"), "sum(abs(f.weights))"),
    "LossTerm.weight": ((*E, "loss", "small", "weight"), 0.2),
    "MeasureOf.of": ((*E, "measures", "other", "of"), "E(guess)"), "MeasureOf.on": ((*E, "measures", "other", "on"), "train"),
    "MeasureOf.mode": ((*E, "measures", "other", "mode"), "training"),
    "Evaluate.every": ((*E, "training", "evaluate", "every"), 20), "Evaluate.at": ((*E, "training", "evaluate", "at"), [3]),
    "Evaluate.log": ((*E, "training", "evaluate"), {"log": 4}),
    "Training.optimizer": ((*E, "training", "optimizer"), {"adam": 0.1}), "Training.batch": ((*E, "training", "batch"), 7),
    "Training.steps": ((*E, "training", "steps"), 30), "Training.evaluate": ((*E, "training", "evaluate"), {"every": 5}),
    "LossTerm.trains": ((*STAGED, "loss", "fit", "trains"), REMOVED), "Training.phases": ((*PHASES, "a"), {"steps": 4, "batch": 3}),
    "TrainingPhase.steps": ((*PHASES, "a", "steps"), 7), "TrainingPhase.times": ((*PHASES, "b", "times"), 3),
    "TrainingPhase.loss": ((*PHASES, "b", "loss", "fit"), "abs(f - 2 * y)"),
    "TrainingPhase.optimizer": ((*PHASES, "a", "optimizer"), {"adam": 0.1}), "TrainingPhase.batch": ((*PHASES, "b", "batch"), 5),
    "TrainingPhase.updates": ((*PHASES, "b", "updates", "all"), {"networks": ["g", "f"], "loss": ["fit", "more"], "times": 2}),
    "TrainingPhase.until": ((*PHASES, "b", "until"), "size < 1"),
    "TrainingPhase.gradient": ((*PHASES, "b", "gradient", "f"), {"scale": 0.5}),
    "TrainingPhase.restart": ((*PHASES, "b", "restart"), ["optimizer"]),
    "Training.updates": ((*UPDATES, "two"), {"networks": ["g"], "loss": ["more"], "times": 3}),
    "TrainingUpdate.networks": ((*UPDATES, "two", "networks"), ["f", "g"]),
    "TrainingUpdate.loss": ((*UPDATES, "one", "loss"), ["fit", "more"]),
    "TrainingUpdate.optimizer": ((*UPDATES, "one", "optimizer"), {"adam": 0.1}), "TrainingUpdate.times": ((*UPDATES, "two", "times"), 2),
    "Training.until": ((*E, "training", "until"), "error < 0.1"),
    "Claim.says": ((*E, "claims", "learns", "says"), "It does."),
    "Claim.check": ((*E, "claims", "learns", "check"), "final(error) <= 2"),
    "Claim.judge": ((*E, "claims", "learns", "judge"), "mean"), "Claim.family": ((*E, "claims", "learns", "family"), "all"),
    "ColourScale.z": ((*SWEPT, "figures", "heatmap", "scale"), {"z": "log"}),
    "Scale.x": ((*E, "figures", "curves", "scale"), {"x": "log"}), "Scale.y": ((*E, "figures", "bars", "scale"), {"y": "log"}),
    **{f"LayerDefaults.{name}": ((*where, "layer_defaults", name), False if name == "use_bias" else "he_normal")
       for where in ((), E) for name in layers.LayerDefaults.model_fields},
}  # fmt: skip
"""A change of each field of the models that are written by hand; figures have theirs below."""
FIGURE_EDITS: Mapping[str, Any] = {
    "title": "A title", "caption": "See.", "panel": "variant", "where": "variant == one",
    "colour": "variant", "scale": {"y": "log"}, "examples": 9, "steps": [10, 20], "zoom": [-1, 1], "fit": "power", "count": 2, "rows": "s", "reference": {"half": 0.5},
}  # fmt: skip
ON_AXES: Mapping[str, Any] = {"panel": "m", "colour": "m", "where": "k == 1"}
"""What a figure of swept constants says of axes."""
OF_KIND: Mapping[str, Any] = {
    "curves.y": "other", "bars.y": ["error", "other"], "scaling.y": "other", "function.y": {"target": "2 * y"}, "examples.y": {"input": "2 * x"},
    "scatter.y": {"data": "2 * word"}, "scatter.replicates": "all", "profile.y": ["all", "squares"], "profile.x": "squares", "profile.replicates": "all",
    "profile.steps": [0, 20], "histogram.y": ["all", "error"], "histogram.bins": 7,
    "heatmap.z": "other", "heatmap.x": "p", "heatmap.y": "q", "heatmap.panel": "r", "heatmap.scale": {"z": "log"},
    "function.x": "sum(x)", "scaling.x": "m", "examples.x": "2 * x", "images.image": "2 * z",
}  # fmt: skip
NEUTRAL: Mapping[str, str] = {
    "Data.header": "without it columns have other names, and expressions with them",
    "Study.dlspec": "the version of the language is 1, and no other is taken",
    "Evaluate.examples": "not read where data are finite; `task.data` has the number (the pairs have it where it is read)",
    **{
        f"{kind.__name__}.kind": "another kind is another model, with fields of its own"
        for kind in figures.FIGURES.values()
    },
}
"""Fields that have no other value which could be told, each with the reason."""


def edits() -> Iterator[tuple[str, Path, Any]]:
    """Each field as `Model.field`, with the path and the value of its edit."""
    for name, (path, value) in EDITS.items():
        yield name, path, value
    for kind, model in figures.FIGURES.items():
        for name in model.model_fields:
            if name != "kind":
                value = OF_KIND.get(f"{kind}.{name}", FIGURE_EDITS.get(name))
                where = SWEPT if kind in ("scaling", "heatmap") else E
                yield (
                    f"{model.__name__}.{name}",
                    (*where, "figures", kind, name),
                    ON_AXES.get(name, value) if where is SWEPT and f"{kind}.{name}" not in OF_KIND else value,
                )


def written_by_hand() -> set[str]:
    """All fields of the models of a study, but for those that are made from tables."""
    found: set[str] = set()
    for module in (base, experiment, figures, layers, study, task):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, Closed) and not issubclass(model, OneOf):
                found |= {f"{model.__name__}.{name}" for name in model.model_fields}
    return {name for name in found if not name.startswith("Figure.")}


@cache
def base_document() -> Any:
    """The study that has them."""
    return yaml.safe_load(STUDY)


def edited(document: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of a document with another value at a path."""
    changed = copy.deepcopy(document)
    node = changed
    for step in path[:-1]:
        node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
    if value is REMOVED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


def in_profile(document: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of a document in which its profile changes an experiment where the path leads to."""
    (_, name, *steps) = path
    whole: Any = None
    places = [place for place, step in enumerate(steps) if isinstance(step, int)]
    if places:  # a list is replaced whole
        inner = edited(document, path, value)
        for step in path[: 2 + places[0]]:
            inner = inner[step]
        steps, whole = steps[: places[0]], inner
    patch = ["profiles", "quick", "experiments", str(name), *steps]
    return edited(document, patch, whole if whole is not None else None if value is REMOVED else value)


def text(document: Any) -> str:
    """A document as YAML."""
    return str(yaml.safe_dump(document, sort_keys=False))

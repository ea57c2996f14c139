"""Random studies with profiles, sweeps and derived experiments, and random edits of one place of them."""

from __future__ import annotations

import copy
import random
from typing import Any

Edit = tuple[str, tuple[str, ...], Any]
"""The class of a value, its path within an experiment, and another value; None takes it away."""
EDITS: tuple[Edit, ...] = (
    ("task", ("constants", "offset"), 11),
    ("task", ("task", "draw", "b"), "uniform()"),
    ("task", ("task", "draw", "v"), "laplace(0, 1, [dim])"),
    ("task", ("task", "example", "x"), "uniform(0, 2, [dim])"),
    ("task", ("task", "example", "y"), "sum(x) + b"),
    ("task", ("task", "data"), {"train": 17}),
    ("task", ("task", "data"), {"train": 17, "test": 23}),
    ("task", ("task", "data"), {"train": 17, "order": "with_replacement"}),
    ("architecture", ("architecture", "f", "input"), "2 * x"),
    ("architecture", ("architecture", "f", "layers"), [{"dense": {"units": 12, "activation": "elu"}}, {"dense": 1}]),
    ("architecture", ("architecture", "f", "layers"), [{"dense": {"units": 1, "use_bias": False}}]),
    ("architecture", ("layer_defaults",), {"bias_initializer": 0.5}),
    ("loss", ("loss", "squared"), "(f - y)^6"),
    ("loss", ("loss", "squared"), {"of": "(f - y)^2", "weight": "1 / (1 + step)"}),
    ("loss", ("loss", "more"), "0.1 * f^2"),
    ("gradient", ("gradient",), {"f": "freeze"}),
    ("gradient", ("gradient",), {"f": {"clip": 0.5}}),
    ("training", ("training", "batch"), 19),
    ("training", ("training", "steps"), 41),
    ("training", ("training", "optimizer"), {"rmsprop": 0.02}),
    ("training", ("training", "optimizer"), {"adam": {"learning_rate": 0.01, "beta_1": 0.5}}),
    ("training", ("training", "until"), "error < 0.01"),
    ("training", ("seed",), 5),
    ("training", ("dtype",), "float64"),
    ("measure", ("training", "evaluate"), {"every": 7}),
    ("measure", ("training", "evaluate"), {"examples": 7}),
    ("measure", ("training", "evaluate"), {"at": [3, 13]}),
    ("measure", ("measures", "error"), "E(abs(guess - y))"),
    ("measure", ("measures", "near"), {"of": "E(gap(guess, y) < half)", "on": "train"}),
    ("measure", ("measures", "more"), "E(y)"),
    ("measure", ("replicates",), 4),
    ("claim", ("claims", "learns", "check"), "final(error) <= 100"),
    ("claim", ("claims", "learns", "check"), "lowest(error) <= 1 and final(near) > 0"),
    ("claim", ("claims", "learns", "judge"), "mean"),
    ("claim", ("claims", "learns", "family"), None),
    ("claim", ("claims", "both"), None),
    ("claim", ("claims", "new"), {"says": "So.", "check": "final(near) > 0.1"}),
    ("cells", ("variants", "cut"), None),
    ("cells", ("variants", "new"), {"training": {"steps": 77}}),
    ("cells", ("sweep", "n"), [1, 2, 5]),
    ("cells", ("sweep", "n"), [2]),
    ("cells", ("zip",), [["n", "k"]]),
    ("figure", ("figures", "curves", "y"), ["error", "near"]),
    ("figure", ("figures", "shape", "steps"), [10]),
    ("figure", ("figures", "shape", "examples"), 9),
    ("text", ("about",), "What it is."),
)  # fmt: skip


def study(some: random.Random) -> Any:
    """A small valid study of random sizes, expressions, variants, claims and profiles."""
    number = lambda: some.randint(2, 9)  # noqa: E731
    activation = lambda: some.choice(["relu", "tanh", "sigmoid"])  # noqa: E731
    hidden = [{"dense": {"units": number(), "activation": activation()}} for _ in range(some.randint(0, 2))]
    target = some.choice(["dot(v, x) + b", "step(dot(v, x))", "gap(x[0], b) * half", "max(x) - b / half", "n * x[0]"])
    experiment: dict[str, Any] = {
        "constants": {"dim": number(), "half": some.choice([0.5, 0.25, 2.0]), "offset": number(), "n": 1, "k": 1},
        "functions": {"gap(p, q)": some.choice(["(p - q)^2", "abs(p - q)"]), "step(r)": "floor(offset * r) / offset"},
        "task": {
            "draw": {"v": "normal([dim])", "b": "normal()"},
            "example": {"x": some.choice(["normal([dim])", "uniform(0, 1, [dim])", "k * normal([dim])"]), "y": target},
        },
        "architecture": {"f": {"input": "x", "layers": [*hidden, {"dense": 1}]}},
        "outputs": {"guess": some.choice(["f", "step(f)", "f + offset", "n * f"])},
        "loss": {"squared": some.choice(["(f - y)^2", "abs(f - y)", "gap(f, y)", "huber(f, y, half)"])},
        "training": {
            "optimizer": {some.choice(["adam", "sgd"]): {"learning_rate": 0.01}}, "batch": number(), "steps": 50,
            "evaluate": {"every": some.choice([5, 10])},
        },
        "measures": {"error": "E((guess - y)^2)", "near": "E(gap(guess, y) < half)"},
        "replicates": number(),
        "variants": {"plain": {}, "cut": {"gradient": {"f": "stop"}}, "longer": {"training": {"steps": some.randint(60, 90)}}},
        "claims": {
            "learns": {"says": "It learns.", "check": f"final(error, variant == plain) <= {number()}", "family": "f"},
            "both": {"says": "So.", "check": f"{some.choice(['lowest', 'highest'])}(near) < 0.{number()}", "family": "f"},
        },
        "figures": {"curves": {"kind": "curves", "y": "error"}, "shape": {"kind": "function", "x": "x[0]", "y": {"f": "f"}}},
    }  # fmt: skip
    experiments = {"e": experiment}
    patched = ["e"]
    if some.random() < 0.5:
        experiment["sweep"] = {"n": [1, 2, 3][: some.randint(1, 3)]}
        if some.random() < 0.5:
            experiment["sweep"]["k"] = [1, 2, 3][: len(experiment["sweep"]["n"])]
            if some.random() < 0.5:
                experiment["zip"] = [["n", "k"]]
    if some.random() < 0.3:
        experiments["derived"] = {"base": "e", "training": {"steps": 35}, "claims": {"both": None}}
        patched.append("derived")
    profiles = {}
    for name in ("quick", "large")[: some.randint(1, 2)]:
        patch: dict[str, Any] = {"training": {"steps": some.randint(5, 200)}}
        if some.random() < 0.5:
            patch["replicates"] = some.randint(1, 20)
        if some.random() < 0.3:
            patch["claims"] = {"both": some.choice([None, {"check": "final(near) < 0.9"}, {"judge": "mean"}])}
        if some.random() < 0.2:
            patch["variants"] = {"cut": None}
        profiles[name] = {"experiments": {some.choice(patched): patch}}
    return {"dlspec": 1, "study": "random", "experiments": experiments, "profiles": profiles}


def edited(document: Any, edit: Edit, profile: str = "", experiment: str = "e") -> Any:
    """A copy of a study with one edit, in an experiment or in what a profile says of it."""
    changed = copy.deepcopy(document)
    _, (*steps, last), value = edit
    node = changed["experiments"][experiment]
    if profile:
        node = changed["profiles"][profile]["experiments"].setdefault(experiment, {})
    for step in steps:
        if not isinstance(node.get(step), dict):
            node[step] = {}
        node = node[step]
    if value is None and not profile and experiment == "e":
        node.pop(last, None)
    else:
        node[last] = value
    return changed

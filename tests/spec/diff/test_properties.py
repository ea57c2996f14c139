"""Random studies: rewrites that keep the meaning leave no difference, and an edit is named by its path."""

from __future__ import annotations

import random
import re
from typing import Any

import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """A small valid study of random sizes, expressions, variants and claims."""
    number = st.integers(2, 9)
    width, depth = draw(number), draw(st.integers(0, 2))
    activation = st.sampled_from(["relu", "tanh", "sigmoid"])
    target = draw(st.sampled_from(["dot(v, x) + b", "step(dot(v, x))", "gap(x[0], b) * half", "max(x) - b / half"]))
    loss = draw(st.sampled_from(["(f - y)^2", "abs(f - y)", "gap(f, y)", "huber(f, y, half)"]))
    experiment: dict[str, Any] = {
        "constants": {"dim": draw(number), "half": draw(st.sampled_from([0.5, 0.25, 2.0])), "offset": draw(number)},
        "functions": {
            "gap(p, q)": draw(st.sampled_from(["(p - q)^2", "abs(p - q)"])),
            "step(r)": "floor(offset * r) / offset",
        },
        "task": {
            "draw": {"v": "normal([dim])", "b": "normal()"},
            "example": {
                "x": draw(st.sampled_from(["normal([dim])", "uniform(0, 1, [dim])", "normal([dim]) / dim"])),
                "y": target,
            },
        },
        "architecture": {
            "f": {
                "input": "x",
                "layers": [{"dense": {"units": width, "activation": draw(activation)}} for _ in range(depth)]
                + [{"dense": 1}],
            }
        },
        "outputs": {"guess": draw(st.sampled_from(["f", "step(f)", "f + offset"]))},
        "loss": {"squared": loss},
        "training": {
            "optimizer": {draw(st.sampled_from(["adam", "sgd"])): {"learning_rate": 0.01}},
            "batch": draw(number),
            "steps": 50,
        },
        "measures": {"error": "E((guess - y)^2)", "near": "E(gap(guess, y) < half)"},
        "variants": {
            "plain": {},
            "cut": {"gradient": {"f": "stop"}},
            "longer": {"training": {"steps": draw(st.integers(60, 90))}},
        },
        "claims": {"learns": {"says": "It learns.", "check": f"final(error, variant == plain) <= {draw(number)}"}},
    }
    return {"dlspec": 1, "study": "random", "experiments": {"e": experiment}}


def text_of(document: Any, seed: int = 0) -> str:
    """The document as YAML: with a seed, in another order of keys, other styles and with comments."""
    if not seed:
        return str(yaml.safe_dump(document, sort_keys=False))
    shuffle = random.Random(seed)

    def shuffled(node: Any) -> Any:
        if isinstance(node, dict):
            keys = list(node)
            shuffle.shuffle(keys)
            return {key: shuffled(node[key]) for key in keys}
        return [shuffled(item) for item in node] if isinstance(node, list) else node

    text = yaml.safe_dump(
        shuffled(document), sort_keys=False, default_flow_style=bool(seed % 2), width=10_000 if seed % 2 else 60
    )
    return f"# a comment\n\n{text}# another\n"


def spaced(node: Any, chance: random.Random) -> Any:
    """Expressions with other spaces and with brackets that change nothing."""
    if isinstance(node, dict):
        return {
            key: spaced(value, chance) if key not in ("says", "activation", "optimizer", "layers") else value
            for key, value in node.items()
        }
    if isinstance(node, str) and re.search(r"[-+*/^(]", node) and chance.random() < 0.7:
        wide = re.sub(r"\s*([*/^,+])\s*", lambda m: f"  {m[1]} ", node)
        return f"({wide})" if chance.random() < 0.5 else wide
    return node


def renamed(document: Any, old: str, new: str) -> Any:
    """A document with one name written otherwise wherever it stands as a word."""
    return yaml.safe_load(re.sub(rf"\b{old}\b", new, yaml.safe_dump(document, sort_keys=False, width=10_000)))


def with_defaults(document: Any) -> Any:
    """A document with defaults written out, and short forms long."""
    found = yaml.safe_load(yaml.safe_dump(document))
    e = found["experiments"]["e"]
    e["seed"], e["dtype"], e["replicates"] = 0, "float32", 1
    e["training"]["evaluate"] = {"examples": 1000, "every": 1}
    e["architecture"]["f"]["layers"][-1] = {
        "dense": {"units": 1, "use_bias": True, "kernel_initializer": "glorot_uniform"}
    }
    e["measures"]["error"] = {"of": e["measures"]["error"], "on": "test"}
    e["loss"]["squared"] = {"of": e["loss"]["squared"], "weight": 1}
    e["gradient"] = {"step": "exact"}
    e["variants"]["longer"]["training"]["evaluate"] = {"every": 2}
    return found


def digests(text: str) -> list[str]:
    plan = spec.resolve(spec.parse(Source("s.yaml", text)))
    return sorted(program.digest for experiment in plan.experiments for program in experiment.programs)


def difference(before: str, after: str) -> StudyDiff:
    return compare(spec.parse(Source("a.yaml", before)), spec.parse(Source("b.yaml", after)))


@SLOW
@given(
    studies(),
    st.integers(1, 1000),
    st.sampled_from([None, "half", "offset", "gap", "step", "guess", "longer", "near"]),
    st.booleans(),
)
def test_rewrites_that_keep_the_meaning_leave_no_difference(
    document: Any, seed: int, name: str | None, defaults: bool
) -> None:
    before = text_of(document)
    changed = with_defaults(document) if defaults else document
    changed = spaced(changed, random.Random(seed))
    changed = renamed(changed, name, f"{name}_2") if name else changed
    after = text_of(changed, seed)
    diff = difference(before, after)
    assert diff.same
    assert [change.before for change in diff.changes] == ([name] if name else [])
    assert all(change.action == "renamed" for change in diff.changes)
    assert digests(before) == digests(after)


EDITS: dict[str, tuple[tuple[str, ...], Any]] = {
    "constants.half": (("constants", "half"), 3),
    "constants.dim": (("constants", "dim"), 11),
    "functions.gap": (("functions", "gap(p, q)"), "(p - q)^4"),
    "functions.step": (("functions", "step(r)"), "ceil(offset * r)"),
    "task.draw.b": (("task", "draw", "b"), "uniform()"),
    "task.example.x": (("task", "example", "x"), "laplace(0, 1, [dim])"),
    "task.example.y": (("task", "example", "y"), "sum(x) + b"),
    "architecture.f.input": (("architecture", "f", "input"), "2 * x"),
    "outputs.guess": (("outputs", "guess"), "f - half"),
    "loss.squared": (("loss", "squared"), "(f - y)^6"),
    "loss.more": (("loss", "more"), "0.1 * f^2"),
    "gradient.step": (("gradient", "step"), {"scale": 2}),
    "training.batch": (("training", "batch"), 17),
    "training.evaluate.examples": (("training", "evaluate"), {"examples": 7}),
    "measures.error": (("measures", "error"), "E(abs(guess - y))"),
    "measures.more": (("measures", "more"), "E(y)"),
    "claims.learns.check": (("claims", "learns", "check"), "final(error, variant == plain) <= 100"),
    "claims.learns.says": (("claims", "learns", "says"), "It learns well."),
    "seed": (("seed",), 5),
    "replicates": (("replicates",), 4),
    "dtype": (("dtype",), "float64"),
    "about": (("about",), "What it is."),
}


@SLOW
@given(studies(), st.sampled_from(sorted(EDITS)), st.integers(0, 1000))
def test_a_single_edit_is_named_by_its_path(document: Any, name: str, seed: int) -> None:
    (*steps, last), value = EDITS[name]
    changed = yaml.safe_load(yaml.safe_dump(document))
    node = changed["experiments"]["e"]
    for step in steps:
        node = node.setdefault(step, {})
    node[last] = value
    diff = difference(text_of(document), text_of(changed, seed))
    assert [change.label for change in diff.changes] == [f"e.{name}"]
    (change,) = diff.changes
    trained = sorted(digests(text_of(document))) != sorted(digests(text_of(changed)))
    assert change.factor == trained
    assert diff.headline.startswith("one factor") <= trained

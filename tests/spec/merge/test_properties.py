"""Random studies and edits: what a merge of them is, whatever they are."""

from __future__ import annotations

import copy
import random
import re
from typing import Any

import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.merge import merged
from dlspec.spec.merge.pieces import comments_in
from dlspec.spec.merge.reading import pieces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BASE: dict[str, Any] = {
    "dlspec": 1,
    "study": "random",
    "experiments": {
        "e": {
            "constants": {"dim": 4, "half": 0.5, "offset": 3},
            "functions": {"gap(p, q)": "(p - q)^2", "step(r)": "floor(offset * r) / offset"},
            "task": {"draw": {"v": "normal([dim])", "b": "normal()"}, "example": {"x": "normal([dim])", "y": "dot(v, x) + b"}},
            "architecture": {
                "f": {"input": "x", "layers": [{"dense": {"units": 5, "activation": "relu"}}, {"dense": 3}, {"dense": 1}]}
            },
            "outputs": {"guess": "f + offset"},
            "loss": {"squared": "(f - y)^2"},
            "training": {"optimizer": {"adam": 0.01}, "batch": 8, "steps": 50, "evaluate": {"every": 10, "at": [5, 25]}},
            "measures": {"error": "E((guess - y)^2)", "near": {"of": "E(gap(guess, y) < half)", "on": "test"}},
            "replicates": 2,
            "variants": {"plain": {}, "cut": {"gradient": {"f.dense_1": "stop"}}, "longer": {"training": {"steps": 70}}},
            "claims": {"learns": {"says": "It learns.", "check": "final(error, variant == plain) <= 9"}},
            "figures": {"error": {"kind": "curves", "y": ["error", "near"]}},
        }
    },
    "profiles": {"quick": {"about": "In short.", "experiments": {"e": {"training": {"steps": 20}}}}},
}  # fmt: skip
GONE = object()
EDITS: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "constant": (("constants", "half"), 0.25),
    "another constant": (("constants", "offset"), 5),
    "new constant": (("constants", "more"), "dim + 1"),
    "function": (("functions", "gap(p, q)"), "abs(p - q)"),
    "draw": (("task", "draw", "b"), "uniform()"),
    "example": (("task", "example", "x"), "normal([dim]) / dim"),
    "units": (("architecture", "f", "layers", 0, "dense", "units"), 7),
    "activation": (("architecture", "f", "layers", 0, "dense", "activation"), "tanh"),
    "short layer": (("architecture", "f", "layers", 1, "dense"), 4),
    "input": (("architecture", "f", "input"), "2 * x"),
    "output": (("outputs", "guess"), "f - half"),
    "loss": (("loss", "squared"), "(f - y)^4"),
    "loss term": (("loss", "small"), {"of": "f^2", "weight": 0.1}),
    "rate": (("training", "optimizer"), {"adam": {"learning_rate": 0.02}}),
    "batch": (("training", "batch"), 16),
    "steps": (("training", "steps"), 60),
    "every": (("training", "evaluate", "every"), 5),
    "at": (("training", "evaluate", "at"), [5, 25, 40]),
    "measure": (("measures", "error"), "E(abs(guess - y))"),
    "of": (("measures", "near", "of"), "E(gap(guess, y) < 2 * half)"),
    "new measure": (("measures", "spread"), "E(y^2)"),
    "replicates": (("replicates",), 3),
    "variant": (("variants", "longer", "training", "steps"), 90),
    "new variant": (("variants", "wide"), {"training": {"batch": 32}}),
    "no variant": (("variants", "cut"), GONE),
    "check": (("claims", "learns", "check"), "final(error, variant == plain) <= 5"),
    "says": (("claims", "learns", "says"), "It learns: well."),
    "new claim": (("claims", "far"), {"says": "Far.", "check": "final(near) >= 0"}),
    "figure": (("figures", "error", "y"), ["error"]),
    "new figure": (("figures", "bars"), {"kind": "bars", "y": "error", "title": "Bars"}),
    "seed": (("seed",), 5),
    "about": (("about",), "What it is.\nIn two lines.\n"),
}


def apply(document: Any, names: list[str]) -> Any:
    changed = copy.deepcopy(document)
    for name in names:
        (*steps, last), value = EDITS[name]
        node = changed["experiments"]["e"]
        for step in steps:
            node = node[step]
        if value is GONE:
            del node[last]
        else:
            node[last] = value
    return changed


def text_of(document: Any, style: int, name: str) -> str:
    """A document as YAML, in blocks or more or less in brackets, with comments of its own behind some lines."""
    chance = random.Random(f"{style} {name}")
    text = yaml.safe_dump(document, sort_keys=False, width=10_000, default_flow_style=[False, None][style % 2])
    lines = []
    for number, line in enumerate(text.splitlines()):
        entry = re.match(r" *(- )?[\w(), ]+:( |$)", line) and line.count("'") % 2 == 0
        if style and entry and chance.random() < 0.15:
            if chance.random() < 0.5:
                line += f"  # {name} {number}"
            else:
                lines.append(" " * (len(line) - len(line.lstrip())) + f"# {name} above {number}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def digests(text: str) -> list[object]:
    document = spec.parse(Source("s.yaml", text))
    return [
        (profile, program.experiment, program.variant, program.digest)
        for profile in (None, *document.study.profiles)
        for experiment in spec.resolve(document, profile).experiments
        for program in experiment.programs
    ]


def same(one: str, other: str) -> bool:
    return compare(spec.parse(Source("a.yaml", one)), spec.parse(Source("b.yaml", other))).same


def data(text: str) -> Any:
    return yaml.safe_load(text)


edits = st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=4, unique=True)
styles = st.integers(0, 5)


def test_every_edit_gives_a_valid_study() -> None:
    for name in EDITS:
        spec.validate(spec.parse(Source(name, text_of(apply(BASE, [name]), 0, "base"))))


@SLOW
@given(edits, styles, styles)
def test_one_side_alone(names: list[str], style: int, other: int) -> None:
    base, changed = text_of(BASE, style, "base"), text_of(apply(BASE, names), other, "ours")
    assert merged(base, changed, base).text == changed
    assert merged(base, base, changed).text == changed
    # The same without the short way out: the unchanged side has another layout.
    respaced = base.replace("half: 0.5", "half:   0.5").replace("dlspec: 1", "dlspec:  1")
    for found in (merged(base, changed, respaced), merged(base, respaced, changed)):
        assert found.conflicts == () and data(found.text) == data(changed)


@SLOW
@given(edits, edits, st.tuples(styles, styles, styles))
def test_disjoint_edits_are_both_done(ours: list[str], theirs: list[str], looks: tuple[int, int, int]) -> None:
    theirs = [name for name in theirs if name not in ours]
    base = text_of(BASE, looks[0], "base")
    first, second = text_of(apply(BASE, ours), looks[1], "ours"), text_of(apply(BASE, theirs), looks[2], "theirs")
    both = text_of(apply(BASE, [*ours, *theirs]), 0, "both")
    found, swapped = merged(base, first, second), merged(base, second, first)
    assert found.conflicts == swapped.conflicts == ()
    assert (
        sorted(digests(found.text), key=str) == sorted(digests(both), key=str) == sorted(digests(swapped.text), key=str)
    )
    assert same(found.text, both) and same(found.text, swapped.text)
    spec.validate(spec.parse(Source("s.yaml", found.text)))
    if not {"no variant"} & {*ours, *theirs}:  # with what is removed go its comments
        for text in (first, second):
            assert all(comment in found.text for comment in remarks(text) if comment not in base)


def remarks(text: str) -> list[str]:
    return [comment for item in pieces(text)[1].items for comment in item.comments]


@SLOW
@given(
    st.lists(
        st.sampled_from([name for name in EDITS if not isinstance(EDITS[name][1], list)]),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    styles,
    styles,
)
def test_the_same_paths_to_other_values_are_conflicts_in_either_order(names: list[str], one: int, two: int) -> None:
    base = text_of(BASE, one, "base")
    ours, theirs = apply(BASE, names), apply(BASE, names)
    e = theirs["experiments"]["e"]
    e["training"]["steps"], ours["experiments"]["e"]["training"]["steps"] = 400, 300
    e["claims"]["learns"]["says"] = "They say: 'this'."
    ours["experiments"]["e"]["claims"]["learns"]["says"] = "We say\nthat.\n"
    first, second = text_of(ours, one, "ours"), text_of(theirs, two, "theirs")
    for found in (merged(base, first, second), merged(base, second, first)):
        assert sorted(conflict.path[-1] for conflict in found.conflicts) == ["says", "steps"]
        try:
            spec.parse(Source("s.yaml", found.text))
        except spec.StudyError as error:
            told = [problem.message for problem in error.problems]
        assert len(told) == 2 and all(message.startswith("a merge left") for message in told)


def test_comments_are_found() -> None:
    assert comments_in("  # a\n") == ["# a"] and comments_in(" a#b\n# c") == ["# c"]

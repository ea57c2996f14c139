"""Digests are taken over meaning: whatever leaves the numbers alone leaves the digest alone, and nothing else does."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes import digests as identity
from dlspec.spec.passes import training_digests
from dlspec.spec.passes.digests import digest, measure_digest, sample_digest, training_digest

BASE: dict[str, Any] = {
    "dlspec": 1,
    "study": "s",
    "experiments": {
        "e": {
            "seed": 0,
            "constants": {"d": 4, "offsets": "range(0, d)", "half": 0.5, "unused": 7},
            "functions": {"u(r)": "floor_to(r, z)", "gap(p, q)": "(p - q) ^ 2"},
            "task": {
                "draw": {"v": "normal([d])", "b": "normal()", "z": "b + offsets + half", "idle": "normal()"},
                "example": {"x": "normal([d])", "label": "u(dot(v, x))", "rest": "x[0]"},
            },
            "architecture": {
                "f": {
                    "input": "x",
                    "layers": [{"dense": {"units": 3, "activation": "relu", "name": "hidden"}}, {"dense": 1}],
                },
                "other": {"input": "x", "layers": [{"dense": 1}]},
            },
            "outputs": {"guess": "u(f)", "spare": "2 * f"},
            "loss": {"squared": "gap(guess, label)", "small": {"of": "f ^ 2", "weight": 0.01}},
            "gradient": {"u": "forward_only"},
            "training": {
                "optimizer": {"adam": {"learning_rate": 0.01}},
                "batch": 8,
                "steps": 20,
                "evaluate": {"every": 5, "examples": 100},
            },
            "measures": {"error": "E(gap(guess, label))", "right": "E(guess == label)"},
            "replicates": 2,
            "claims": {"c": {"says": "So.", "check": "final(error) <= 1"}},
            "figures": {"g": {"kind": "curves", "y": "error"}},
        }
    },
}


def program(document: Any = BASE, variant: str = "") -> spec.Program:
    """The one program of a study, or that of a variant."""
    text = document if isinstance(document, str) else json.dumps(document)
    (found,) = [
        item
        for item in spec.resolve(spec.parse(Source("identity.yaml", text))).experiments[0].programs
        if item.variant == variant
    ]
    return found


Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> spec.Program:
    """The program of the base's experiment after a change in place."""
    document = copy.deepcopy(BASE)
    before = json.dumps(document)
    change(document["experiments"]["e"])
    assert json.dumps(document) != before, "the change changes the text"
    return program(document)


def put(*path: Any) -> Change:
    """A change that sets the value at a path (the last argument)."""
    *steps, last, value = path

    def change(e: dict[str, Any]) -> None:
        node: Any = e
        for step in steps:
            node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
        node[last] = value

    return change


def renamed(old: str, new: str) -> dict[str, Any]:
    """The base with a name written otherwise, wherever it stands as a word."""
    words = json.dumps(BASE)
    text = re.sub(rf"\b{old}\b", new, words)
    assert text != words
    return json.loads(text)  # type: ignore[no-any-return]


BEFORE = program().digest
LAYERS = ("architecture", "f", "layers")

SAME: dict[str, Change] = {
    "a claim": put("claims", "c", "says", "Otherwise."),
    "no claims": put("claims", {}),
    "a figure": put("figures", "g", "title", "A title"),
    "no figures": put("figures", {}),
    "a text": put("about", "What it shows."),
    "replicates": put("replicates", 9),
    "an unused constant": put("constants", "unused", 8),
    "another constant": put("constants", "more", 8),
    "an unused draw": put("task", "draw", "idle", "uniform()"),
    "another draw": put("task", "draw", "more", "uniform()"),
    "an unused binding": put("task", "example", "rest", "x[1] * half"),
    "another binding": put("task", "example", "more", "normal([d])"),
    "an unused output": put("outputs", "spare", "f * f"),
    "an unused network": put("architecture", "other", "layers", [{"dense": 2}]),
    "another network": put("architecture", "more", {"input": "x", "layers": [{"dense": 2}]}),
    "a measure": put("measures", "error", "E(abs(guess - label))"),
    "another measure": put("measures", "more", "E(f)"),
    "the evaluation": put("training", "evaluate", {"at": [3], "examples": 7}),
    "a constant by another expression": put("constants", "half", "1 / 2"),
    "a constant as another kind": put("constants", "d", 4.0),
    "a constant written in place": put("task", "draw", "z", "b + [0, 1, 2, 3] + 0.5"),
    "a function written in place": put("loss", "squared", "(guess - label) ^ 2"),
    "an output written in place": put("loss", "squared", "gap(u(f), label)"),
    "spaces": put("loss", "squared", "  gap( guess,label )  "),
    "brackets": put("loss", "squared", "(gap((guess), label))"),
    "the dtype written out": put("dtype", "float32"),
    "an optimiser's default": put("training", "optimizer", "adam", "beta_1", 0.9),
    "a layer's default": put(*LAYERS, 0, "dense", "use_bias", True),
    "an initialiser's default": put(*LAYERS, 0, "dense", "kernel_initializer", "glorot_uniform"),
    "an initialiser's default for all": put("layer_defaults", {"bias_initializer": "zeros"}),
    "a layer in full": put(*LAYERS, 1, {"dense": {"units": 1}}),
    "a learning rate alone": put("training", "optimizer", {"adam": 0.01}),
    "a loss in full": put("loss", "squared", {"of": "gap(guess, label)", "weight": 1}),
    "a term of the loss by another name": put("loss", {"a": "gap(guess, label)", "b": {"of": "f ^ 2", "weight": 0.01}}),
    "an exact mode": put("gradient", {"u": "forward_only", "f": "exact"}),
    "sizes as expressions": put("training", "batch", "2 * d"),
}

OTHER: dict[str, Change] = {
    "the seed": put("seed", 1),
    "the dtype": put("dtype", "float64"),
    "a draw": put("task", "draw", "v", "uniform(shape=[d])"),
    "a draw's parameter": put("task", "draw", "v", "normal(0, 2, [d])"),
    "an example": put("task", "example", "x", "uniform(shape=[d])"),
    "a label": put("task", "example", "label", "dot(v, x)"),
    "a constant": put("constants", "half", 0.25),
    "a size": put("constants", "d", 5),
    "a function": put("functions", "gap(p, q)", "abs(p - q)"),
    "a draw that becomes an example's": lambda e: e["task"]["example"].update(v=e["task"]["draw"].pop("v")),
    "the input": put("architecture", "f", "input", "2 * x"),
    "units": put(*LAYERS, 0, "dense", "units", 4),
    "an activation": put(*LAYERS, 0, "dense", "activation", "tanh"),
    "a bias": put(*LAYERS, 0, "dense", "use_bias", False),
    "an initialiser": put(*LAYERS, 0, "dense", "kernel_initializer", "he_normal"),
    "an initialiser's argument": put(*LAYERS, 0, "dense", "kernel_initializer", "normal(0, 0.1)"),
    "a default for all layers": put("layer_defaults", {"bias_initializer": "ones"}),
    "a constraint": put(*LAYERS, 0, "dense", "kernel_constraint", "non_neg"),
    "another layer": lambda e: e["architecture"]["f"]["layers"].insert(1, {"dropout": 0.5}),
    "a function as a layer": lambda e: e["architecture"]["f"]["layers"].insert(1, "tanh"),
    "a layer's name": put(*LAYERS, 0, "dense", "name", "first"),
    "an output that the loss uses": put("outputs", "guess", "u(f) + 1"),
    "the loss": put("loss", "squared", "hinge(label, guess)"),
    "a weight of the loss": put("loss", "small", "weight", 0.02),
    "a schedule in the loss": put("loss", "small", "weight", "0.01 / (1 + step)"),
    "a term of the loss": put("loss", "third", "abs(f)"),
    "no gradient mode": put("gradient", {}),
    "a gradient mode": put("gradient", "u", {"surrogate": "r"}),
    "another surrogate": put("gradient", "u", {"surrogate": "2 * r"}),
    "a mode of a layer": put("gradient", "f.hidden", "freeze"),
    "a mode of a network": put("gradient", "f", {"clip": 1}),
    "the optimiser": put("training", "optimizer", {"sgd": {"learning_rate": 0.01}}),
    "the learning rate": put("training", "optimizer", "adam", "learning_rate", 0.02),
    "a schedule": put("training", "optimizer", "adam", "learning_rate", "0.01 / (1 + step)"),
    "a parameter of the optimiser": put("training", "optimizer", "adam", "beta_1", 0.8),
    "one optimiser a network": put("training", "optimizer", {"f": {"adam": 0.01}, "other": "sgd"}),
    "the batch": put("training", "batch", 9),
    "the steps": put("training", "steps", 21),
    "a stopping condition": put("training", "until", "error < 0.1"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_is_no_meaning(change: Change) -> None:
    assert changed(change).digest == BEFORE


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_what_is_meaning(change: Change) -> None:
    assert changed(change).digest != BEFORE


def test_all_changes_of_meaning_are_told_apart() -> None:
    found: dict[str, str] = {}
    for name, change in OTHER.items():
        same = found.setdefault(changed(change).digest, name)
        assert same == name


@pytest.mark.parametrize(
    "old",
    [
        "d",
        "offsets",
        "half",
        "u",
        "gap",
        "r",
        "p",
        "q",
        "guess",
        "unused",
        "idle",
        "rest",
        "spare",
        "other",
        "squared",
        "error",
        "c",
    ],
)
def test_names_that_do_not_seed_may_be_renamed(old: str) -> None:
    assert program(renamed(old, old + "_2")).digest == BEFORE


@pytest.mark.parametrize("old", ["e", "v", "b", "z", "x", "label", "f", "hidden"])
def test_names_that_seed_are_meaning(old: str) -> None:
    assert program(renamed(old, old + "_2")).digest != BEFORE


# -- text, order, variants ---------------------------------------------------------------------------------------------


def turned(value: Any) -> Any:
    """A value with the keys of all its maps in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


def test_order_of_keys_comments_and_format() -> None:
    assert program(turned(BASE)).digest == BEFORE
    block = yaml.safe_dump(BASE, sort_keys=True)
    assert program(block).digest == BEFORE
    lines = [line for text in block.splitlines() for line in (f"{text}   # a comment", "", "# another")]
    assert program("\n".join(lines)).digest == BEFORE


def test_the_study_s_own_texts_and_other_experiments() -> None:
    document = copy.deepcopy(BASE)
    document |= {"study": "another", "title": "T", "about": "A", "source": {"url": "u"}}
    document["experiments"]["g"] = {"base": "e", "seed": 4}
    document["profiles"] = {"p": {"experiments": {"e": {"seed": 5}}}}
    assert program(document).digest == BEFORE


def test_names_of_variants_are_no_meaning() -> None:
    document = copy.deepcopy(BASE)
    document["experiments"]["e"]["variants"] = {
        "plain": {},
        "one": {"seed": 1},
        "two": {"seed": 2},
        "same": {"seed": 1, "replicates": 5},
    }
    found = {name: program(document, name).digest for name in document["experiments"]["e"]["variants"]}
    assert found["plain"] == BEFORE
    assert found["one"] == found["same"] == changed(put("seed", 1)).digest
    assert len(set(found.values())) == 3


def test_a_sweep_is_its_values() -> None:
    document = copy.deepcopy(BASE)
    document["experiments"]["e"]["sweep"] = {"d": [4, 5]}
    programs = spec.resolve(spec.parse(Source("s", json.dumps(document)))).experiments[0].programs
    assert [item.digest for item in programs] == [BEFORE, changed(put("constants", "d", 5)).digest]


def test_a_derived_experiment_seeds_by_its_own_name() -> None:
    document = copy.deepcopy(BASE)
    document["experiments"]["g"] = {"base": "e"}
    first, second = (
        item.programs[0].digest for item in spec.resolve(spec.parse(Source("s", json.dumps(document)))).experiments
    )
    assert first == BEFORE != second


def test_the_device_is_meaning() -> None:
    found = program()
    assert training_digest(found, "cpu") == found.digest != training_digest(found, "gpu")


def test_a_large_constant_is_told_by_its_values() -> None:
    assert changed(put("constants", "offsets", "sort(range(0, d))")).digest == BEFORE
    large = lambda last: changed(lambda e: e["task"]["draw"].update(z=f"b + concat(range(0, 100), [{last}])")).digest  # noqa: E731
    assert large("100") == large("50 * 2") != large("101")


# -- stopping conditions -----------------------------------------------------------------------------------------------


def stopped(until: str, *more: Change) -> str:
    """The digest with a stopping condition and more changes."""

    def change(e: dict[str, Any]) -> None:
        e["training"]["until"] = until
        for other in more:
            other(e)

    return changed(change).digest


def test_a_stopping_condition_hangs_on_its_measures_and_on_when_they_are_taken() -> None:
    before = stopped("error < 0.1")
    assert stopped("error<0.1") == before
    assert stopped("error < half") == stopped("error < 0.5") != before
    assert (
        stopped(
            "mistake < 0.1", lambda e: e.update(measures={"mistake": "E(gap(guess, label))"}, claims={}, figures={})
        )
        == before
    )
    assert stopped("error < 0.1", put("measures", "right", "E(guess != label)")) == before, "it does not ask for that"
    assert stopped("error < 0.2") != before
    assert stopped("error <= 0.1") != before
    assert stopped("right < 0.1") != before
    assert stopped("error < 0.1", put("measures", "error", "E(abs(guess - label))")) != before
    assert stopped("error < 0.1", put("training", "evaluate", "every", 4)) != before
    assert stopped("error < 0.1", put("training", "evaluate", "examples", 50)) != before


def test_a_condition_on_what_may_be_infinite_says_how_that_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It held of an infinite number once, and ended training: what was stored then is no answer now. A rate is never infinite."""
    conditions = ("right > 0.9", "100 * right > 90", "error < 0.1", "right > error", "1 / error > 10 and right > 0.5")
    before = [stopped(condition) for condition in conditions]
    monkeypatch.setattr(training_digests, "INFINITE", 1)
    assert [now == then for now, then in zip(map(stopped, conditions), before, strict=True)] == [
        True,
        True,
        False,
        False,
        False,
    ]


# -- measures ----------------------------------------------------------------------------------------------------------


def measures(found: spec.Program) -> dict[str, str]:
    """The digests of a program's measures, by name."""
    return {measure.name: measure_digest(found, measure) for measure in found.measures}


def test_a_measure_s_digest_is_its_own() -> None:
    before = measures(program())
    assert before["error"] != before["right"]
    after = measures(changed(put("measures", "right", "E(guess != label)")))
    assert after["error"] == before["error"] and after["right"] != before["right"]


@pytest.mark.parametrize(
    "name",
    [
        "the learning rate",
        "the steps",
        "the batch",
        "the loss",
        "a weight of the loss",
        "the optimiser",
        "a stopping condition",
    ],
)
def test_a_measure_s_digest_leaves_training_out(name: str) -> None:
    assert measures(changed(OTHER[name])) == measures(program())


@pytest.mark.parametrize(
    "name", ["replicates", "a figure", "no claims", "spaces", "an unused draw", "an unused output", "a loss in full"]
)
def test_a_measure_s_digest_leaves_out_what_is_no_meaning(name: str) -> None:
    assert measures(changed(SAME[name])) == measures(program())


def test_what_a_measure_hangs_on() -> None:
    before = measures(program())
    assert measures(changed(put("measures", "error", "gap(guess, label)"))) == before, "a bare one means its E"
    assert measures(changed(put("measures", "error", {"of": "E(gap(guess, label))"}))) == before
    assert measures(program(renamed("error", "mistake")))["mistake"] == before["error"]
    for change in (
        put("measures", "error", {"of": "E(gap(guess, label))", "on": "train"}),
        put("measures", "error", "quantile(gap(guess, label), 0.5)"),
        put("training", "evaluate", "examples", 200),
        put("task", "example", "x", "uniform(shape=[d])"),
        put("outputs", "guess", "u(f) + 1"),
        put(*LAYERS, 0, "dense", "units", 4),
    ):
        assert measures(changed(change))["error"] != before["error"]


def test_a_digest_is_sixteen_digits_of_plain_data() -> None:
    assert digest({"a": 1, "b": [True, None]}) == digest({"b": [True, None], "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    assert len(BEFORE) == 16 and int(BEFORE, 16) >= 0
    with pytest.raises(TypeError):
        digest({"a": np.zeros(2)})


EXAMPLES = sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("kept", [identity.MAX_CACHED, 2])
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_parts_that_were_written_out_before_give_the_same_digests(
    path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What several programs have in common is known by its identity, however little of it is kept."""
    monkeypatch.setattr(identity, "MAX_CACHED", kept)
    plan = spec.resolve(spec.load(str(path)))
    programs = [program for experiment in plan.experiments for program in experiment.programs]
    digests = identity.Digests()
    for one in [*programs, *reversed(programs)]:
        assert digests.training(one) == one.digest == training_digest(one)
        assert digests.training(one, "gpu") == training_digest(one, "gpu")
        for measure in one.measures:
            assert digests.measure(one, measure) == measure_digest(one, measure)
        for probe in one.probes:
            for term in probe.terms.values():
                assert digests.sample(one, term, probe.examples) == sample_digest(one, term, probe.examples)


MODED = """
dlspec: 1
study: s
experiments:
  e:
    functions: {u(r): r^2}
    task: {example: {x: "normal([2])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [{dense: {units: 1, name: head}}]}}
    outputs: {slope: "gradient(f, x)", turn: "gradient(u(x[0]), x)"}
    gradient: MODES
    measures: {named: E(norm(slope)), bent: E(norm(turn)), plain: E(f)}
    figures: {shown: {kind: examples, y: {slope: slope}}}
"""


def test_gradient_modes_are_in_the_digests_of_what_hangs_on_them_through_outputs() -> None:
    """A measure of an output that is a gradient is another where the mode is; so is what a figure shows of it."""
    found = {}
    for modes in ("{}", "{f: {clip: 0.1}}", "{f.head: {clip: 0.1}}", "{u: {surrogate: r}}", "{f: {scale: 2}}"):
        program = spec.resolve(spec.parse(Source("a.yaml", MODED.replace("MODES", modes)))).experiments[0].programs[0]
        (probe,) = program.probes
        shown = [sample_digest(program, term, probe.examples) for term in probe.terms.values()]
        found[modes] = [*(measure_digest(program, measure) for measure in program.measures), *shown]
    named, bent, plain, shown = zip(*found.values(), strict=True)
    assert len(set(named)) == len(set(shown)) == 4 and named[0] == named[3]
    assert len(set(bent)) == 2 and len(set(plain)) == 1


def test_a_parameter_that_a_derivative_is_taken_by_is_told_from_what_it_was_made_of() -> None:
    """Of 2x + 2x at 2x one half moves or both: derivatives 1 and 2, where all that is written out is the same. Names of functions are no meaning."""
    functions = {
        "one_of(u)": "gradient(u * (u + 2 * x[0]), u)",
        "two_of(u)": "gradient(u * (u + u), u)",
        "same_as(v)": "gradient(v * (v + v), v)",
    }
    document = copy.deepcopy(BASE)
    document["experiments"]["e"]["functions"].update(functions)
    document["experiments"]["e"]["measures"] |= {
        name: f"E({call})"
        for name, call in {
            "moves_one": "one_of(2 * x[0])", "moves_two": "two_of(2 * x[0])", "same": "same_as(2 * x[0])", "loops": "iterate(two_of, 2 * x[0], 3)",
            "halves": "iterate(one_of, 2 * x[0], 3)",
        }.items()
    }  # fmt: skip
    one = program(document)
    found = {measure.name: measure_digest(one, measure) for measure in one.measures}
    assert found["moves_two"] == found["same"]
    assert len({found[name] for name in ("moves_one", "moves_two", "loops", "halves")}) == 4


def test_a_window_of_steps_is_in_the_digest_of_what_stops_by_it() -> None:
    """Other steps are looked at."""
    conditions = (
        "highest(error) < 0.1",
        "highest(error, step >= 1) < 0.1",
        "highest(error, step >= 2) < 0.1",
        "mean_over(error) < 0.1",
    )
    assert len({stopped(condition) for condition in conditions}) == 4


ESTIMATED = """
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [{dense: 1}]}}
    loss: {l: (f - y)^2}
    gradient: {f: {clip: CLIP}}
    training: {optimizer: {sgd: 0.1}, batch: 4, phases: {a: {steps: 5}, b: {steps: 5}, c: {steps: 5, loss: {l: LOSS}}}}
    estimates: {taken: {after: AFTER, of: "OF", examples: EXAMPLES}}
    measures: {used: MEASURE, other: E(f)}
"""
TAKEN = {
    "LOSS": "(f - y)^2 + taken * f^2",
    "AFTER": "a",
    "OF": "norm(E(gradient(f, f.weights)))",
    "EXAMPLES": "100",
    "MEASURE": "1",
    "CLIP": "1",
}


def test_an_estimate_is_in_the_digests_of_what_reads_it() -> None:
    """What it is of, over how many examples and when: in the training's where a loss reads it, in a measure's where that does."""

    def digests(**changes: str) -> list[str]:
        text = ESTIMATED
        for name, value in {**TAKEN, **changes}.items():
            text = text.replace(name, value)
        program = spec.resolve(spec.parse(Source("a.yaml", text))).experiments[0].programs[0]
        return [program.digest, *(measure_digest(program, measure) for measure in program.measures)]

    changes = [{}, {"AFTER": "b"}, {"OF": "E(f^2)"}, {"EXAMPLES": "101"}]
    trained = [digests(**change) for change in changes]
    assert len({digest for digest, *_ in trained}) == 4 and len({tuple(rest) for _, *rest in trained}) == 1
    measured = [digests(LOSS="(f - y)^2", MEASURE="taken", **change) for change in changes]
    assert len({digest for digest, *_ in measured}) == 1 and len({used for _, used, _ in measured}) == 4
    assert len({other for *_, other in measured}) == 1
    moded = digests(LOSS="(f - y)^2", MEASURE="taken", CLIP="2")
    assert moded[1] not in {used for _, used, _ in measured}


def test_a_full_batch_is_the_whole_training_set() -> None:
    """The same as its number; with a study that has a name `full` of its own that one is meant."""

    def digest_of(batch: str, constants: str = "{k: 7}") -> str:
        text = f"""
dlspec: 1
study: s
experiments:
  e:
    constants: {constants}
    task: {{data: {{train: 40}}, example: {{x: "normal([2])"}}}}
    architecture: {{f: {{input: x, layers: [{{dense: 1}}]}}}}
    loss: {{l: f^2}}
    training: {{optimizer: {{sgd: 0.1}}, batch: {batch}, steps: 5}}
    measures: {{m: E(f)}}
"""
        return spec.resolve(spec.parse(Source("a.yaml", text))).experiments[0].programs[0].digest

    assert digest_of("full") == digest_of("40") != digest_of("39")
    assert digest_of("full", "{full: 39}") == digest_of("39")

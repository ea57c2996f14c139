"""A document to its cells: axes, points, profiles, overrides, bases, evaluation steps and replicates."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

FLAT = Path(__file__).parents[3] / "examples" / "flat.yaml"

EXPERIMENT: dict[str, Any] = {
    "constants": {"d": 3, "k": 2, "w": [1, 2]},
    "task": {"example": {"x": "normal([d])", "y": "k * x[0]"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": 1}]}},
    "loss": {"squared": "(f - y)^2"},
    "training": {"optimizer": "sgd", "batch": 2, "steps": 10},
    "measures": {"error": "(f - y)^2", "size": "squared_norm(f.weights)"},
}


def study(**more: Any) -> dict[str, Any]:
    """A study of the experiment `e` with more keys."""
    return {"dlspec": 1, "study": "s", "experiments": {"e": {**copy.deepcopy(EXPERIMENT), **more}}}


def plan(
    document: dict[str, Any],
    profile: str | None = None,
    overrides: list[str] | None = None,
    only: list[str] | None = None,
) -> spec.StudyPlan:
    """The plan of a study."""
    read = spec.parse(Source("resolve.yaml", json.dumps(document, indent=1)))
    return spec.resolve(read, profile, [spec.Override.read(text) for text in overrides or ()], only or ())


def experiment(*given: Any, **more: Any) -> Any:
    """The plan of the first experiment."""
    return plan(*given, **more).experiments[0]


def points(*given: Any, **more: Any) -> list[tuple[Any, ...]]:
    """What distinguishes the programs: the variant, and the values of the other axes."""
    return [(*([p.variant] if p.variant else []), *p.point.values()) for p in experiment(*given, **more).programs]


def refused(document: dict[str, Any], *given: Any, **more: Any) -> str:
    """All that is said of a study that is refused."""
    with pytest.raises(StudyError) as caught:
        plan(document, *given, **more)
    assert all(found.message for found in caught.value.problems)
    return "\n".join(f"{found.message}  {found.hint}" for found in caught.value.problems)


# -- axes and points ---------------------------------------------------------------------------------------------------


def test_without_axes_there_is_one_program() -> None:
    found = experiment(study())
    (program,) = found.programs
    assert found.axes == {} and program.point == {} and program.variant == ""
    assert program.name == "e" and program.study == "s"


def test_axes_multiply() -> None:
    document = study(variants={"a": {}, "b": {"seed": 1}}, sweep={"d": [1, 2], "k": [3, 4, 5]})
    found = experiment(document)
    assert found.axes == {"variant": ("a", "b"), "d": (1, 2), "k": (3, 4, 5)}
    assert points(document) == [(v, d, k) for v in "ab" for d in (1, 2) for k in (3, 4, 5)]
    assert found.programs[0].name == "e/a d=1 k=3"


def test_a_swept_constant_has_its_value_everywhere() -> None:
    for program in experiment(study(sweep={"d": [2, 5], "k": ["2 * d", 7]})).programs:
        assert program.constants["d"] == program.point["d"] == program.networks[0].input.type.shape[0]
    with pytest.raises(StudyError):
        plan(study(sweep={"d": [2, 0]}))


def test_a_swept_constant_keeps_its_kind() -> None:
    values = [program.constants["k"] for program in experiment(study(sweep={"k": [1, 2.5]})).programs]
    assert [value.dtype for value in values] == [np.int64, np.float64]


def test_a_constant_of_a_swept_one_follows_it() -> None:
    document = study(constants={"d": 3, "k": "d + 1", "w": [1, 2]}, sweep={"d": [4, 5]})
    assert [program.constants["k"] for program in experiment(document).programs] == [5, 6]


def test_an_array_may_be_swept() -> None:
    found = experiment(study(sweep={"w": [[1, 2], [3, 4, 5]]}))
    assert [program.constants["w"].tolist() for program in found.programs] == [[1, 2], [3, 4, 5]]


def test_an_axis_of_named_patches() -> None:
    document = study(
        sweep={
            "rate": {"slow": {"training": {"steps": 20}}, "fast": {"training": {"steps": 5}}, "plain": {}},
            "d": [1, 2],
        }
    )
    found = experiment(document)
    assert found.axes["rate"] == ("slow", "fast", "plain")
    assert [(p.point["rate"], p.point["d"], p.training.steps) for p in found.programs] == [
        ("slow", 1, 20), ("slow", 2, 20), ("fast", 1, 5), ("fast", 2, 5), ("plain", 1, 10), ("plain", 2, 10),
    ]  # fmt: skip


def test_zipped_axes_go_in_step() -> None:
    document = study(variants={"a": {}, "b": {"seed": 1}}, sweep={"d": [1, 2], "k": [3, 4]}, zip=[["d", "k"]])
    assert points(document) == [("a", 1, 3), ("a", 2, 4), ("b", 1, 3), ("b", 2, 4)]
    document["experiments"]["e"]["zip"] = [["variant", "k"]]
    assert [(p.variant, p.point["d"], p.point["k"]) for p in experiment(document).programs] == [
        ("a", 1, 3), ("a", 2, 3), ("b", 1, 4), ("b", 2, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sweep": {"d": [1, 2], "k": [1, 2, 3]}, "zip": [["d", "k"]]}, "equally many"),
        ({"sweep": {"d": [1, 2]}, "zip": [["d", "kk"]]}, "'kk'"),
        ({"sweep": {"d": [1, 2], "k": [3, 4]}, "zip": [["d", "k"], ["k"]]}, "twice"),
        ({"sweep": {"unknown": [1, 2]}}, "not a constant"),
        ({"sweep": {"d": [1, 1]}}, "twice"),
        ({"sweep": {"d": []}}, "no values"),
        ({"sweep": {"d": ["x"]}}, "'x'"),
        ({"sweep": {"variant": {"a": {}}}}, "variant"),
        ({"sweep": {"d": [1, 2], "size": {"big": {"constants": {"d": 9}}}}}, "both change"),
        ({"variants": {"a": {"seed": 1}}, "sweep": {"s": {"one": {"seed": 2}}}}, "both change 'seed'"),
        (
            {"variants": {"a": {"loss": {"p": "f^2"}}}, "sweep": {"s": {"one": {"loss": {"q": "f"}}}}},
            "both change 'loss'",
        ),
        ({"sweep": {"d": {"same": {"constants": {"k": 2}}}}}, "changes nothing"),
    ],
)
def test_axes_that_are_refused(more: dict[str, Any], said: str) -> None:
    assert said in refused(study(**more))


def test_axes_of_one_length_that_patch_apart_are_fine() -> None:
    document = study(variants={"a": {"training": {"steps": 3}}}, sweep={"s": {"one": {"training": {"batch": 3}}}})
    (program,) = experiment(document).programs
    assert (program.training.steps, program.training.phases[0].batch) == (3, 3)


# -- profiles, overrides, selection ------------------------------------------------------------------------------------


def test_a_profile_is_laid_over_every_cell() -> None:
    document = study(variants={"a": {}, "b": {"replicates": 3}}, sweep={"d": [1, 2]})
    document["profiles"] = {"quick": {"experiments": {"e": {"replicates": 7, "sweep": {"d": [5]}}}}}
    assert [(p.variant, p.point["d"], p.replicates) for p in experiment(document).programs][:2] == [
        ("a", 1, 1),
        ("a", 2, 1),
    ]
    assert [(p.variant, p.point["d"], p.replicates) for p in experiment(document, "quick").programs] == [
        ("a", 5, 7),
        ("b", 5, 7),
    ]
    assert plan(document, "quick").profile == "quick"


def test_an_override_on_a_swept_constant_replaces_its_list() -> None:
    document = study(sweep={"d": [1, 2], "k": [3, 4]})
    assert points(document, overrides=["constants.d=[7, 8, 9]", "constants.k=5"]) == [(7, 5), (8, 5), (9, 5)]
    assert points(document, overrides=["e.constants.d=6"]) == [(6, 3), (6, 4)]
    assert points(document, overrides=["sweep.d=[6]"]) == [(6, 3), (6, 4)]


def test_an_override_on_another_constant_sets_it() -> None:
    assert [p.constants["k"] for p in experiment(study(sweep={"d": [1, 2]}), overrides=["constants.k=9"]).programs] == [
        9,
        9,
    ]


def test_an_override_reaches_all_experiments_or_one() -> None:
    document = study()
    document["experiments"]["g"] = copy.deepcopy(EXPERIMENT)
    steps = lambda *o: [e.programs[0].training.steps for e in plan(document, overrides=list(o)).experiments]  # noqa: E731
    assert steps() == [10, 10]
    assert steps("training.steps=3") == [3, 3]
    assert steps("g.training.steps=3") == [10, 3]
    assert steps("experiments.g.training.steps=3") == [10, 3]


def test_only_some_experiments_and_variants() -> None:
    document = study(variants={"a": {}, "b": {"seed": 1}})
    document["experiments"]["g"] = copy.deepcopy(EXPERIMENT)
    named = lambda *only: [p.name for e in plan(document, only=list(only)).experiments for p in e.programs]  # noqa: E731
    assert named() == ["e/a", "e/b", "g"]
    assert named("g") == ["g"]
    assert named("e/b") == ["e/b"]
    assert named("e/b", "e/a") == ["e/a", "e/b"]
    assert named("e", "e/b") == named("e/b", "e") == ["e/a", "e/b"]
    assert "'c'" in refused(document, only=["e/c"])
    assert "no variants" in refused(document, only=["g/a"])
    assert "'h'" in refused(document, only=["h"])


@pytest.mark.parametrize("left_out", [{"only": ["e/b"]}, {"overrides": ["variants.a=null"]}])
def test_claims_name_phases_of_variants_that_are_left_out(left_out: dict[str, Any]) -> None:
    training = {key: value for key, value in EXPERIMENT["training"].items() if key != "steps"}
    longer = {"training": {"phases": {"warm": {"steps": 5}}}}
    document = study(variants={"a": longer, "b": {"seed": 1}, "c": {"seed": 2}})
    experiment = document["experiments"]["e"]
    experiment["training"] = {**training, "phases": {"main": {"steps": 4}}}
    (measure,) = list(experiment["measures"])[:1]
    experiment["claims"] = {
        "at_end": {"says": "it", "check": f"at({measure}, end(warm) - 3, variant == a) > 0"},
        "inside": {"says": "it", "check": f"lowest({measure}, step < start(warm[0]), variant == a) > 0"},
        "there": {"says": "it", "check": f"at({measure}, end(main), variant == b) > 0"},
    }
    (whole,), (part,) = plan(document).experiments, plan(document, **left_out).experiments
    assert [claim.text for claim in part.claims] == [claim.text for claim in whole.claims]
    assert part.claims[2].tree == whole.claims[2].tree
    experiment["claims"]["there"]["check"] = f"at({measure}, end(warm), variant == b) > 0"
    assert "there is no phase 'warm'" in refused(document, **left_out)


def test_an_override_of_what_only_leaves_out_is_refused() -> None:
    document = study(variants={"a": {}, "b": {"seed": 1}})
    document["experiments"]["g"] = {"base": "e"}
    chosen = lambda path, *only: [e.name for e in plan(document, overrides=[path], only=list(only)).experiments]  # noqa: E731
    assert chosen("e.training.steps=3", "e") == chosen("e.variants.a.training.steps=3", "e/a") == ["e"]
    assert chosen("training.steps=3", "g") == ["g"]
    for path, left in [("e.training.steps=3", "'e'"), ("experiments.e.variants.a.seed=2", "'e'")]:
        assert f"changes nothing: `--only` leaves {left} out" in refused(document, overrides=[path], only=["g"])
    said = refused(document, overrides=["e.variants.a.seed=2"], only=["e/b"])
    assert "changes nothing: `--only` leaves 'e/a' out" in said


def test_only_keeps_claims_about_the_other_variants_sound() -> None:
    claims = {"c": {"says": "b is better.", "check": "final(error, variant == b) <= final(error, variant == a)"}}
    document = study(variants={"a": {}, "b": {"seed": 1}}, claims=claims)
    assert len(experiment(document, only=["e/a"]).claims) == 1


# -- bases -------------------------------------------------------------------------------------------------------------


def derived(**own: Any) -> dict[str, Any]:
    """A study with `e` and an experiment `g` that is derived from it."""
    document = study(
        variants={"a": {}, "b": {"seed": 1}},
        claims={"c": {"says": "So.", "check": "final(error) >= 0"}},
        about="About e.",
    )
    document["experiments"]["g"] = {"base": "e", **own}
    return document


def test_a_derived_experiment_takes_over_all_but_what_is_its_base_s_own() -> None:
    first, second = plan(derived(training={"steps": 3})).experiments
    assert (first.name, second.name) == ("e", "g")
    assert [p.training.steps for p in first.programs if p.training] == [10, 10]
    assert [p.training.steps for p in second.programs if p.training] == [3, 3]
    assert second.axes == first.axes
    assert first.claims and first.about and not second.claims and not second.about and not second.figures
    assert [m.name for m in second.programs[0].measures] == ["error", "size"]


def test_a_derived_experiment_may_delete_and_derive_further() -> None:
    document = derived(variants=None, measures={"size": None})
    document["experiments"]["h"] = {"base": "g", "seed": 4}
    _, second, third = plan(document).experiments
    assert not second.axes and [m.name for m in second.programs[0].measures] == ["error"]
    assert third.programs[0].seed == 4 and [m.name for m in third.programs[0].measures] == ["error"]


def test_the_order_of_bases_is_free() -> None:
    document = derived(seed=3)
    entries = document["experiments"]
    document["experiments"] = {"g": entries["g"], "e": entries["e"]}
    assert {e.name: e.programs[0].seed for e in plan(document).experiments} == {"g": 3, "e": 0}


def test_bases_that_are_refused() -> None:
    document = derived()
    document["experiments"]["e"]["base"] = "g"
    assert "e → g → e" in refused(document)
    assert "no experiment 'f'" in refused({**study(), "experiments": {"g": {**EXPERIMENT, "base": "f"}}})


# -- evaluation steps and replicates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "evaluate", "found"),
    [
        (10, {"every": 4}, (0, 4, 8, 10)),
        (10, {"every": 5}, (0, 5, 10)),
        (10, {"every": 100}, (0, 10)),
        (10, {"at": [3, 7]}, (0, 3, 7, 10)),
        (10, {"at": [0, 10, 3]}, (0, 3, 10)),
        (10, {"at": [30]}, (0, 10)),
        (10, {"at": ["d", "2 * d"]}, (0, 3, 6, 10)),
        (10, {"every": 5, "at": [1, 5]}, (0, 1, 5, 10)),
        (1000, {"log": 4}, (0, 1, 10, 100, 1000)),
        (1000, {"log": 4, "at": [5], "every": 500}, (0, 1, 5, 10, 100, 500, 1000)),
        (100, {}, tuple(range(0, 101, 2))),
        (10, {}, tuple(range(11))),
        (1, {}, (0, 1)),
        (101, {}, (*range(0, 101, 3), 101)),
    ],
)
def test_evaluation_steps(steps: int, evaluate: dict[str, Any], found: tuple[int, ...]) -> None:
    document = study(training={"optimizer": "sgd", "batch": 2, "steps": steps, "evaluate": evaluate})
    assert experiment(document).programs[0].training.evaluations == found


@pytest.mark.parametrize(
    "evaluate", [{"every": 0}, {"every": 1.5}, {"at": [-1]}, {"log": 0}, {"every": "x[0]"}, {"examples": 0}]
)
def test_evaluations_that_are_refused(evaluate: dict[str, Any]) -> None:
    assert refused(study(training={"optimizer": "sgd", "batch": 2, "steps": 10, "evaluate": evaluate}))


def test_evaluation_examples() -> None:
    training = {"optimizer": "sgd", "batch": 2, "steps": 10}
    assert experiment(study()).programs[0].evaluated("test") == 1000
    assert (
        experiment(study(training={**training, "evaluate": {"examples": "10 * d"}})).programs[0].evaluated("test") == 30
    )


@pytest.mark.parametrize(("given", "found"), [(None, 1), (4, 4), ("d + 1", 4), (5.0, 5)])
def test_replicates(given: Any, found: int) -> None:
    assert experiment(study(**({} if given is None else {"replicates": given}))).programs[0].replicates == found


@pytest.mark.parametrize("given", [0, -1, 1.5, "x", [1, 2]])
def test_replicates_that_are_refused(given: Any) -> None:
    assert refused(study(replicates=given))


# -- the rest of a program ---------------------------------------------------------------------------------------------


def test_only_measures_are_required() -> None:
    document = {
        "dlspec": 1,
        "study": "s",
        "experiments": {"e": {"constants": {"n": 4}, "sweep": {"n": [2, 3]}, "measures": {"c": "cond(eye(n))"}}},
    }
    first, second = experiment(document).programs
    assert first.training is None and first.loss == () and first.networks == ()
    assert (first.constants["n"], second.constants["n"]) == (2, 3)
    del document["experiments"]["e"]["measures"]  # type: ignore[index]
    assert "measures" in refused(document)


def test_training_needs_a_loss() -> None:
    document = study()
    del document["experiments"]["e"]["loss"]
    assert "loss" in refused(document)


def test_optimisers() -> None:
    training = {"batch": 2, "steps": 10}
    schedule = "0.1 / (1 + step)"
    found = (
        experiment(study(training={**training, "optimizer": {"adam": {"learning_rate": schedule}}}))
        .programs[0]
        .training
    )
    assert set(found.phases[0].optimizers) == {""} and found.phases[0].optimizers[""].keras == "Adam"
    assert not isinstance(found.phases[0].optimizers[""].arguments["learning_rate"], float)
    found = experiment(study(training={**training, "optimizer": {"f": {"sgd": 0.5}}})).programs[0].training
    assert found.phases[0].optimizers["f"].arguments["learning_rate"] == 0.5
    assert "'g'" in refused(study(training={**training, "optimizer": {"g": {"sgd": 0.5}}}))


def test_problems_of_all_experiments_are_told_at_once_in_file_order() -> None:
    document = study(replicates="nothing")
    document["experiments"]["g"] = {**copy.deepcopy(EXPERIMENT), "outputs": {"o": "nowhere"}}
    with pytest.raises(StudyError) as caught:
        plan(document)
    assert [found.message for found in caught.value.problems] == ["unknown name 'nothing'", "unknown name 'nowhere'"]


def test_a_problem_of_many_cells_is_told_once() -> None:
    document = study(outputs={"o": "nothing"}, variants={"a": {}, "b": {"seed": 1}}, sweep={"d": [1, 2]})
    assert refused(document).count("nothing") == 1


def test_validate_looks_at_every_profile() -> None:
    document = study()
    document["profiles"] = {
        "good": {"experiments": {"e": {"seed": 1}}},
        "bad": {"experiments": {"e": {"replicates": 0}}},
    }
    read = spec.parse(Source("profiles.yaml", json.dumps(document, indent=1)))
    assert spec.resolve(read, "good")
    with pytest.raises(StudyError) as caught:
        spec.validate(read)
    (found,) = caught.value.problems
    assert "at least 1" in found.message
    assert found.span is not None and '"replicates": 0' in read.source.lines[found.span.line - 1]


def test_a_function_that_hides_an_operation_is_warned_of_and_a_value_hides_none() -> None:
    variants = {"a": {}, "b": {"seed": 1}}
    (found,) = plan(study(functions={"cosh(v)": "v"}, outputs={"used": "cosh(f)"}, variants=variants)).warnings
    assert found.severity == "warning" and "'cosh'" in found.message
    assert not plan(study(outputs={"norm": "f"}, variants=variants)).warnings


def test_the_example_of_the_documentation() -> None:
    found = spec.resolve(spec.load(FLAT))
    staircase, bias = found.experiments
    assert (found.name, found.title) == ("flat", "Flat activations")
    assert [p.variant for p in staircase.programs] == [
        "non_flat",
        "non_flat_from_0",
        "end_to_end",
        "multi_class",
        "forward_only",
        "surrogate",
    ]
    assert [p.point for p in bias.programs][:2] == [{"start": -1.5}, {"start": -1}] and bias.axes.keys() == {"start"}
    programs = {p.variant: p for p in staircase.programs}
    assert len({p.digest for p in staircase.programs}) == 6
    offsets = programs["non_flat"].constants["offsets"]
    assert offsets.ndim == 1 and (np.diff(offsets) > 0).all()
    assert programs["multi_class"].networks[0].output.shape == (offsets.size,)
    assert programs["forward_only"].training.steps == 5000  # type: ignore[union-attr]
    assert programs["forward_only"].gradient["u"].name == "forward_only" and not programs["non_flat"].gradient
    assert [layer.key for layer in programs["end_to_end"].networks[0].layers] == [
        "dense_1",
        "dense_2",
        "dense_3",
        "dense_4",
    ]
    quick = spec.resolve(spec.load(FLAT), "quick").experiments[0].programs
    assert {(p.training.steps, p.replicates) for p in quick if p.training} == {(3000, 3)}

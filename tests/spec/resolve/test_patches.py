"""How variants, profiles and overrides are laid over a base: each rule of the language, one test or more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.resolve.patches import layer_names, merge, nest, without
from dlspec.spec.source import nodes as yaml


def node(value: Any) -> yaml.Node:
    """A value as the tree of a document (JSON is YAML)."""
    return yaml.parse_value(Source("value", json.dumps(value)))


def merged(base: Any, patch: Any, *path: str) -> Any:
    """A patch over a base, as plain data."""
    found = merge(node(base), node(patch), path)
    return None if found is None else yaml.data(found)


EXPERIMENT: dict[str, Any] = {
    "constants": {"d": 3, "scale": [1, 2]},
    "task": {"example": {"x": "normal([d])", "y": "x[0]"}},
    "architecture": {
        "f": {
            "input": "x",
            "layers": [{"dense": {"units": 4, "activation": "relu", "name": "hidden"}}, "relu", {"dense": 1}],
        }
    },
    "loss": {"squared": "(f - y)^2", "size": {"of": "f^2", "weight": 0.1}},
    "gradient": {"f": {"scale": 0.5}},
    "training": {"optimizer": {"adam": {"learning_rate": 0.1, "beta_1": 0.5}}, "batch": 2, "steps": 10},
    "measures": {"error": "(f - y)^2"},
}


def study(change: Any = None, **more: Any) -> dict[str, Any]:
    """A study of the experiment `e`, changed by a function."""
    made = {"dlspec": 1, "study": "s", "experiments": {"e": copy.deepcopy(EXPERIMENT)}, **more}
    if change is not None:
        change(made["experiments"]["e"])
    return made


def resolve(document: dict[str, Any], profile: str | None = None, *overrides: str) -> dict[str, spec.Program]:
    """The programs of `e`, by variant."""
    read = spec.parse(Source("patches.yaml", json.dumps(document, indent=1)))
    plan = spec.resolve(read, profile, [spec.Override.read(text) for text in overrides])
    return {program.variant: program for program in plan.experiments[0].programs}


def variant(patch: Any) -> spec.Program:
    """The experiment with one variant."""
    return resolve(study(lambda e: e.update(variants={"v": patch})))["v"]


def refused(document: dict[str, Any], profile: str | None = None, *overrides: str) -> spec.Problem:
    """The one problem of a study."""
    with pytest.raises(StudyError) as caught:
        resolve(document, profile, *overrides)
    (found,) = caught.value.problems
    return found


# -- the rules on trees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "patch", "result"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}, "e": 5}, {"a": 1, "b": {"c": 4, "d": 3}, "e": 5}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 2}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, {}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": "1"}, {"a": "1"}),
    ],
)
def test_maps_merge_anything_else_replaces_null_deletes(base: Any, patch: Any, result: Any) -> None:
    assert merged(base, patch) == result


def test_order_is_the_base_s_then_the_patch_s() -> None:
    assert list(merged({"a": 1, "b": 2}, {"c": 3, "a": 4})) == ["a", "b", "c"]


def test_the_base_is_left_as_it_was() -> None:
    base = node({"a": {"b": 1}, "layers": [{"dense": 1}]})
    before = yaml.data(base)
    merge(base, node({"a": {"b": 2}, "layers": {"dense_1": {"units": 3}}}))
    assert yaml.data(base) == before


@pytest.mark.parametrize("patch", [{"b": None}, {"a": {"c": None}}, {"new": {"x": None}}])
def test_what_is_not_there_cannot_be_deleted(patch: Any) -> None:
    with pytest.raises(StudyError, match="to delete"):
        merged({"a": {"b": 1}}, patch)


def test_a_quoted_null_is_a_word() -> None:
    assert merged({"a": 1}, {"a": "null"}) == {"a": "null"}


def test_a_loss_is_replaced_whole() -> None:
    assert merged({"loss": {"a": 1, "b": 2}}, {"loss": {"c": 3}}) == {"loss": {"c": 3}}
    assert [term.name for term in variant({"loss": {"only": "f^2"}}).loss] == ["only"]
    assert len(variant({"training": {"steps": 3}}).loss) == 2, "untouched, it stays"


LOSS = {"a": "f", "b": {"of": "y", "weight": 2}}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ({"b": {"weight": 3}}, {"a": "f", "b": {"of": "y", "weight": 3}}),
        ({"a": {"weight": 3}}, {"a": {"of": "f", "weight": 3}, "b": {"of": "y", "weight": 2}}),
        ({"a": None}, {"b": {"of": "y", "weight": 2}}),
        ({"a": None, "b": {"weight": 1}}, {"b": {"of": "y", "weight": 1}}),
        ({"b": {"of": "z"}}, {"b": {"of": "z"}}),
        ({"c": "z", "b": {"weight": 3}}, {"c": "z", "b": {"of": "y", "weight": 3}}),
    ],
)
def test_a_term_that_says_a_weight_alone_keeps_what_it_is_of(patch: Any, result: Any) -> None:
    assert merged({"loss": LOSS}, {"loss": patch}) == {"loss": result}


def test_a_weight_is_of_a_term_that_is_there() -> None:
    with pytest.raises(StudyError, match="the loss has no term 'c'"):
        merged({"loss": LOSS}, {"loss": {"c": {"weight": 1}}})
    weights = {term.name: term.weight for term in resolve(study(), None, "loss.size.weight=0.5")[""].loss}
    assert {name: float(term.value) for name, term in weights.items()} == {"squared": 1, "size": 0.5}  # type: ignore[attr-defined]


def test_names_that_are_words_of_the_language_merge_like_others() -> None:
    for name in ("loss", "layers", "gradient", "measures", "optimizer"):
        base, patch = {"architecture": {name: {"input": "x", "each": 2}}}, {"architecture": {name: {"each": 3}}}
        assert merged(base, patch) == {"architecture": {name: {"input": "x", "each": 3}}}


def test_axes_do_not_change_what_another_replaces_whole() -> None:
    both = {"sweep": {"a": {"x": {"loss": {"squared": "f"}}}, "b": {"y": {"loss": {"squared": {"weight": 2}}}}}}
    with pytest.raises(StudyError, match=r"both change 'loss\.squared\.weight'"):
        resolve(study(lambda e: e.update(both)))
    apart = {"sweep": {"a": {"x": {"loss": {"size": {"weight": 1}}}}, "b": {"y": {"loss": {"squared": {"weight": 2}}}}}}
    (program,) = resolve(study(lambda e: e.update(apart))).values()
    assert [float(term.weight.value) for term in program.loss] == [2, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("base", "patch", "result"),
    [
        ({"adam": {"a": 1, "b": 2}}, {"adam": {"b": 3}}, {"adam": {"a": 1, "b": 3}}),
        ({"adam": {"a": 1}}, {"sgd": {"b": 3}}, {"sgd": {"b": 3}}),
        ({"adam": {"a": 1}}, "sgd", "sgd"),
        ("sgd", {"adam": {"a": 1}}, {"adam": {"a": 1}}),
        (
            {"f": {"adam": {"a": 1}}, "g": "sgd"},
            {"f": {"adam": {"b": 2}}},
            {"f": {"adam": {"a": 1, "b": 2}}, "g": "sgd"},
        ),
        ({"f": {"adam": {"a": 1}}, "g": "sgd"}, {"f": {"sgd": {}}}, {"f": {"sgd": {}}, "g": "sgd"}),
        ({"f": {"adam": {"a": 1}}, "g": "sgd"}, {"adam": {}}, {"adam": {}}),
    ],
)
def test_an_optimiser_merges_under_its_own_key_and_is_replaced_under_another(
    base: Any, patch: Any, result: Any
) -> None:
    found = merged({"training": {"optimizer": base}}, {"training": {"optimizer": patch}})
    assert found == {"training": {"optimizer": result}}


def test_a_gradient_mode_is_replaced_under_another_key() -> None:
    assert merged({"gradient": {"f": {"scale": 2}}}, {"gradient": {"f": {"clip": 1}}}) == {
        "gradient": {"f": {"clip": 1}}
    }
    assert merged({"gradient": {"f": {"scale": 2}}}, {"gradient": {"g": "stop"}}) == {
        "gradient": {"f": {"scale": 2}, "g": "stop"}
    }
    assert {
        key: (mode.name, mode.value) for key, mode in variant({"gradient": {"f": {"clip": 2}}}).gradient.items()
    } == {"f": ("clip", 2.0)}
    assert variant({"gradient": {"f": None}}).gradient == {}


LAYERS = [
    {"dense": {"units": 4, "name": "hidden"}},
    "relu",
    {"dense": 3},
    {"conv1d": {"filters": 2, "kernel_size": 3}},
    {"dense": 1},
]


def test_how_layers_are_called() -> None:
    found = node(LAYERS)
    assert isinstance(found, yaml.Sequence)
    assert layer_names(found.items) == {
        "hidden": 0, "dense_1": 0, "relu_1": 1, "relu": 1, "dense_2": 2, "conv1d_1": 3, "conv1d": 3, "dense_3": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "place", "result"),
    [
        ({"hidden": {"units": 5}}, 0, {"dense": {"units": 5, "name": "hidden"}}),
        ({"dense_1": {"units": 5}}, 0, {"dense": {"units": 5, "name": "hidden"}}),
        pytest.param(
            {"hidden": {"activation": "tanh"}},
            0,
            {"dense": {"units": 4, "name": "hidden", "activation": "tanh"}},
        ),
        ({"dense_2": {"use_bias": False}}, 2, {"dense": {"units": 3, "use_bias": False}}),
        ({"conv1d": {"filters": 7}}, 3, {"conv1d": {"filters": 7, "kernel_size": 3}}),
        ({"conv1d": {"dense": {"units": 2}}}, 3, {"dense": {"units": 2}}),
        ({"hidden": {"lstm": {"units": 2}}}, 0, {"lstm": {"units": 2, "name": "hidden"}}),
        ({"hidden": {"lstm": 2}}, 0, {"lstm": {"units": 2, "name": "hidden"}}),
        ({"hidden": {"flatten": None}}, 0, {"flatten": {"name": "hidden"}}),
        ({"hidden": {"lstm": {"units": 2, "name": "other"}}}, 0, {"lstm": {"units": 2, "name": "other"}}),
        ({"hidden": {"dense": 5}}, 0, {"dense": {"units": 5, "name": "hidden"}}),
        pytest.param({"dense_2": {"activation": "tanh"}}, 2, {"dense": {"units": 3, "activation": "tanh"}}),
        ({"dense_2": 5}, 2, {"dense": {"units": 5}}),
        ({"relu": None}, 1, {"dense": 3}),
    ],
)
def test_a_map_patches_a_list_of_layers_by_name(patch: Any, place: int, result: Any) -> None:
    found = merged({"layers": LAYERS}, {"layers": patch})["layers"]
    assert found[place] == result
    others = [layer for index, layer in enumerate(LAYERS) if index != place]
    assert [layer for index, layer in enumerate(found) if index != place or patch.get("relu", 0) is None] == others


def test_a_list_of_layers_is_replaced_by_a_list() -> None:
    assert merged({"layers": LAYERS}, {"layers": [{"dense": 1}]}) == {"layers": [{"dense": 1}]}


@pytest.mark.parametrize("name", ["dense", "dense_4", "hiden", "conv2d"])
def test_a_layer_that_is_not_there(name: str) -> None:
    with pytest.raises(StudyError, match=f"no layer '{name}'"):
        merged({"layers": LAYERS}, {"layers": {name: {"units": 1}}})


def test_the_tools_of_patching() -> None:
    top = node({"a": 1, "b": 2})
    assert isinstance(top, yaml.Mapping)
    assert yaml.data(without(top, "a", "c")) == {"b": 2}
    assert yaml.data(nest(("x", "y"), node(3), top.span)) == {"x": {"y": 3}}


# -- variants ----------------------------------------------------------------------------------------------------------


def test_a_variant_may_set_any_field_and_add_names() -> None:
    found = variant(
        {
            "constants": {"d": 5, "more": 2},
            "task": {"example": {"z": "2 * x"}},
            "outputs": {"twice": "more * f"},
            "measures": {"other": "twice"},
            "dtype": "float64",
            "seed": 3,
        }
    )
    assert found.constants["d"] == 5 and found.constants["more"] == 2
    assert [item.name for item in found.examples] == ["x", "y", "z"]
    assert [item.name for item in found.measures] == ["error", "other"]
    assert (found.dtype, found.seed) == ("float64", 3)


def test_variants_do_not_see_each_other() -> None:
    both = resolve(
        study(lambda e: e.update(variants={"a": {"training": {"steps": 3}}, "b": {"training": {"batch": 7}}}))
    )
    assert both["a"].training and both["b"].training
    assert (both["a"].training.steps, both["a"].training.phases[0].batch) == (3, 2)
    assert (both["b"].training.steps, both["b"].training.phases[0].batch) == (10, 7)


def test_the_empty_variant_is_the_base_run_only_if_listed() -> None:
    bare = resolve(study())[""]
    listed = resolve(study(lambda e: e.update(variants={"base": {}, "other": {"seed": 1}})))
    assert set(listed) == {"base", "other"}
    assert listed["base"].digest == bare.digest != listed["other"].digest
    assert set(resolve(study(lambda e: e.update(variants={"other": {"seed": 1}})))) == {"other"}


@pytest.mark.parametrize("patch", [{"training": {"steps": 10}}, {"constants": {"d": 3}}, {"loss": EXPERIMENT["loss"]}])
def test_a_variant_that_changes_nothing_is_refused(patch: Any) -> None:
    found = refused(study(lambda e: e.update(variants={"v": patch})))
    assert "changes nothing" in found.message and found.hint


@pytest.mark.parametrize(
    ("patch", "word"),
    [
        ({"trainin": {"steps": 3}}, "trainin"),
        ({"training": {"stepz": 3}}, "stepz"),
        ({"training": {"optimizer": {"adm": {}}}}, "adm"),
    ],
)
def test_a_variant_s_path_that_does_not_exist_is_refused_with_a_suggestion(patch: Any, word: str) -> None:
    found = refused(study(lambda e: e.update(variants={"v": patch})))
    assert word in found.message and "Did you mean" in found.hint


def test_a_deletion_is_told_of_where_it_hurts() -> None:
    with pytest.raises(StudyError) as caught:
        variant({"constants": {"d": None}})
    assert "'d'" in caught.value.problems[0].message


# -- profiles and overrides --------------------------------------------------------------------------------------------


def profiled(patch: Any, variants: Any = None) -> dict[str, spec.Program]:
    """The experiment in a profile."""
    change = (lambda e: e.update(variants=variants)) if variants else None
    return resolve(study(change, profiles={"quick": {"experiments": {"e": patch}}}), "quick")


def steps(program: spec.Program) -> int:
    """How many steps a program trains."""
    assert program.training is not None
    return program.training.steps


VARIANTS = {"a": {}, "b": {"training": {"steps": 20}}}


def test_a_profile_reaches_all_variants_over_what_they_say() -> None:
    found = profiled({"training": {"steps": 4}}, VARIANTS)
    assert {name: steps(program) for name, program in found.items()} == {"a": 4, "b": 4}


def test_a_profile_reaches_one_variant() -> None:
    found = profiled({"variants": {"b": {"training": {"steps": 4}}}}, VARIANTS)
    assert {name: steps(program) for name, program in found.items()} == {"a": 10, "b": 4}


def test_an_override_comes_last() -> None:
    document = study(
        lambda e: e.update(variants=VARIANTS), profiles={"quick": {"experiments": {"e": {"training": {"steps": 4}}}}}
    )
    assert {n: steps(p) for n, p in resolve(document, "quick", "training.steps=6").items()} == {"a": 6, "b": 6}
    assert {n: steps(p) for n, p in resolve(document, "quick", "variants.b.training.steps=7").items()} == {
        "a": 4,
        "b": 7,
    }
    assert {n: steps(p) for n, p in resolve(document, None, "training.steps=6", "e.training.steps=8").items()} == {
        "a": 8,
        "b": 8,
    }


def test_profiles_and_overrides_may_set_what_has_a_default() -> None:
    assert profiled({"replicates": 4, "dtype": "float64"})[""].replicates == 4
    assert resolve(study(), None, "seed=5")[""].seed == 5
    assert resolve(study(), None, "training.evaluate.every=3")[""].training.evaluations == (0, 3, 6, 9, 10)  # type: ignore[union-attr]
    assert (
        resolve(study(), None, "training.optimizer.adam.beta_2=0.5")[""]
        .training.phases[0]
        .optimizers[""]
        .arguments["beta_2"]
        == 0.5
    )  # type: ignore[union-attr]


ADDED = [
    {"constants": {"new": 1}},
    {"task": {"example": {"new": 1}}},
    {"measures": {"new": "f"}},
    {"variants": {"new": {}}},
    {"outputs": {"new": "f"}},
    {"architecture": {"new": {"input": "x", "layers": []}}},
    {"architecture": {"f": {"layers": {"new": {"units": 2}}}}},
]


@pytest.mark.parametrize("patch", ADDED, ids=str)
def test_a_profile_adds_no_names(patch: Any) -> None:
    with pytest.raises(StudyError) as caught:
        profiled(patch, VARIANTS)
    assert any("new" in found.message and found.hint for found in caught.value.problems)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("constants.dd=3", "dd"),
        ("trainin.steps=3", "trainin"),
        ("training.stepz=3", "stepz"),
        ("variants.c.seed=3", "c"),
        ("measures.new=f", "new"),
        ("other.seed=3", "other"),
    ],
)
def test_an_override_of_a_path_that_does_not_exist(override: str, said: str) -> None:
    found = refused(study(lambda e: e.update(variants=VARIANTS)), None, override)
    assert said in found.message and found.hint
    assert found.span is not None and found.span.source.name == "-o", "at the override itself, not in the file"


def test_an_override_is_at_fault_where_it_stands() -> None:
    found = refused(study(), None, "training.steps=1 +")
    assert found.span is not None and found.span.source.name == "-o"
    assert found.span.source.text == "training.steps=1 +" and found.span.column > len("training.steps=")


@pytest.mark.parametrize("text", ["training.steps", "=3", " = 3"])
def test_what_is_no_override(text: str) -> None:
    with pytest.raises(StudyError, match="path=value"):
        spec.Override.read(text)


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("training.steps=100", ("training", "steps"), 100),
        ("e.loss={a: 1}", ("e", "loss"), {"a": 1}),
        ("constants.d=[1, 2]", ("constants", "d"), [1, 2]),
        ("measures.a=E(x == y)", ("measures", "a"), "E(x == y)"),
        ("task=null", ("task",), None),
        ("a=1e-5", ("a",), 1e-5),
        ("a=", ("a",), None),
    ],
)
def test_overrides_are_read_as_yaml(text: str, path: tuple[str, ...], value: Any) -> None:
    found = spec.Override.read(text)
    assert (found.path, yaml.data(found.value)) == (path, value)


def test_a_profile_that_changes_nothing_is_refused() -> None:
    with pytest.raises(StudyError, match="changes nothing"):
        profiled({"training": {"steps": 10}})
    assert profiled({}), "an empty one says that it does"


def test_unknown_profiles_and_experiments_are_refused() -> None:
    document = study(profiles={"quick": {"experiments": {"e": {"seed": 1}}}})
    with pytest.raises(StudyError, match="no profile 'quik'") as caught:
        resolve(document, "quik")
    assert "quick" in caught.value.problems[0].hint
    with pytest.raises(StudyError, match="no experiment 'ee'"):
        resolve(study(profiles={"quick": {"experiments": {"ee": {}}}}), "quick")


def test_an_override_may_set_what_holds_already() -> None:
    (plain,) = resolve(study()).values()
    (same,) = resolve(study(), None, "training.steps=10", "e.training.batch=2").values()
    assert same.digest == plain.digest


def phases(
    profile: Any = None, overrides: tuple[str, ...] = (), variants: Any = None
) -> dict[str, list[tuple[str, int]]]:
    """The phases of each cell, with their steps."""
    training = {"optimizer": "adam", "batch": 2, "phases": {"a": {"steps": 5}, "b": {"steps": 6, "times": 2}}}
    own = {**EXPERIMENT, "training": training, "variants": variants or {"plain": {}}}
    study: dict[str, Any] = {"dlspec": 1, "study": "s", "experiments": {"e": own}}
    if profile is not None:
        study["profiles"] = {"p": {"experiments": {"e": {"training": {"phases": profile}}}}}
    document = spec.parse(Source("t.yaml", json.dumps(study)))
    plan = spec.resolve(document, profile and "p", [spec.Override.read(text) for text in overrides])
    return {
        program.name: [(phase.name, phase.steps) for phase in program.training.phases] if program.training else []
        for program in plan.experiments[0].programs
    }


def test_a_patch_of_each_phase_changes_all_that_are_there() -> None:
    """Those that a variant adds, too; what is said of a phase by its name goes over it, and may delete it."""
    more = {"plain": {}, "more": {"training": {"phases": {"*": {"times": 3}, "c": {"steps": 9}}}}}
    assert phases({"*": {"steps": 2}}, variants=more) == {
        "e/plain": [("a", 2), ("b", 2)], "e/more": [("a", 2), ("b", 2), ("c", 2)],
    }  # fmt: skip
    assert phases({"*": {"steps": 2}, "b": {"steps": 3}}) == {"e/plain": [("a", 2), ("b", 3)]}
    assert phases({"b": None, "*": {"steps": 2}}) == {"e/plain": [("a", 2)]}
    assert phases(overrides=("training.phases.*.steps=4",)) == {"e/plain": [("a", 4), ("b", 4)]}


def test_a_new_phase_comes_last_or_before_the_one_that_it_names() -> None:
    """In the order of the patch, so that one new phase may go before another."""
    rest = {"rest": {"steps": 1, "before": "b"}, "last": {"steps": 2}, "first": {"steps": 3, "before": "rest"}}
    found = phases(variants={"plain": {}, "more": {"training": {"phases": rest}}})
    assert found["e/more"] == [("a", 5), ("first", 3), ("rest", 1), ("b", 6), ("last", 2)]
    assert found["e/plain"] == [("a", 5), ("b", 6)]


def test_a_phase_may_lose_what_it_has_beside_what_is_said_of_each() -> None:
    base = {"a": {"steps": 3, "until": "m < 1"}, "b": {"steps": 4}}
    patch = {"*": {"steps": 7}, "a": {"until": None}}
    assert merged(base, patch, "training", "phases") == {"a": {"steps": 7}, "b": {"steps": 7}}


def test_several_values_of_each_phase_make_an_axis() -> None:
    assert list(phases(overrides=("training.phases.*.steps=3,4",)).values()) == [
        [("a", 3), ("b", 3)], [("a", 4), ("b", 4)],
    ]  # fmt: skip
    for patched in ({"a": {"steps": 9}}, {"*": {"steps": 9}}):
        variants = {"plain": {}, "v": {"training": {"phases": patched}}}
        for path in ("*", "a"):
            with pytest.raises(StudyError, match="the axis 'variant' changes"):
                phases(overrides=(f"training.phases.{path}.steps=3,4",), variants=variants)

"""What has another name and another value is found by what stays alike, and its change is shown against the right side."""

from __future__ import annotations

from pathlib import Path

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.swaps import exchanged
from dlspec.spec.diff.trees import Branch, Word, expression, rough, same
from dlspec.spec.expressions.parser import parse_expression

BASE = (Path(__file__).parent / "base.yaml").read_text("utf-8")


def difference(*edits: tuple[str, str], base: str = BASE) -> StudyDiff:
    """The difference that some replacements in the base make."""
    after = base
    for old, new in edits:
        assert old in after, old
        after = after.replace(old, new)
    return compare(spec.parse(Source("a.yaml", base)), spec.parse(Source("b.yaml", after)))


def changes(diff: StudyDiff) -> dict[str, tuple[str, str | None, str | None]]:
    """Each change's action and values, by its path."""
    return {change.label: (change.action, change.before, change.after) for change in diff.changes}


# -- experiments -------------------------------------------------------------------------------------------------------


def test_an_experiment_renamed_with_another_rate_and_a_looser_threshold_shows_both() -> None:
    diff = difference(
        ("  staircase:\n", "  steps:\n"),
        ("      staircase: {", "      steps: {"),
        ("learning_rate: 0.001", "learning_rate: 0.1"),
        ("<= 1e-3", "<= 1e-1"),
    )
    assert changes(diff) == {
        "experiments.staircase": ("renamed", "staircase", "steps"),
        "steps.training.optimizer.learning_rate": ("changed", "0.001", "0.1"),
        "steps.claims.learns.check": (
            "changed",
            "final(error, variant == forward_only) <= 0.001",
            "final(error, variant == forward_only) <= 0.1",
        ),
    }
    assert [(item.experiment, item.claim, item.message) for item in diff.warnings] == [
        ("steps", "learns", "loosened: the threshold moved from 0.001 to 0.1")
    ]
    assert {cell.status for cell in diff.cells} == {"again"}, "the name enters every seed"
    assert next(change for change in diff.changes if change.action == "renamed").seeds


def test_experiments_that_have_little_in_common_are_not_one_under_two_names() -> None:
    end = BASE.index("profiles:")
    other = "  noise:\n    measures: {level: E(b^2)}\n    task: {example: {b: uniform()}}\n"
    diff = difference((BASE[BASE.index("  width:\n") : end], other))
    assert changes(diff) == {
        "experiments.noise": ("added", None, "noise"),
        "experiments.width": ("removed", "width", None),
    }


def test_of_two_experiments_that_went_each_is_found_under_the_name_of_what_is_most_like_it() -> None:
    start = BASE.index("  width:\n")
    block = BASE[start : BASE.index("profiles:")]
    twice = BASE.replace(block, block + block.replace("  width:\n", "  deep:\n").replace("depth: 2", "depth: 5"))
    now = {"  deep:\n": "  one:\n", "  width:\n": "  two:\n", "batch: 32": "batch: 33"}
    found = changes(difference(*now.items(), base=twice))
    assert found == {
        "experiments.deep": ("renamed", "deep", "one"),
        "experiments.width": ("renamed", "width", "two"),
        "one.training.batch": ("changed", "32", "33"),
        "two.training.batch": ("changed", "32", "33"),
    }


def test_two_experiments_whose_names_were_exchanged_are_renamed_and_not_changed() -> None:
    start = BASE.index("  width:\n")
    block = BASE[start : BASE.index("profiles:")]
    deep = block.replace("  width:\n", "  deep:\n").replace("depth: 2", "depth: 5").replace("tanh", "relu")
    twice = BASE.replace(block, block + deep)
    diff = difference(("  deep:\n", "  x:\n"), ("  width:\n", "  deep:\n"), ("  x:\n", "  width:\n"), base=twice)
    assert changes(diff) == {
        "experiments.deep": ("renamed", "deep", "width"),
        "experiments.width": ("renamed", "width", "deep"),
    }
    assert not diff.same


# -- variants, and named values on axes --------------------------------------------------------------------------------

SWEPT = """
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 5}
    sweep:
      size:
        small: {architecture: {f: {input: x, layers: [dense: 4, dense: 1]}}}
        large: {architecture: {f: {input: x, layers: [dense: 40, dense: 1]}}}
      d: [4, 5]
    task: {example: {x: "normal([d])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 7, dense: 1]}}
    loss: {squared: "(f - y)^2"}
    training: {optimizer: {sgd: {learning_rate: 0.01}}, batch: 32, steps: 100}
    measures: {error: E((f - y)^2)}
    claims:
      falls: {says: Width helps., check: "final(error, size == large) < final(error, size == small)"}
    figures:
      curves: {kind: curves, y: error, where: size == large, colour: size}
"""


def test_a_variant_renamed_and_changed_is_one_variant() -> None:
    diff = difference(
        ("smooth:", "soft_train:"), ('loss: {squared: "(soft', 'training: {steps: 700}\n        loss: {squared: "(soft')
    )
    assert changes(diff) == {
        "staircase.variants.smooth": ("renamed", "smooth", "soft_train"),
        "staircase.training.steps": ("changed", "1000", "700"),
    }
    assert next(c for c in diff.changes if c.factor).where.variants == ("soft_train",)


def test_a_variant_is_found_under_its_new_name_though_the_base_changed() -> None:
    diff = difference(("smooth:", "soft_train:"), ("batch: 64", "batch: 32"))
    assert changes(diff) == {
        "staircase.variants.smooth": ("renamed", "smooth", "soft_train"),
        "staircase.training.batch": ("changed", "64", "32"),
    }


def test_a_variant_that_came_for_another_one_is_no_rename() -> None:
    diff = difference(
        ('smooth:\n        loss: {squared: "(soft(score, 5) - y)^2"}', "brief:\n        training: {steps: 9}")
    )
    assert {change.action for change in diff.changes} == {"added", "removed"}


def test_variants_whose_names_were_exchanged_need_no_new_cell_and_claims_that_stay_look_at_the_other_one() -> None:
    swap = (("forward_only:", "passed:"), ("smooth:", "forward_only:"), ("passed:", "smooth:"))
    diff = difference(*swap)
    assert {cell.status for cell in diff.cells} == {"same"}
    assert not diff.same, "the claims speak of the other variant now"
    assert {label: action for label, (action, *_) in changes(diff).items()} == {
        "staircase.variants.forward_only": "renamed",
        "staircase.variants.smooth": "renamed",
        "staircase.claims.learns.check": "changed",
        "staircase.claims.better.check": "changed",
    }
    assert {item.claim for item in diff.warnings} == {"learns", "better"}
    everywhere = (("== forward_only", "== smooth"), ("!= forward_only", "!= smooth"))
    assert difference(*swap, *everywhere).same


def test_a_value_of_an_axis_has_a_new_name_wherever_it_is_chosen() -> None:
    diff = difference(("small", "little"), base=SWEPT)
    assert diff.same and changes(diff) == {"e.sweep.size.small": ("renamed", "small", "little")}
    diff = difference(("small", "little"), ("dense: 4,", "dense: 5,"), base=SWEPT)
    assert changes(diff) == {
        "e.sweep.size.small": ("renamed", "small", "little"),
        "e.architecture.f.layers.dense_1.units": ("changed", "4", "5"),
    }
    assert [(cell.status, cell.name) for cell in diff.cells if cell.status != "same"] == [
        ("again", "e size=little d=4"),
        ("again", "e size=little d=5"),
    ]


def test_an_axis_of_named_patches_has_a_new_name() -> None:
    diff = difference(("size", "width"), base=SWEPT)
    assert diff.same and changes(diff) == {"e.sweep.size": ("renamed", "size", "width")}
    diff = difference(("size", "width"), ("small", "little"), ("steps: 100", "steps: 90"), base=SWEPT)
    assert changes(diff) == {
        "e.sweep.size": ("renamed", "size", "width"),
        "e.sweep.size.small": ("renamed", "small", "little"),
        "e.training.steps": ("changed", "100", "90"),
    }


def test_values_of_an_axis_that_were_exchanged_keep_their_results() -> None:
    diff = difference(("small: {", "x: {"), ("large: {", "small: {"), ("x: {", "large: {"), base=SWEPT)
    assert {cell.status for cell in diff.cells} == {"same"} and not diff.same
    assert [item.claim for item in diff.warnings] == ["falls"]


# -- names inside an experiment ----------------------------------------------------------------------------------------


def test_what_stands_under_a_new_name_is_compared_with_what_is_most_like_it() -> None:
    edits = {
        "function": (("soft(r, c): r +", "gentle(r, c): 2 * r +"), ("(soft(", "(gentle(")),
        "measure": (("close: E(near(score))", "nearby: E(near(2 * score))"),),
        "claim": (("learns:\n", "learnt_well:\n"), ("<= 1e-3", "<= 1e-2")),
        "draw": (("v: normal([d])", "w: 2 * normal([d])"), ("dot(v", "dot(w")),
        "output": (("guess: u(score)", "answer: u(score + 1)"), ("guess: score", "answer: score"), ("guess", "answer")),
        "network": (("critic", "judge"), ("units: 4, name", "units: 5, name")),
        "figure": (("learnt: {kind: function, title", "shown: {kind: function, examples: 70, title"),),
        "loss term": (('loss: {squared: "(f - y)^2"}', "loss: {distance: abs(f - y)}"),),
    }
    for kind, own in edits.items():
        diff = difference(*own)
        assert [change.scope for change in diff.changes if change.action == "renamed"] == [kind], kind
        assert [change.action for change in diff.changes if change.action != "renamed"] in (
            ["changed"],
            ["changed", "changed"],
        ), (kind, changes(diff))


def test_a_layer_inside_a_repeated_block_has_a_new_name_and_new_seeds() -> None:
    diff = difference(("name: inner", "name: core"))
    assert changes(diff) == {"width.architecture.f.layers.block.layers.inner": ("renamed", "inner", "core")}
    diff = difference(("name: inner", "name: core"), ("activation: tanh", "activation: relu"))
    assert changes(diff) == {
        "width.architecture.f.layers.block.layers.inner": ("renamed", "inner", "core"),
        "width.architecture.f.layers.block.layers.core.activation": ("changed", "tanh", "relu"),
    }


def test_a_layer_has_its_new_name_in_expressions_too_at_any_depth() -> None:
    weight = (
        "error: E((f - y)^2)}\n    claims",
        "error: E((f - y)^2), size: 'sum(f.block[0].inner.kernel^2)'}\n    claims",
    )
    base = BASE.replace(*weight)
    assert base != BASE
    both = (("name: block", "name: tower"), ("name: inner", "name: core"), ("f.block[0].inner", "f.tower[0].core"))
    renamed = {
        "width.architecture.f.layers.block": ("renamed", "block", "tower"),
        "width.architecture.f.layers.tower.layers.inner": ("renamed", "inner", "core"),
    }
    assert changes(difference(*both, base=base)) == renamed
    network = (
        (
            "      f:\n        input: x\n        layers:\n          - repeat",
            "      g:\n        input: x\n        layers:\n          - repeat",
        ),
    )
    uses = (("(f - y)^2", "(g - y)^2"), ("f.tower", "g.tower"))
    diff = difference(*both, *network, *uses, base=base)
    assert {change.action for change in diff.changes} == {"renamed"} and len(diff.changes) == 3, changes(diff)


def test_names_that_were_exchanged_wherever_they_are_used_mean_the_same() -> None:
    swap = (("half: 0.5", "x: 0.5"), ("tolerance: 1e-2", "half: 1e-2"), ("x: 0.5", "tolerance: 0.5"))
    uses = (("0, tolerance)", "0, half)"), ("< half", "< tolerance"))
    diff = difference(*swap, *uses)
    assert diff.same and {change.action for change in diff.changes} == {"renamed"}
    diff = difference(*swap)
    assert {change.action for change in diff.changes} == {"changed"} and not diff.same


def test_names_that_stand_for_other_things_are_compared_with_what_may_be_the_same() -> None:
    """300 names whose meanings all changed, but for two that were exchanged: each is compared with its own, and few more."""
    old = {f"m{number}": number for number in range(300)}
    new = {name: number + 1000 for name, number in old.items()} | {"m7": 8, "m8": 7}
    compared = []

    def equal(one: int, other: int) -> bool:
        compared.append((one, other))
        return one == other

    assert exchanged(old, new, equal, lambda number: number % 100) == {"m7": "m8", "m8": "m7"}
    assert len(compared) < 5 * len(old)


def test_trees_that_are_the_same_have_one_rough_form() -> None:
    spellings = ("a + 1 * b", "a + (1 * b)", "-2", "a - -2", "[1, 2]")
    trees = [Branch({"x": expression(parse_expression(text)), "y": Word("word")}) for text in spellings]
    for one in trees:
        for other in trees:
            assert rough(one) == rough(other) or not same(one, other)
    assert rough(trees[0]) == rough(trees[1]) != rough(trees[2])

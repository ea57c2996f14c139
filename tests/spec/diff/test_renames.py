"""What has another name and another value is found by what stays alike, and its change is shown against the right side."""

from __future__ import annotations

from pathlib import Path

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare

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

"""A name that one side changed: what the other side changed under it, and where it newly uses the old one."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.merge import merged

BASE = """\
dlspec: 1
study: s
experiments:
  plain:
    constants: {n: 3, half: 0.5}
    functions: {near(r): abs(r) < half}
    task: {draw: {v: "normal([n])"}, example: {x: "normal([n])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {sq: (f - y)^2}
    training: {optimizer: {adam: 0.01}, batch: 32, steps: 500}
    measures:
      error: E(near(f - y))
    variants:
      long:
        training:
          steps: 900
      slow: {training: {optimizer: {adam: 0.001}}}
    claims:
      learns: {says: It is near the target., check: "final(error, variant == slow) > 0.1"}
  derived:
    base: plain
    measures: {more: E(f)}
  other:
    task: {draw: {half: normal()}, example: {x: half}}
    measures: {mean: E(x)}
profiles:
  quick:
    about: In short.
    experiments:
      plain:
        training:
          steps: 50
          batch: 16
"""
Edits = list[tuple[str, str]]


def edited(edits: Edits) -> str:
    text = BASE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


FUNCTION = [("near(", "close(")]
VARIANT = [("long:", "longer:")]
EXPERIMENT = [
    ("plain:\n    const", "simple:\n    const"),
    ("base: plain", "base: simple"),
    ("      plain:\n", "      simple:\n"),
]
CONSTANT = [("half: 0.5", "part: 0.5"), ("< half", "< part")]


@pytest.mark.parametrize(("rename", "use", "old", "new"), [
    (FUNCTION, [("E(near(f - y))\n", "E(near(f - y))\n      inside: E(near(f))\n")], "near", "close"),
    (FUNCTION, [("more: E(f)", "more: E(near(f))")], "near", "close"),
    (CONSTANT, [("more: E(f)", "more: E(f) + half")], "half", "part"),
    (CONSTANT, [("        training:\n          steps: 50\n", "        constants: {half: 2}\n        training:\n          steps: 50\n")], "half", "part"),
    (VARIANT, [("          batch: 16\n", "          batch: 16\n        variants: {long: {training: {steps: 60}}}\n")], "long", "longer"),
    (VARIANT, [("    claims:\n", "    claims:\n      far: {says: a, check: \"final(error, variant == long) > 0\"}\n")], "long", "longer"),
    (EXPERIMENT, [("  other:\n", "  third:\n    base: plain\n  other:\n")], "plain", "simple"),
    (EXPERIMENT, [("          batch: 16\n", "          batch: 16\n  slow: {about: b, experiments: {plain: {replicates: 3}}}\n")], "plain", "simple"),
])  # fmt: skip
def test_an_old_name_that_the_other_side_newly_uses_is_told(rename: Edits, use: Edits, old: str, new: str) -> None:
    for sides, user, namer in (((rename, use), "theirs", "ours"), ((use, rename), "ours", "theirs")):
        found = merged(BASE, *map(edited, sides))
        assert found.conflicts == ()
        (doubt,) = found.doubts
        assert doubt.startswith(f"{user} newly uses `{old}`, which {namer} calls `{new}` in `")
        assert doubt.endswith(f": write `{new}` where that is meant")


@pytest.mark.parametrize(("rename", "use"), [
    (FUNCTION, [("It is near the target", "It is near or very near the target")]),
    (CONSTANT, [("mean: E(x)", "mean: E(x + half)")]),  # a draw of another experiment
    (VARIANT, [("more: E(f)", "long: E(f)")]),
    (FUNCTION, [("steps: 50\n", "steps: 60\n")]),
])  # fmt: skip
def test_what_is_not_that_name_is_no_matter(rename: Edits, use: Edits) -> None:
    found = merged(BASE, edited(rename), edited(use))
    assert found.conflicts == found.doubts == ()


@pytest.mark.parametrize(("rename", "change"), [
    (EXPERIMENT, ("steps: 50\n", "steps: 60\n")), (EXPERIMENT, ("batch: 32", "batch: 64")),
    (VARIANT, ("steps: 900", "steps: 800")), (FUNCTION, ("abs(r) < half", "abs(r) <= half")),
])  # fmt: skip
def test_a_change_under_a_name_that_the_other_side_changed_is_made_under_the_new_one(
    rename: Edits, change: tuple[str, str]
) -> None:
    both = edited([*rename, change])
    for sides in ((rename, [change]), ([change], rename)):
        found = merged(BASE, *map(edited, sides))
        assert (found.text, found.conflicts, found.doubts) == (both, (), ())
    spec.validate(spec.parse(Source("s.yaml", both)))

"""Parts of claims that can't be compared are wrong with a profile, an override and `--only`, too; what these leave out is not."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 1, m: 1}
    sweep: {d: [1, 2, 3], m: [3, 4, 4]}
    zip: ZIP
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: d * m * f^2}
    training: {optimizer: sgd, batch: 4, steps: 2, evaluate: {examples: 8}}
    measures: {error: E(f^2)}
    replicates: 2
    variants: {u: {}, v: {seed: 3}}
    claims:
      a: {says: it, check: "CHECK"}
profiles:
  quick: {experiments: {e: {sweep: {d: [2], m: [4]}}}}
"""
WAYS = ("", "only", "profile", "training.steps=3")


def told(check: str, way: str = "", zipped: bool = False) -> list[tuple[str, str]]:
    """What is said of a claim, with a profile, `--only` or an override."""
    text = STUDY.replace("CHECK", check).replace("ZIP", "[[d, m]]" if zipped else "[]")
    document = spec.parse(Source("s.yaml", text if zipped else text.replace("[3, 4, 4]", "[3, 4]")))
    overrides = [spec.Override.read(way)] if "=" in way else []
    try:
        spec.resolve(document, "quick" if way == "profile" else None, overrides, ["e/u"] if way == "only" else [])
    except spec.StudyError as error:
        assert all(problem.span is not None for problem in error.problems)
        return [(problem.message, problem.hint) for problem in error.problems]
    return []


@pytest.mark.parametrize("zipped", (False, True))
@pytest.mark.parametrize("way", WAYS)
def test_parts_that_do_not_meet_are_wrong_however_the_study_is_run(way: str, zipped: bool) -> None:
    for check, start in (
        ("slope(final(error, d == 1), d) > 0", "`final(error, d == 1)` has one value along 'd'"),
        ("final(error, d <= 1) < final(error, d >= 3)", "the parts of "),
        ("final(error, d < 2, d > 2) < 1", "`final(error, d < 2, d > 2)` selects no cell"),
    ):
        ((message, _),) = told(check, way, zipped)
        assert message.startswith(start)


@pytest.mark.parametrize("zipped", (False, True))
@pytest.mark.parametrize("way", WAYS)
def test_what_a_profile_or_only_leaves_out_is_not_wrong(way: str, zipped: bool) -> None:
    for check in (
        "slope(final(error), d) > 0",
        "final(error, d == 1, m == 3) < final(error, d == 3, m == 4)",
        "final(error, variant == u) < final(error, variant == v)",
    ):
        assert told(check, way, zipped) == []


def test_values_of_an_override_are_compared_with_those_that_it_leaves_out() -> None:
    assert told("final(error, d == 5) < final(error, d == 3)", "sweep.d=[5, 6]") == []
    assert told("final(error, variant == u) < final(error, variant == v)", "variants.v=null") == []


def test_an_axis_that_an_override_removes_is_named() -> None:
    hint = "The profile or an override removes 'd': keep one value of it, or remove the claim there, too."
    assert told("slope(final(error), d) > 0", "sweep.d=null") == [
        ("this is neither a swept constant nor made from one", hint)
    ]
    assert told("final(error, d == 1) < 3", "sweep.d=null") == [("there is no axis 'd'", hint)]


def test_the_advice_for_zipped_axes_can_be_followed() -> None:
    ((_, hint),) = told("final(error, m == 4) < final(error, d <= 2)", zipped=True)
    assert hint.endswith("one value of each in one of them: `d == 2, m == 4`.")
    assert told("final(error, d == 2, m == 4) < final(error, d <= 2)", zipped=True) == []
    ((_, hint),) = told("slope(final(error, m == 3), d) > 0", zipped=True)
    assert hint == "Leave out the condition `m == 3`, or choose several values: `m >= …`."
    assert (
        told("slope(final(error, m >= 3), d) > 0", zipped=True) == told("slope(final(error), d) > 0", zipped=True) == []
    )
    ((message, hint),) = told("increasing(final(error, m == 4), m) and final(error) < 9", zipped=True)
    assert message == "`increasing(final(error, m == 4), m)` runs along 'm', which has a single value here"
    assert hint == "It needs two or more: choose other values, or another axis: d."
    assert told("increasing(final(error, m == 4), d)", zipped=True) == []

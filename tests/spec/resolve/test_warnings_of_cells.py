"""A warning of some cells is told with where it arises; that something is used nowhere is one of all cells."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {"hard(v)": "1 if v > 0 else 0"}
    task: {example: {x: "normal([4])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [dense: {units: 8, name: body}, activation: {activation: relu, name: act}, dense: 1]}}
    loss: {l: "(f - y)^2"}
    training: {optimizer: adam, batch: 8, phases: {a: {steps: 4}, b: {steps: 4}}}
    estimates: {m: {after: a, of: "E(f^2)", examples: 100}}
    variants: VARIANTS
    measures: {error: "E((f - y)^2)"}
"""


def warnings(variants: str) -> Sequence[Problem]:
    """Those of the study with some variants."""
    return spec.resolve(spec.parse(Source("s.yaml", STUDY.replace("VARIANTS", variants)))).warnings


def test_a_layer_that_one_variant_leaves_untrained() -> None:
    """In the variant's own patch it needs no note."""
    hard = "{soft: {measures: {shown: m}}, hard: {architecture: {f: {layers: {act: {activation: hard}}}}}}"
    (told,) = warnings(hard)
    assert told.message.startswith("'f.body' is not trained") and "This arises" not in told.hint
    assert told.span is not None and told.line == 12


def test_what_one_variant_uses_is_used() -> None:
    unused = "nothing uses the estimate 'm'"
    assert unused in [told.message for told in warnings("{one: {}, other: {measures: {size: E(f)}}}")]
    assert not warnings("{one: {}, other: {measures: {shown: m}}}")

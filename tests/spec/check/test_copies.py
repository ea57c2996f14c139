"""A network that shares its weights over copies of one input gives one output several times: that is warned of, and what tells its inputs apart is not."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{k: {k}}}
    functions: {{copies(v): "repeat(v, k)"}}
    task: {{example: {{x: "normal([4])", u: "uniform(0, 1)", many: "repeat(x, k)", each: "normal([k, 4])", rows: "[x, x, x]", drawn: "normal([4]) for i < k"}}}}
    architecture: {{f: {{input: "{given}", each: k, layers: [{layers}dense: 1]}}}}
    loss: {{l: mean(f)^2}}
    training: {{optimizer: adam, batch: 2, steps: 4}}
    measures: {{m: E(mean(f)^2)}}
"""


def warned(given: str, layers: str = "", k: int = 3) -> list[str]:
    """What is warned of in a network's input."""
    study = STUDY.format(given=given, layers=layers, k=k)
    found = spec.resolve(spec.parse(Source("s.yaml", study))).warnings
    return [one.message for one in found if "copies" in one.message]


@pytest.mark.parametrize(
    "given",
    ["repeat(x, k)", "many", "[x, x, x]", "rows", "[x for i < k]", "[2 * x[j] for i < k, j < 4]", "repeat(each, k)"],
)
def test_copies_are_warned_of(given: str) -> None:
    told = "'f' is applied to 3 copies of one input, with the same weights: it gives 3 times the same"
    assert warned(given) == [told]


@pytest.mark.parametrize(
    "given",
    [
        "each", "[x, 2 * x, x]", "[x, -x, x]", "[x + i for i < k]", "[x[i] + x[j] for i < k, j < 4]", "reshape(concat(x, u * x, x), [k, 4])",
        "[many[i] for i < k]", "drawn", "many + each",
    ],
)  # fmt: skip
def test_inputs_that_differ_are_not(given: str) -> None:
    assert warned(given) == []


def test_nor_is_one_alone_or_what_draws() -> None:
    assert warned("repeat(x, k)", k=1) == []
    assert warned("repeat(x, k)", "{dropout: 0.5}, ") == []
    assert warned("repeat(x, k)", "{layer_normalization: {}}, ") != []


@pytest.mark.parametrize(
    ("layers", "told"),
    [("tanh", True), ("whiten: {examples: 8}", True), ("dense: 2", False), ("dropout: 0.5", False), ("layer_normalization", False)],
)  # fmt: skip
def test_copies_without_weights_are_warned_of(layers: str, told: bool) -> None:
    study = f"""
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([4])"}}}}
    architecture: {{f: {{input: x, copies: 3, layers: [{layers}]}}, g: {{input: f, layers: [flatten, dense: 1]}}}}
    loss: {{l: g^2}}
    training: {{optimizer: adam, batch: 2, steps: 4}}
    measures: {{m: E(g^2)}}
"""
    found = spec.resolve(spec.parse(Source("s.yaml", study))).warnings
    message = "'f' has no weights that are learnt, and draws nothing: its 3 copies give the same"
    assert ([one.message for one in found if "copies" in one.message] == [message]) is told

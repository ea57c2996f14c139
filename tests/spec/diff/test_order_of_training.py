"""The order of phases and of updates has a meaning; that of the networks of an update, or of what restarts, has none."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare

STUDY = """
dlspec: 1
study: order
experiments:
  e:
    task: {{example: {{x: "normal([2])", z: "normal([3])"}}}}
    architecture: {{G: {{input: z, layers: [dense: 2]}}, D: {{input: x, layers: [dense: 1]}}}}
    loss: {{critic: "D(x)^2 + D(G)", fool: "D(G)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, phases: {{{phases}}}, updates: {{{updates}}}}}
    measures: {{m: E(D)}}
"""
PHASES = ("a: {steps: 2}", "b: {steps: 3, restart: [D, G]}", "c: {steps: 4}")
UPDATES = ("one: {networks: [D, G], loss: [critic, fool]}", "two: {networks: [G], loss: [fool]}")


def study(phases: tuple[str, ...] = PHASES, updates: tuple[str, ...] = UPDATES) -> spec.Document:
    text = STUDY.format(phases=", ".join(phases), updates=", ".join(updates))
    return spec.parse(Source("order.yaml", text))


def digest(document: spec.Document) -> str:
    return spec.resolve(document).experiments[0].programs[0].digest


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        (study(updates=UPDATES[::-1]), ("training", "updates", "two"), ("behind `one`", "to the front")),
        (study((PHASES[1], PHASES[0], PHASES[2])), ("training", "phases", "b"), ("behind `a`", "to the front")),
        (study((PHASES[0], PHASES[2], PHASES[1])), ("training", "phases", "c"), ("behind `b`", "behind `a`")),
    ],
    ids=["updates", "first phases", "last phases"],
)
def test_another_order_is_another_training(
    changed: spec.Document, path: tuple[str, ...], said: tuple[str, str]
) -> None:
    assert digest(study()) != digest(changed)
    (change,) = compare(study(), changed).changes
    assert (change.path, change.action, (change.before, change.after)) == (path, "moved", said)
    assert "training" in change.classes


def test_the_order_of_networks_terms_and_restarts_has_no_meaning() -> None:
    other = study(
        tuple(text.replace("[D, G]", "[G, D]") for text in PHASES),
        tuple(text.replace("[D, G]", "[G, D]").replace("[critic, fool]", "[fool, critic]") for text in UPDATES),
    )
    assert digest(study()) == digest(other)
    assert not compare(study(), other).changes


def test_names_of_phases_and_updates_are_no_meaning() -> None:
    other = study(("z: {steps: 2}", *PHASES[1:]), (UPDATES[0].replace("one", "zero"), UPDATES[1]))
    assert digest(study()) == digest(other)


def test_a_list_of_what_restarts_is_short_for_a_map() -> None:
    """That says `anew` of each; `initial` is another training, and a change of the phase."""
    long = study(tuple(text.replace("[D, G]", "{D: anew, G: anew}") for text in PHASES))
    assert digest(study()) == digest(long)
    assert not compare(study(), long).changes
    other = study(tuple(text.replace("[D, G]", "{D: anew, G: initial}") for text in PHASES))
    assert digest(long) != digest(other)
    (change,) = compare(long, other).changes
    assert "training" in change.classes
    assert change.path == ("training", "phases", "b", "restart")


def test_what_a_phase_says_again_of_the_optimiser_is_no_difference_and_no_default_is_told_of_it() -> None:
    again, once = (study((PHASES[0], f"b: {{steps: 3, optimizer: {{sgd: {{{said}}}}}}}")) for said in (
        "learning_rate: 0.2, momentum: 0.5", "learning_rate: 0.2"))  # fmt: skip
    base = once.source.text.replace("{sgd: 0.1}", "{sgd: {learning_rate: 0.1, momentum: 0.5}}")
    kept, said = (spec.parse(Source("order.yaml", text)) for text in (base, base.replace("0.2", "0.2, momentum: 0.5")))
    diff = compare(said, kept)
    assert digest(said) == digest(kept) != digest(again)
    (change,) = diff.changes
    assert (change.path[-1], change.action, change.classes) == ("momentum", "removed", ("text",))

"""Names of every kind that the models have: each is known where it is declared, and changed wherever it stands for the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from dlspec.spec.editor.document import OpenStudy
from dlspec.spec.editor.names import WHAT
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.model.fields import Place, fields

PHASES = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 2}
    sweep: {d: [1, 2]}
    functions: {u(r): r + d}
    task:
      draw: {w: "normal([d])"}
      example: {x: "normal([d])", z: "normal([d])", t: "(sum(x) - mu) * w[0]"}
      statistics: {mu: E(sum(x))}
      data: {train: 20, test: 10}
      tests: {long: {x: 2 * z}}
    architecture:
      f: {input: x, layers: [dense: {name: head, units: 1}]}
      g: {input: z, layers: [dense: 1]}
    outputs: {both: u(f) + g}
    loss: {fit: (both - t)^2, other: g^2}
    gradient: {u: exact}
    training:
      optimizer: {f: {sgd: 0.1}, g: {sgd: 0.2}}
      batch: 4
      phases:
        first: {steps: 4}
        second: {steps: 4, restart: [f.head], optimizer: {f: {sgd: 0.3}, g: {sgd: 0.2}}, loss: {fit: (both - t)^2}}
    estimates: {kept: {after: first, of: E(both^2)}}
    measures: {error: E(both^2), far: {of: "E(g^2) + kept + norm(after(first, f.weights))", on: long}, also: "E(both, on=long)"}
    claims: {small: {says: it, check: "at(error, end(first), variant == plain) < 9"}}
    figures: {drawn: {kind: curves, y: [error, far]}}
    replicates: 5
    variants:
      plain: {}
      wide: {training: {phases: {first: {steps: 8}}}, loss: {fit: (both - t)^4}, measures: {error: E(both^4)}}
profiles:
  quick: {experiments: {e: {claims: {small: {judge: mean}}, figures: {drawn: {title: It}}, task: {tests: {long: {x: 3 * z}}}}}}
"""
UPDATES = """\
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])", z: "normal([2])"}, data: {train: 20, redraw: [z]}}
    architecture: {D: {input: x, layers: [dense: 1]}, G: {input: z, layers: [dense: 2]}, p: {parameter: [2], initializer: zeros}}
    loss: {critic: D(G), fool: -D(G), lone: sum(p)^2}
    training:
      optimizer: {sgd: 0.1}
      batch: 4
      steps: 20
      updates: {one: {networks: [D, p], loss: [critic, lone]}, two: {networks: [G], loss: [fool]}}
    measures: {m: E(D)}
    variants: {plain: {}, five: {training: {updates: {one: {times: 5}}}}}
"""
TRAINS = """\
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])"}}
    architecture: {D: {input: x, layers: [dense: 1]}, G: {input: x, layers: [dense: 2]}, p: {parameter: [2], initializer: zeros}}
    loss: {critic: {of: D(G) + sum(p), trains: [p, D]}, fool: {of: -D(G), trains: G}}
    training: {optimizer: {D: {sgd: 0.1}, G: {adam: 0.1}, p: {sgd: 0.1}}, batch: 4, steps: 20}
    measures: {m: E(D)}
"""
IN_DIGESTS = ("statistics", "estimates")
"""Results are known by these names, too: under another they would be made anew, so they stay."""


def opened(text: str) -> OpenStudy:
    study = OpenStudy("s.yaml", text)
    study.refresh()
    return study


NAMES = [
    (text, *name)
    for text in (PHASES, UPDATES, TRAINS)
    for name in opened(text).experiments["e"].known
    if name[0] not in IN_DIGESTS
]


def test_studies_have_no_problems() -> None:
    assert [[one.message for one in opened(text).problems()] for text in (PHASES, UPDATES, TRAINS)] == [[], [], []]


@pytest.mark.parametrize(("text", "kind", "name"), NAMES, ids=[f"{kind} {name}" for _, kind, name in NAMES])
def test_a_name_is_changed_wherever_it_stands(text: str, kind: str, name: str) -> None:
    study = opened(text)
    key = study.experiments["e"].known[kind, name].key
    places, _ = study.renamed(key.line - 1, key.column - 1, "qq")
    lines = text.split("\n")
    for word in sorted(places, key=lambda word: (word.line, word.start), reverse=True):
        lines[word.line] = lines[word.line][: word.start] + "qq" + lines[word.line][word.end :]
    assert not re.search(rf"\b{name}\b", "\n".join(lines))


def _kinds(place: Place) -> Iterator[str]:
    """The kinds of names that keys at a place or below it declare; patches are experiments once more."""
    if place.declares:
        yield place.declares
    for model in place.models:
        for name in fields(model):
            yield from _kinds(place.below(name, {name: ""}))
    below = place.below("x", {}) if place.names and not place.holds_layers else None
    if below is not None and not any("measures" in fields(model) for model in below.models):
        yield from _kinds(below)


def test_kinds_are_those_of_the_models() -> None:
    assert {*_kinds(Place((Experiment,)))} == {*WHAT}

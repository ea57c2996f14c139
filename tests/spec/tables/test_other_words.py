"""What other tools call a row leads to a row that is there, and is told where the word stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.tables import other_words
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES, other_mode
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import ACTIVATIONS
from dlspec.spec.tables.optimizers import OPTIMIZERS

STUDY = """
dlspec: 1
study: words
experiments:
  e:
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: {units: 1, activation: relu, kernel_initializer: zeros}]}}
    gradient: {f: exact}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 2}
    measures: {error: E(f)}
"""
TABLES = [
    (other_words.OTHER_OPTIMIZERS, OPTIMIZERS, "optimizer: sgd"),
    ({word: other_mode(word) for row in GRADIENT_MODES.values() for word in row.others}, GRADIENT_MODES, "f: exact"),
    (other_words.OTHER_INITIALIZERS, INITIALIZERS, "kernel_initializer: zeros"),
    (other_words.OTHER_ACTIVATIONS, ACTIVATIONS, "activation: relu"),
]


@pytest.mark.parametrize(
    ("others", "rows", "place"), TABLES, ids=["optimisers", "modes", "initialisers", "activations"]
)
def test_a_word_of_others_leads_to_a_row(others: Mapping[str, str], rows: Collection[str], place: str) -> None:
    for word, hint in others.items():
        assert word not in rows and word == word.lower()
        named = re.search(r"`\{?(\w+)", hint)
        assert named is not None and named[1] in rows, hint
        if place.startswith(("activation", "kernel")) and word in ("identity", "id", "none", "he"):
            continue  # an operation, or a value of YAML's
        said = f"{place.partition(': ')[0]}: {word}"
        with pytest.raises(StudyError) as caught:
            spec.resolve(spec.parse(Source("words.yaml", STUDY.replace(place, said))))
        assert [problem.hint for problem in caught.value.problems] == [hint], word

"""A profile that changes the steps alone has no measure looked through again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir import terms as t

STUDY = """
dlspec: 1
study: many
experiments:
  e:
    task: {{example: {{x: "normal([4])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{o: f * 2}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 2}}
    measures: {{{measures}}}
profiles: {{{profiles}}}
"""


def _walked(monkeypatch: pytest.MonkeyPatch, measures: int, profiles: int) -> int:
    """How many terms are gone through in a validation."""
    count = 0
    walk = t.walk

    def counted(*args: Any) -> Iterator[t.Term]:
        nonlocal count
        for item in walk(*args):
            count += 1
            yield item

    text = STUDY.format(
        measures=", ".join(f'm{n}: "E((o - y)^2 * {n + 2})"' for n in range(measures)),
        profiles=", ".join(f"p{n}: {{experiments: {{e: {{training: {{steps: {n + 3}}}}}}}}}" for n in range(profiles)),
    )
    with monkeypatch.context() as patched:
        patched.setattr(t, "walk", counted)
        assert spec.validate(spec.parse(Source("many.yaml", text))) == ()
    return count


def test_profiles_share_what_is_found_in_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_walked(monkeypatch, measures, 20) - _walked(monkeypatch, measures, 2) for measures in (5, 40))
    assert few == many

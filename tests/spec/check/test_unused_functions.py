"""Functions that nothing calls: what is wrong in them is found, with the words that are near, among thousands of them, too."""

from __future__ import annotations

from functools import cached_property

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diagnostics.suggestions import Words
from dlspec.spec.tables.counters import COUNTERS

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {{{functions}}}
    task: {{example: {{x: normal()}}}}
    measures: {{m: E(x)}}
"""


def problems(functions: str) -> list[tuple[str, str]]:
    """What is said of some functions, and what to do about it."""
    with pytest.raises(spec.StudyError) as raised:
        spec.resolve(spec.parse(Source("s.yaml", STUDY.format(functions=functions))))
    return [(problem.message, problem.hint) for problem in raised.value.problems]


def test_names_and_operations_are_looked_for_among_all_words_and_the_function_s_own() -> None:
    note = "The function 'g' is never called."
    assert problems("g(amount): amuont + x") == [("unknown name 'amuont'", f"Did you mean 'amount'?  {note}")]
    assert problems("g(a): a + mesures") == [("unknown name 'mesures'", f"Did you mean 'measures'?  {note}")]
    assert problems("g(a): sqrtt(a)") == [("unknown operation 'sqrtt'", f"Did you mean 'sqrt'?  {note}")]
    assert problems('g(a): "[row + rwo for row < 3]"') == [("unknown name 'rwo'", f"Did you mean 'row'?  {note}")]


@pytest.mark.parametrize("name", COUNTERS)
def test_a_function_that_is_not_called_may_speak_of_time(name: str) -> None:
    """As one may that a variant, or an experiment that is based on this one, no longer calls."""
    spec.resolve(spec.parse(Source("s.yaml", STUDY.format(functions=f"g(a): a + {name}"))))


def test_words_are_prepared_as_often_for_a_thousand_functions_as_for_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    index = Words.index.func  # type: ignore[attr-defined]

    def counted(words: Words) -> dict[str, list[str]]:
        made.append(len(words))
        return index(words)

    counts = []
    for count in (300, 1000):
        made.clear()
        again = cached_property(counted)
        again.__set_name__(Words, "index")
        monkeypatch.setattr(Words, "index", again)
        assert len(problems(", ".join(f"g{n}(a): a - bb" for n in range(count)))) == count
        counts.append(len(made))
    assert counts[0] == counts[1] <= 2

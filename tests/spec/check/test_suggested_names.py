"""Many unknown names in a file with many names: the names are put in order once, not for each."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics import suggestions
from dlspec.spec.diagnostics.problems import Source

STUDY = """\
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([2])"}}}}
    functions: {{square(r): r * r}}
    architecture:
{networks}
    measures: {{m: E(sum(x))}}
{more}"""
KINDS = {
    "activation": ("{{input: x, layers: [dense: {{units: 1, activation: sqare{i}}}]}}", ""),
    "initialiser": ("{{input: x, layers: [dense: {{units: 1, kernel_initializer: sqare{i}}}]}}", ""),
    "function as a layer": ("{{input: x, layers: [sqare{i}, dense: 1]}}", ""),
    "target of a gradient mode": ("{{input: x, layers: [dense: 1]}}", "sqare{i}: stop"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_suggestions_for_many_names_are_looked_for_in_one_list(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, mode = KINDS[kind]
    lists: list[int] = []
    begin = suggestions.Words.__init__
    monkeypatch.setattr(suggestions.Words, "__init__", lambda *given: lists.append(1) or begin(*given))  # type: ignore[func-returns-value]
    counts = []
    for size in (10, 40):
        lists.clear()
        networks = "\n".join(f"      net{i}: {network.format(i=i)}" for i in range(size))
        modes = ", ".join(mode.format(i=i) for i in range(size))
        text = STUDY.format(networks=networks, more=f"    gradient: {{{modes}}}\n" if mode else "")
        with pytest.raises(spec.StudyError, match="sqare1") as caught:
            spec.validate(spec.parse(Source("s.yaml", text)))
        assert len(caught.value.problems) == size and "Did you mean 'square'?" in caught.value.problems[0].hint
        counts.append(len(lists))
    assert counts[1] == counts[0]

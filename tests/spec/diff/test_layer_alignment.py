"""Layers have positions: one that moved is one change, and what is only behind another neighbour is none."""

from __future__ import annotations

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from hypothesis import given, settings
from hypothesis import strategies as st

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([5])", y: "sum(x)"}}}}
    architecture: {{f: {{input: x, layers: [{}]}}}}
    loss: {{squared: "(f - y)^2"}}
    training: {{optimizer: {{sgd: {{learning_rate: 0.01}}}}, batch: 32, steps: 100}}
    measures: {{error: E((f - y)^2)}}
"""


def dense(units: int, name: str = "") -> str:
    """A layer as it is written."""
    return f"dense: {{units: {units}{f', name: {name}' if name else ''}}}"


def difference(before: list[str], after: list[str]) -> StudyDiff:
    """The difference of two networks, which end in the same layer."""
    texts = [STUDY.format(", ".join([*layers, "dense: 1"])) for layers in (before, after)]
    return compare(*(spec.parse(Source("s.yaml", text)) for text in texts))


def listed(diff: StudyDiff) -> list[tuple[str, str, str | None, str | None]]:
    """Each change: the last steps of its path, what it is, and its two sides."""
    return [(".".join(c.path[3:]), c.action, c.before, c.after) for c in diff.changes]


def test_a_layer_that_moved_is_one_factor_and_says_behind_which_it_stands() -> None:
    a, b, c = dense(3, "a"), dense(4, "b"), dense(5, "c")
    diff = difference([a, b, c], [b, a, c])
    assert listed(diff) == [("a", "moved", "at the front", "behind `b`")]
    assert diff.headline == "one factor changed: layer `a` of network `f` moved behind `b`"
    diff = difference([a, b, c], [c, a, b])
    assert listed(diff) == [("c", "moved", "behind `b`", "to the front")]
    assert diff.headline == "one factor changed: layer `c` of network `f` moved to the front"
    diff = difference([dense(30), "dropout: 0.1", dense(20)], [dense(30), dense(20), "dropout: 0.1"])
    assert listed(diff) == [("dropout_1", "moved", "behind `dense_1`", "behind `dense_2`")]
    assert [cell.status for cell in diff.cells] == ["again"]


def test_a_layer_inside_a_block_moves_within_it() -> None:
    inner = ("dense: {units: 3, name: a}", "dropout: 0.5")
    blocks = [f"repeat: {{name: block, times: 2, layers: [{', '.join(order)}]}}" for order in (inner, inner[::-1])]
    (moved,) = difference(blocks[:1], blocks[1:]).changes
    assert (moved.action, moved.path[3:5], moved.path[5]) == ("moved", ("block", "layers"), "a")


def test_a_layer_that_moved_and_changed_says_both() -> None:
    diff = difference([dense(3, "a"), dense(4, "b"), dense(5, "c")], [dense(4, "b"), dense(5, "c"), dense(9, "a")])
    assert listed(diff) == [("a", "moved", "at the front", "behind `c`"), ("a.units", "changed", "3", "9")]
    assert not diff.headline.startswith("one factor")


def test_layers_of_one_kind_are_compared_with_each_other_past_one_that_came() -> None:
    assert listed(difference([dense(30)], ["dropout: 0.5", dense(40)]))[1:] == [
        ("dense_1.units", "changed", "30", "40")
    ]
    assert listed(difference(["dropout: 0.5"], ["layer_normalization: {}"]))[0][:2] == (
        "dropout_1 → layer_normalization_1",
        "changed",
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 9), min_size=2, max_size=7), st.data())
def test_any_one_layer_that_moves_is_one_change(sizes: list[int], data: st.DataObject) -> None:
    layers = [dense(units, f"n{place}") for place, units in enumerate(sizes)]
    start, end = (data.draw(st.integers(0, len(layers) - 1)) for _ in range(2))
    after = layers[:start] + layers[start + 1 :]
    after.insert(end, layers[start])
    diff = difference(layers, after)
    assert [change.action for change in diff.changes] == (["moved"] if after != layers else [])
    assert diff.headline.startswith("one factor changed: layer `n") == (after != layers)

"""The rows of the table of layers say which kernels there are, and no code beside tests for a layer's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from dlspec.interpreter.networks.layer_kernels import FUSIONS, KERAS_FORMS, KERNELS, ROW_LOOKUPS
from dlspec.interpreter.networks.layer_kernels.registry import fuses
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.layers.other_layers import _REMEDIES, _ROWS, other_layer

ROOT = Path(__file__).parents[4]
HOMES = ("spec/tables/layers", "interpreter/networks/layer_kernels", "spec/model/other_keys.py")
"""Where a layer is named: its row, its kernel, and the table of what others call it."""
OTHER_THINGS = {"activation": "an argument", "reshape": "an operation", "leaky_relu": "an activation"}
"""Words that name another thing as well, which other files are about."""


def test_every_row_that_needs_a_kernel_has_one_and_none_is_left_over() -> None:
    assert KERNELS.keys() <= LAYERS.keys()
    for row in LAYERS.values():
        assert row.name in KERNELS or (row.keras and row.stacking != "stacked"), row.name


def test_every_layer_of_keras_has_a_row_or_a_reason_why_not() -> None:
    found = {name for name, one in vars(keras.layers).items() if isinstance(one, type) and issubclass(one, keras.Layer)}
    assert len(found) > 100
    assert {name for name in found if not other_layer(name)} == set()


def test_no_layer_has_both_a_row_and_a_reason_why_not() -> None:
    assert _ROWS.keys() & _REMEDIES.keys() == set()


def test_facts_that_call_for_more_than_a_kernel_have_it() -> None:
    rows = LAYERS.values()
    assert ROW_LOOKUPS.keys() == {row.name for row in rows if row.looks_up_one_hot}
    assert FUSIONS.keys() == {(row.name, after) for row in rows for after in row.fuses_with}
    assert KERAS_FORMS.keys() == {row.name for row in rows if not row.keras}


def test_facts_of_a_row_fit_together() -> None:
    for row in LAYERS.values():
        assert not row.draws or row.stacking == "stacked", f"{row.name}: a draw is one for all replicates"
        for argument in (row.primary, row.ints_below, row.squeezed_by, row.estimated_from):
            assert argument is None or argument in row.parameters, f"{row.name}: {argument}"
        assert all(LAYERS[after].stacking == "unrolled" for after in row.fuses_with)


def test_two_kernels_of_one_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="two kernels"):
        fuses(*next(iter(FUSIONS)), lambda call: True)(print)


def named_layers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names of layers and of Keras' classes of them that stand in a module by themselves, with their lines."""
    classes = {row.keras for row in LAYERS.values() if row.keras}
    words = (LAYERS.keys() | classes) - OTHER_THINGS.keys()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in words:
            yield node.lineno, node.value
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "keras.layers" and node.attr in classes:
            yield node.lineno, node.attr


def test_no_layer_is_named_but_in_its_row_and_its_kernel() -> None:
    found = []
    for side in ("spec", "interpreter"):
        for path in sorted((ROOT / side).glob("**/*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(HOMES):
                found += [f"{name}:{line}: {word}" for line, word in named_layers(ast.parse(path.read_text("utf-8")))]
    assert found == []


def test_names_of_layers_are_seen() -> None:
    text = (
        "if layer.keras == 'Dense' or x in {'batch_normalization'}:\n    keras.layers.LSTM(3)\n    f('a dense layer')"
    )
    assert sorted(named_layers(ast.parse(text))) == [(1, "Dense"), (1, "batch_normalization"), (2, "LSTM")]

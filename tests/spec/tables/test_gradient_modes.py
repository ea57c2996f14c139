"""The rows of gradient modes: what they say fits together, and no other file asks for one by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlspec.spec.tables.gradient_modes import DEFAULT_MODE, GRADIENT_MODES, GradientMode
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import FORMS, OPERATIONS

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "spec/tables/gradient_modes.py"
TRANSFERS = ROOT / "interpreter/lower/backward_modes.py"
ELSEWHERE = {*OPERATIONS, *FORMS, *(name for row in LAYERS.values() for name in row.parameters)}
"""Names that may be those of an operation, a form or an argument of a layer."""


def mode_names(text: str) -> Iterator[tuple[int, str]]:
    """The names of gradient modes that a module's code writes out, by themselves or as `name` in a message, with their lines."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            for name in GRADIENT_MODES.keys() - ELSEWHERE:
                if node.value == name or re.search(rf"`{{?{name}\b", node.value):
                    yield node.lineno, name


def test_no_other_file_asks_for_a_mode_by_its_name() -> None:
    files = {path for side in ("spec", "interpreter") for path in (ROOT / side).rglob("*.py")} - {TABLE, TRANSFERS}
    named = [(path, line, name) for path in files for line, name in mode_names(path.read_text("utf-8"))]
    assert named == []


def test_names_of_modes_are_seen() -> None:
    text = '"""`freeze`"""\nx = f"`freeze` of {y}"\nz = kind == "forward_only"\n"stop"\n"surrogates"\n'
    assert list(mode_names(text)) == [(2, "freeze"), (3, "forward_only")]


@pytest.mark.parametrize("row", GRADIENT_MODES.values(), ids=GRADIENT_MODES)
def test_a_row_says_what_can_be_done(row: GradientMode) -> None:
    """An expression is of a function's parameters, and a function has no weights to freeze."""
    assert row.targets == ("function",) or not row.takes_expression
    assert "function" not in row.targets or not row.freezes_weights
    assert row.route != "nowhere" or not (row.takes_constant or row.per_example or row.backward_flops)
    assert not (row.takes_expression and row.takes_constant)


def test_the_default_changes_nothing() -> None:
    assert GradientMode(DEFAULT_MODE.name, DEFAULT_MODE.meaning, others=DEFAULT_MODE.others) == DEFAULT_MODE

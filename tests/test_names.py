"""Names say what a thing is: `found`, `held`, `made`, `told`, `asked` and `own` say only that it came about (docs/glossary.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EMPTY = frozenset({"found", "held", "made", "told", "asked", "own"})
ROOMS = sorted(path.parent for side in ("spec", "interpreter") for path in (ROOT / side).glob("**/__init__.py"))


def empty_names(text: str) -> Iterator[tuple[int, str]]:
    """Parameters and returned names of a module that say nothing, with their lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arg) and node.arg in EMPTY:
            yield node.lineno, node.arg
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id in EMPTY:
            yield node.lineno, node.value.id


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_parameters_and_results_are_named_for_what_they_are(room: Path) -> None:
    files = sorted(room.glob("*.py"))
    assert [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in files
        for line, name in empty_names(path.read_text("utf-8"))
    ] == []


def test_empty_names_are_seen() -> None:
    text = "def f(found, x):\n    own = x\n    return own\nasync def g(*, told): return lambda made: made\n"
    assert set(empty_names(text)) == {(1, "found"), (3, "own"), (4, "told"), (4, "made")}

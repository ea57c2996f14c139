"""What exists once: the writer of npz files, the replacement of a file, the call of git, the words of the glossary."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for side in ("spec", "interpreter") for path in (ROOT / side).rglob("*.py"))
ROOMS_OF_BATCHES = ("cli", "executors", "program", "schedule", "store", "tracking")


def calls(text: str) -> Iterator[str]:
    """The functions that a module calls by the names of their modules, such as `os.replace`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func)


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ({"np.savez", "np.savez_compressed", "np.lib.format.write_array"}, "interpreter/results/npz.py"),
        ({"os.replace", "tempfile.mkstemp"}, "interpreter/results/atomic_files.py"),
        ({"subprocess.run", "subprocess.Popen", "subprocess.check_output"}, "interpreter/results/git_command.py"),
    ],
    ids=["npz files", "atomic replacement", "git"],
)
def test_a_helper_exists_once(names: set[str], place: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix() for path in MODULES if not names.isdisjoint(calls(path.read_text("utf-8")))
    }
    assert users == {place}


def test_replicates_side_by_side_are_a_batch() -> None:
    """The glossary's word for them; `piece` is another one for the same."""
    files = [path for room in ROOMS_OF_BATCHES for path in (ROOT / "interpreter" / room).rglob("*.py")]
    assert files and [str(path.relative_to(ROOT)) for path in files if "piece" in path.read_text("utf-8").lower()] == []

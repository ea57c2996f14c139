"""Tests of a worker run in a child that is replaced where a file ends; what they report is what a worker's own tests do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.replaced_process import ReplacedProcess, resident

ROOT = Path(__file__).parents[1]
CONFTEST = """
import os
import pytest
from tests.replaced_process import ReplacedProcess

def pytest_collection_finish(session):
    for plugin in session.config.pluginmanager.get_plugins():
        if hasattr(plugin, "nextitem_index"):
            session.config.pluginmanager.register(ReplacedProcess(plugin, BOUND, MOST))
            break

def tell(*what):
    with open("told", "a") as file:
        print(*what, file=file)

@pytest.fixture(scope="session")
def process(tmp_path_factory):
    yield os.getpid()
    tell("end", os.getpid())
"""
TESTS = """
import os, signal, warnings
import pytest
from conftest import tell

def test_first(process):
    tell(__name__, process)
    warnings.warn("careful")
def test_wrong(process):
    assert [1] == [2]
def test_killed():
    os.kill(os.getpid(), signal.SIGKILL)
@pytest.mark.skip
def test_skipped():
    pass
def test_last(process, tmp_path):
    tell(__name__, process)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers run their own tests")
@pytest.mark.parametrize(("bound", "most"), [(0, 10**6), (10**6, 10**6), (0, 0)])
def test_a_child_ends_with_its_file_and_a_killed_one_fails_one_test(bound: int, most: int, tmp_path: Path) -> None:
    """Or with its test, where it holds most."""
    (tmp_path / "conftest.py").write_text(CONFTEST.replace("BOUND", str(bound)).replace("MOST", str(most)), "utf-8")
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadfile", "-p", "no:cacheprovider", "."]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(tmp_path)])
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "4 failed, 4 passed, 2 skipped, 2 warnings in " in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("the process ended with code -9") >= 2
    assert done.stdout.count("assert [1] == [2]") >= 2
    told = [line.split() for line in (tmp_path / "told").read_text("utf-8").splitlines()]
    begun = [process for name, process in told if name != "end"]
    assert [name for name, _ in told if name != "end"] == ["test_a", "test_a", "test_b", "test_b"]
    assert begun[0] != begun[1] and begun[2] != begun[3]  # another child after the one that was killed
    assert (begun[1] == begun[2]) == (bound > 0)
    ended = [process for name, process in told if name == "end"]
    if most == 0:  # of each file the first, the wrong, and the last
        assert len(set(ended)) == len(ended) == 6 and {*begun} < {*ended}
    else:
        assert ended == ([begun[1], begun[3]] if bound == 0 else [begun[3]])


def test_a_worker_that_has_computed_forks_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(context_safe=lambda: SimpleNamespace(_initialized=True))
    monkeypatch.setitem(sys.modules, "tensorflow.python.eager.context", context)
    nothing: Any = SimpleNamespace()
    with pytest.raises(AssertionError, match="where it is imported"):
        ReplacedProcess(nothing)._start(nothing)
    assert resident() > 10

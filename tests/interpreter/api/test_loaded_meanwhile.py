"""What the end of a run needs, loaded while programs are trained."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from dlspec.interpreter.api import loaded_meanwhile as loading


def wait() -> None:
    for thread in threading.enumerate():
        if thread.name == "dlspec-loads":
            thread.join()


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """One that cannot be loaded, and one that can."""
    (tmp_path / "cannot_be.py").write_text("raise ValueError('broken on purpose')")
    (tmp_path / "can_be.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    names = ("cannot_be", "can_be")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(loading, "AT_THE_END", names)
    return names


def test_it_is_loaded_once_something_is_trained_and_a_fault_waits_for_whoever_needs_it(
    modules: tuple[str, ...],
) -> None:
    trained = threading.Event()
    with loading.loaded_meanwhile(trained):
        assert "can_be" not in sys.modules
        trained.set()
        wait()
        assert "can_be" in sys.modules
    with pytest.raises(ValueError, match="broken on purpose"):
        __import__("cannot_be")


def test_nothing_is_loaded_for_a_run_that_trains_nothing(modules: tuple[str, ...]) -> None:
    with pytest.raises(RuntimeError), loading.loaded_meanwhile(threading.Event()):
        raise RuntimeError
    wait()
    assert "can_be" not in sys.modules

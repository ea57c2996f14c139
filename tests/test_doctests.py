"""The examples in the docstrings of `spec/`, of the public API, of `benchmarks/` and of the registry say what the code does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import dlspec.interpreter.api
import dlspec.spec
import pytest

MODULES = [
    "benchmarks.spread",
    "benchmarks.table",
    "dlspec",
    "dlspec.interpreter.registry",
    "dlspec.spec",
    *(info.name for info in pkgutil.walk_packages(dlspec.spec.__path__, "dlspec.spec.")),
    *(info.name for info in pkgutil.walk_packages(dlspec.interpreter.api.__path__, "dlspec.interpreter.api.")),
]


def examples(name: str) -> list[doctest.DocTest]:
    """A module's doctests that hold an example."""
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]


COLLECTED = [pytest.param(test, id=test.name) for name in MODULES for test in examples(name)]


def test_doctests_are_found() -> None:
    assert len(MODULES) > 30
    assert len(COLLECTED) >= 10


@pytest.mark.parametrize("test", COLLECTED)
def test_doctest(test: doctest.DocTest) -> None:
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert result.attempted and not result.failed, "".join(report)


def test_a_wrong_doctest_fails() -> None:
    """The twin: an example that is not so is reported."""
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda text: None).failed == 1

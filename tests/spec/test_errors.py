"""Errors are prose, reviewed as prose: each case under tests/golden/errors is a wrong spec beside its error's text.

`NAME.yaml` is wrong; `NAME.expected` is what `dlspec validate NAME.yaml` prints of it. A case whose first line is
`# -o path=value` is resolved with that override besides; one called `warning_…` is valid, and is warned of.

After a change of wording, write all the texts anew, and read the difference aloud:

    DLSPEC_GOLDEN=write .venv/bin/python -m pytest tests/spec/test_errors.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem
from dlspec.spec.source.text import decode

CASES = Path(__file__).parents[1] / "golden" / "errors"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
NOWHERE = {"yaml_empty_file", "yaml_only_comments"}
"""The cases that have no line to point at."""


def problems(name: str) -> tuple[Problem, ...]:
    """The problems of a case. Whatever else it raises is a fault, and ends the test with its traceback."""
    path = CASES / f"{name}.yaml"
    try:
        source = decode(path.read_bytes(), path.name)
        document = spec.parse(source)
        warnings = spec.validate(document)
        first = source.lines[0]
        if first.startswith("# -o "):
            spec.resolve(document, None, [spec.Override.read(first.removeprefix("# -o "))])
    except spec.StudyError as error:
        return error.problems
    return warnings


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_as_reviewed(name: str) -> None:
    """Its text, and of each of its problems: where it is, in file order, and how to mend it."""
    found = problems(name)
    _reviewed(name, spec.render(found) + "\n")
    assert found, "this case is valid"
    for problem in found:
        assert problem.severity == ("warning" if name.startswith("warning_") else "error")
        assert problem.message
        assert problem.hint, f"no remedy: {problem.message}"
        if name not in NOWHERE:
            assert problem.span is not None, problem.message
            lines = problem.span.source.lines
            assert 1 <= problem.span.line <= len(lines), problem.message
            assert 1 <= problem.span.column <= len(lines[problem.span.line - 1]) + 1, problem.message
    places = [(problem.span.line, problem.span.column) for problem in found if problem.span is not None]
    assert places == sorted(places)


def _reviewed(name: str, text: str) -> None:
    expected = CASES / f"{name}.expected"
    if os.environ.get("DLSPEC_GOLDEN") == "write":
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


def test_each_case_has_a_text_and_each_text_a_case() -> None:
    texts = sorted(path.stem for path in CASES.glob("*.expected"))
    assert texts == NAMES


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 75

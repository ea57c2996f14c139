"""What is done with a file of twice as many lines is twice as much, whatever its lines say: counted in calls, not by a clock."""

from __future__ import annotations

import cProfile
import gc
import pstats
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diff import compare
from dlspec.spec.expressions import parser
from dlspec.spec.expressions.alike import Forms
from dlspec.spec.format import formatted

from benchmarks import long_files

LINES = (10, 100, 200)
"""So many lines have what is made once a file, and then as many as are compared."""
MOST = 2.6
"""How many times as many calls 190 lines more may take as 90 more: 2.11 times, and sorting takes a little more. Each with each would be 4.4."""
BY_CELLS = ("swept statistics", "a measure under other names")
"""The kinds whose few cells cost more than their first lines."""
EDITS = {
    "losses of variants": (r"(\(f - y\)\^2 \* )(\d+)", r"\1 1\2"),
    "batches of variants": (r"batch: (\d+) \+ 8", r"batch: \1 + 9"),
    "terms of variants": (r"(t\d+): abs\(f - y\)", r"\1: abs(y - 2 * f)"),
    "rates of variants": (r"sgd: 0\.0(\d+)", r"sgd: 0.00\1"),
    "measures": (r"abs\(f - y\) \* ", "abs(y - f) * "),
    "claims": (r"final\(error\) < (\d+)", r"final(error) <= \1"),
    "constants": (r"2 \* (\d+) \+ d", r"3 * \1 + d"),
}
"""What is written otherwise in all lines of a file, for `diff`."""


def _document(text: str, name: str = "long.yaml") -> spec.Document:
    return spec.parse(spec.decode(text.encode(), name))


@pytest.fixture(scope="module", autouse=True)
def _made_once() -> None:
    """What a process makes once: tables, and what the parser learns of its grammar."""
    text = long_files.FILES["claims"]()
    spec.validate(_document(text))
    formatted(_document(text).source)


def _calls(do: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many functions are called, with no expression known from before."""
    parser._parsed.cache_clear()
    monkeypatch.setattr(parser, "_FORMS", Forms())
    profile = cProfile.Profile()
    gc.disable()  # what it runs belongs to whoever made it
    try:
        profile.runcall(do)
    finally:
        gc.enable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [kind for kind in long_files.FILES if kind not in BY_CELLS])
def test_twice_the_lines_are_twice_the_calls(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: dict[str, list[int]] = {}
    for lines in LINES:
        monkeypatch.setattr(long_files, "LINES", len(long_files.STUDY) + lines)
        document = _document(long_files.FILES[kind]())
        for name, do in (("validate", partial(spec.validate, document)), ("fmt", partial(formatted, document.source))):
            counted.setdefault(name, []).append(_calls(do, monkeypatch))
    for name, (first, few, many) in counted.items():
        assert many - first <= MOST * (few - first), f"{name}: {first}, {few}, {many}"


@pytest.mark.parametrize("kind", EDITS)
def test_so_are_those_of_a_diff_in_which_all_lines_differ(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    for lines in LINES:
        monkeypatch.setattr(long_files, "LINES", len(long_files.STUDY) + lines)
        text = long_files.FILES[kind]()
        edited = re.sub(*EDITS[kind], text)
        assert edited != text
        counted.append(_calls(partial(compare, _document(text), _document(edited)), monkeypatch))
    first, few, many = counted
    assert many - first <= MOST * (few - first), f"{first}, {few}, {many}"

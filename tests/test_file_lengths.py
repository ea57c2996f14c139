"""No file of code is longer than 400 lines: what grows beyond them is split where its concepts part."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 400
FILES = sorted(path for side in ("spec", "interpreter") for path in (ROOT / side).rglob("*.py"))


def test_there_are_files_to_look_at() -> None:
    assert len(FILES) > 200


@pytest.mark.parametrize("side", ["spec", "interpreter"])
def test_no_file_is_too_long(side: str) -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {
        str(path): length for path, length in lengths.items() if path.parts[0] == side and length > MOST_LINES
    } == {}

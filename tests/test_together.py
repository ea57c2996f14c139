"""Files of tests that share what they look at go to one process, and all others as `--dist loadfile` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOGETHER, pytest_xdist_make_scheduler

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("dist", ["loadfile", "load", "no"])
def test_files_that_share_what_they_look_at_are_one_unit(dist: str, pytestconfig: pytest.Config) -> None:
    class Config:
        def getoption(self, name: str) -> Any:
            return dist if name == "dist" else pytestconfig.getoption(name)

        def getvalue(self, name: str) -> Any:
            return ["2*popen"] if name == "tx" else pytestconfig.getoption(name)

    scheduler = pytest_xdist_make_scheduler(Config(), None)  # type: ignore[arg-type]
    if dist != "loadfile":
        assert scheduler is None
        return
    for file, other in TOGETHER.items():
        assert (ROOT / file).exists() and (ROOT / other).exists()
        assert scheduler._split_scope(f"{file}::test_a[b::c]") == scheduler._split_scope(f"{other}::test_d")
    assert scheduler._split_scope("tests/test_names.py::test_a") == "tests/test_names.py"

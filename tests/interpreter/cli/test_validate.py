"""`dlspec validate` in all its formats."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests import forked

from .conftest import RUN, Command

ROOT = Path(__file__).parents[3]
GOOD = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1 + 1}}}\n"
DOUBTFUL = "dlspec: 1\nstudy: s\nexperiments: {e: {constants: {pi: 3}, measures: {m: pi}}}\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1}}}\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name, text in {"good": GOOD, "doubtful": DOUBTFUL, "wrong": WRONG}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "ci.yaml").write_text("on: push\n")


def test_prose_goes_to_standard_error(dlspec: Command) -> None:
    done = dlspec("validate", "good.yaml", "doubtful.yaml", "wrong.yaml")
    assert done.returncode == 1
    assert done.stdout == "good.yaml: valid\ndoubtful.yaml: valid\n"
    assert "warning: the name 'pi' hides" in done.stderr and "wrong.yaml:3:33: unknown name 'q'" in done.stderr
    assert done.stderr.endswith("\n1 error.\n")


def test_annotations_for_github(dlspec: Command) -> None:
    done = dlspec("validate", "--format", "github", "doubtful.yaml", "wrong.yaml")
    assert done.returncode == 1 and done.stderr == ""
    warning, error = done.stdout.splitlines()
    assert warning.startswith("::warning file=doubtful.yaml,line=3,col=31,")
    assert error.startswith(
        "::error file=wrong.yaml,line=3,col=33,endLine=3,endColumn=34,title=dlspec::unknown name 'q'"
    )
    assert dlspec("validate", "--format", "github", "good.yaml").stdout == ""


def test_sarif_and_json_are_one_object(dlspec: Command) -> None:
    log = dlspec("validate", "--format", "sarif", "good.yaml", "wrong.yaml")
    assert log.returncode == 1 and log.stderr == ""
    (result,) = json.loads(log.stdout)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "wrong.yaml"
    found = json.loads(dlspec("validate", "--format", "json", "good.yaml", "none.yaml").stdout)
    assert [file["valid"] for file in found["files"]] == [True, False]
    assert found["files"][1]["problems"][0]["message"] == "none.yaml: cannot be read: No such file or directory"


def test_exit_codes(dlspec: Command) -> None:
    assert dlspec("validate", "--format", "json", "good.yaml", "doubtful.yaml").returncode == 0
    assert dlspec("validate", "ci.yaml").returncode == 1
    assert dlspec("validate", "--only-studies", "ci.yaml", "good.yaml").returncode == 0
    assert dlspec("validate", "--only-studies", "none.yaml").returncode == 1
    assert dlspec("validate", "--format", "xml", "good.yaml").returncode == 2
    assert dlspec("validate").returncode == 2


def test_what_is_heavy_is_found_out(tmp_path: Path) -> None:
    """The twin of what every test here asserts: a command that loads such a package is seen."""
    done = forked.run(
        [sys.executable, "-c", RUN.replace("main()", "import matplotlib; main()"), "validate", "good.yaml"], light=True,
        cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ), timeout=120,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "loaded matplotlib"

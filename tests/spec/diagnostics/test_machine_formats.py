"""Problems for other tools: every place and word arrives, in the form that each tool reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.machine_formats import as_json, github, sarif
from dlspec.spec.diagnostics.problems import Problem, Source, Span

SOURCE = Source("a b/ü.yaml", "x: 1\ny: 2\n")
ERROR = Problem("50% of 'a, b': wrong", Span(SOURCE, 2, 4, 2, 5), "Mend it:\nso.")
WARNING = Problem("the name 'sum' hides an operation", Span(SOURCE, 1, 1, 1, 2), "", "warning")
NOWHERE = Problem("cannot be read")
FOUND = {"a b/ü.yaml": [WARNING, ERROR], "c.yaml": [NOWHERE], "d.yaml": []}


def test_github_annotations() -> None:
    assert github(FOUND).splitlines() == [
        "::warning file=a b/ü.yaml,line=1,col=1,endLine=1,endColumn=2,title=dlspec::the name 'sum' hides an operation",
        "::error file=a b/ü.yaml,line=2,col=4,endLine=2,endColumn=5,title=dlspec::50%25 of 'a, b': wrong%0AMend it:%0Aso.",
        "::error file=c.yaml,title=dlspec::cannot be read",
    ]
    assert github({"d.yaml": []}) == ""


def test_json() -> None:
    found = json.loads(as_json(FOUND))
    assert found["format_version"] == 1
    assert [(file["file"], file["valid"]) for file in found["files"]] == [
        ("a b/ü.yaml", False), ("c.yaml", False), ("d.yaml", True),
    ]  # fmt: skip
    assert found["files"][0]["problems"][1] == {
        "severity": "error", "message": ERROR.message, "hint": ERROR.hint,
        "line": 2, "column": 4, "end_line": 2, "end_column": 5,
    }  # fmt: skip
    assert "line" not in found["files"][1]["problems"][0]


def test_a_file_with_warnings_only_is_valid() -> None:
    assert json.loads(as_json({"a": [WARNING]}))["files"][0]["valid"] is True


def required(value: dict[str, Any], *names: str) -> None:
    missing = [name for name in names if name not in value]
    assert not missing, f"{missing} in {value}"


def check_sarif(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0 requires (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.28, 3.29, 3.30, 3.49)."""
    required(log, "version", "runs")
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    for run in log["runs"]:
        required(run, "tool")
        driver = run["tool"]["driver"]
        required(driver, "name")
        for rule in driver["rules"]:  # those that GitHub's code scanning wants, too
            required(rule, "id", "name", "shortDescription", "fullDescription", "help")
            assert rule["help"]["text"] and rule["fullDescription"]["text"] and rule["shortDescription"]["text"]
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        for result in run["results"]:
            required(result, "message")
            assert result["message"]["text"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            for location in result["locations"]:
                place = location["physicalLocation"]
                required(place, "artifactLocation")
                assert " " not in place["artifactLocation"]["uri"] and place["artifactLocation"]["uri"].isascii()
                region = place.get("region", {"startLine": 1})
                assert all(number >= 1 for number in region.values() if isinstance(number, int))
                if "endLine" in region:
                    assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])


def test_sarif_has_the_required_shape() -> None:
    log = json.loads(sarif(FOUND, "1.2"))
    check_sarif(log)
    (run,) = log["runs"]
    assert run["tool"]["driver"]["version"] == "1.2"
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("doubtful", "warning"), ("invalid", "error"), ("invalid", "error"),
    ]  # fmt: skip
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC.yaml"
    assert place["region"] == {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 5, "snippet": {"text": "2"}}
    assert "informationUri" not in run["tool"]["driver"]
    (named,) = json.loads(sarif(FOUND, "1.2", "https://example.org/dlspec"))["runs"]
    assert named["tool"]["driver"]["informationUri"] == "https://example.org/dlspec"
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize("broken", ["version", "level"])
def test_the_check_of_the_shape_can_fail(broken: str) -> None:
    log = json.loads(sarif(FOUND, "1"))
    if broken == "version":
        del log["version"]
    else:
        log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(AssertionError):
        check_sarif(log)


def test_an_absolute_path_becomes_a_file_address() -> None:
    log = json.loads(sarif({"/a b.yaml": [NOWHERE]}, "1"))
    assert (
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "file:///a%20b.yaml"
    )


def test_every_golden_error_can_be_written_in_every_form() -> None:
    text = "dlspec: 1\nstudy: s\nexperiments:\n  e:\n    constants: {sum: 1}\n    measures: {m: q + 1, n: f(}\n"
    with pytest.raises(spec.StudyError) as error:
        spec.validate(spec.parse(Source("t.yaml", text)))
    found = {"t.yaml": error.value.problems}
    check_sarif(json.loads(sarif(found, "1")))
    assert github(found).startswith("::error file=t.yaml,line=6,col=")

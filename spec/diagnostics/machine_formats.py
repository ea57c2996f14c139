"""Problems in the forms that other tools read: GitHub's annotations, SARIF 2.1.0, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .problems import Problem, Span

FORMAT_VERSION = 1
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HELP = "The message says what is wrong and how to fix it. `dlspec validate` prints it with the line, `dlspec ops WORD` explains a word of the language."


def _rule(name: str, level: str, short: str, full: str) -> dict[str, Any]:
    """A rule with all that GitHub's code scanning asks of one."""
    return {
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": HELP, "markdown": HELP},
        "defaultConfiguration": {"level": level},
    }


RULES = {
    "invalid": _rule(
        "InvalidStudy",
        "error",
        "The study is not valid: it cannot run.",
        "Names, types, shapes and all else are checked before anything runs; one of them is wrong here.",
    ),
    "doubtful": _rule(
        "DoubtfulStudy",
        "warning",
        "The study is valid, and something in it is likely not what was meant.",
        "The study runs as it stands: a name that hides a word of the language, a claim that its replicates cannot decide, and the like.",
    ),
}
"""What each rule is in SARIF."""

Found = Mapping[str, Sequence[Problem]]
"""The problems of each file, warnings among them."""


def github(problems_by_file: Found) -> str:
    """Workflow commands that GitHub shows beside the lines, one a problem.

    >>> print(github({"a,b.yaml": [Problem("100% wrong", None, "Mend it.")]}))
    ::error file=a%2Cb.yaml,title=dlspec::100%25 wrong%0AMend it.
    """
    lines = []
    for file, problems in problems_by_file.items():
        for problem in problems:
            place = {"file": file}
            if problem.span is not None:
                span = problem.span
                place |= {"line": str(span.line), "col": str(span.column)}
                place |= {"endLine": str(span.end_line), "endColumn": str(span.end_column)}
            given = ",".join(f"{key}={_property(value)}" for key, value in {**place, "title": "dlspec"}.items())
            lines.append(f"::{problem.severity} {given}::{_data(_message(problem))}")
    return "\n".join(lines)


def _message(problem: Problem) -> str:
    return "\n".join(part for part in (problem.message, problem.hint) if part)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_json(problems_by_file: Found) -> str:
    """One JSON object: each file with its problems; lines and columns count from 1, the end lies one past."""
    files = [
        {"file": file, "valid": not _errors(problems), "problems": [_plain(problem) for problem in problems]}
        for file, problems in problems_by_file.items()
    ]
    return _text({"format_version": FORMAT_VERSION, "files": files})


def _plain(problem: Problem) -> dict[str, Any]:
    plain: dict[str, Any] = {"severity": problem.severity, "message": problem.message, "hint": problem.hint}
    if problem.span is not None:
        span = problem.span
        plain |= {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}
    return plain


def _errors(problems: Sequence[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def sarif(problems_by_file: Found, version: str, home: str = "") -> str:
    """A SARIF 2.1.0 log (OASIS 2020), as code scanning takes it; columns count code points. `home` is where dlspec is told of, if known."""
    driver: dict[str, Any] = {"name": "dlspec", "version": version}
    if home:
        driver["informationUri"] = home
    driver["rules"] = [{"id": rule, **about} for rule, about in RULES.items()]
    results = [_result(file, problem) for file, problems in problems_by_file.items() for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _text({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(file: str, problem: Problem) -> dict[str, Any]:
    path = Path(file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if problem.span is not None:
        span = problem.span
        place["region"] = {
            "startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column,
            "snippet": {"text": _within(span)},
        }  # fmt: skip
    rule = "invalid" if problem.severity == "error" else "doubtful"
    return {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(rule),
        "level": problem.severity,
        "message": {"text": _message(problem)},
        "locations": [{"physicalLocation": place}],
    }


def _within(span: Span) -> str:
    """The text of a stretch of a source."""
    lines = span.source.text.split("\n")[span.line - 1 : span.end_line]
    if lines:
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

"""Errors of texts that are no YAML: the parser's messages, placed at the mistake and with a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from ..diagnostics.problems import Problem, Source, Span, StudyError, problem_at

YAML_HINT = "YAML is lines of `key: value`, indented alike; a text with `: `, `#` or brackets in it stands in quotes."
NO_COLON = (
    "Write `key: value`, with a space after the colon; a text over several lines is indented deeper than its key."
)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A complaint of the YAML parser: what, where, and where the thing began that it was reading. Counted from 0."""

    source: Source
    problem: str
    context: str
    line: int
    column: int
    start_line: int
    start_column: int

    @property
    def text(self) -> str:
        """The line that the parser stopped in."""
        return self.source.lines[self.line]

    @property
    def above(self) -> int:
        """The last line before it that is not blank, or -1."""
        lines = self.source.lines
        return next((place for place in range(self.line - 1, -1, -1) if lines[place].strip()), -1)

    def error(self, message: str, hint: str, line: int, column: int, width: int = 1) -> StudyError:
        """The error at a place of the file."""
        span = Span(self.source, line + 1, column + 1, line + 1, column + 1 + width)
        return problem_at(span, message, hint)


def syntax_error(source: Source, error: yaml.YAMLError) -> StudyError:
    """The error of a text that the YAML parser refuses."""
    if conflicts := conflict_markers(source):
        return StudyError(conflicts)
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable(source, error)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "the text cannot be read"
    if mark is None:
        return problem_at(None, f"{source.name}: not YAML: {problem}", YAML_HINT)
    start = getattr(error, "context_mark", None) or mark
    last = len(source.lines) - 1
    context = getattr(error, "context", None) or ""
    trouble = _Trouble(source, problem, context, min(mark.line, last), mark.column, min(start.line, last), start.column)
    for explain in _EXPLANATIONS:
        spec_error = explain(trouble)
        if spec_error is not None:
            return spec_error
    hint = "A study needs about ten levels." if "nesting depth" in problem else YAML_HINT
    if "${" in source.lines[trouble.line]:
        hint = "A name stands for its value as it is, without `${}`: `batch: n`."
    return trouble.error(f"not YAML: {problem}", hint, trouble.line, trouble.column)


def conflict_markers(source: Source) -> list[Problem]:
    """What a merge left in a file: a problem for each side of each conflict, at its mark."""
    if not re.search(r"^(?:<{7}|>{7})(?: |$)", source.text, re.MULTILINE):
        return []
    problems = []
    for number, text in enumerate(source.lines, 1):
        if re.match(r"(?:<{7}|>{7}|\|{7})(?: |$)|={7}$", text):
            span = Span(source, number, 1, number, len(text) + 1)
            hint = "Keep one side, or write both as one, and remove the lines with the marks."
            problems.append(Problem("this line is the mark of a merge conflict that is not resolved", span, hint))
    return problems


def balanced(line: str, start: int) -> str:
    """The text from a column to where its round and square brackets are closed again, or nothing.

    >>> balanced("{s: bernoulli(0.5, [d]), t: 1}", 4)
    'bernoulli(0.5, [d])'
    >>> balanced("{s: E(a, b) + c[0] * d(1) - 2, t: 1}", 4)
    'E(a, b) + c[0] * d(1) - 2'
    """
    depth, closed = 0, False
    for place in range(start, len(line)):
        character = line[place]
        ends = character in ",{}" if depth == 0 else False
        if ends or (depth == 0 and character == "]") or (character == "#" and line[place - 1 : place].isspace()):
            return line[start:place].rstrip() if closed and depth == 0 else ""
        depth += (character in "([") - (character in ")]")
        closed |= depth == 0 and character in ")]"
    return line[start:].rstrip() if closed and depth == 0 else ""


def _unreadable(source: Source, error: yaml.reader.ReaderError) -> StudyError:
    """A control character, which YAML refuses anywhere."""
    character = error.character if isinstance(error.character, str) else chr(int(error.character))
    place = source.text.find(character)
    message = f"the character U+{ord(character):04X} has no place in a text"
    if place < 0:
        return problem_at(None, f"{source.name}: {message}", "Remove it.")
    before = source.text[:place].replace("\r\n", "\n").replace("\r", "\n")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return problem_at(Span(source, line, column, line, column + 1), message, "Remove it.")


def _tab(trouble: _Trouble) -> StudyError | None:
    lead = re.match(r"[ \t]*", trouble.text)
    if lead is None or "\t" not in lead.group() or trouble.column > lead.end():
        return None
    place = lead.group().index("\t")
    return trouble.error("a tab indents this line", "YAML is indented with spaces.", trouble.line, place)


def _index_notation(trouble: _Trouble) -> StudyError | None:
    match = re.match(r"\s*(?:- )?([^:{\[]+:\s+)\[(.*\bfor\s+\w+\s*<.*)\]\s*(?:#.*)?$", trouble.text)
    if match is None or trouble.line != trouble.start_line or "flow sequence" not in trouble.context:
        return None
    hint = f"Index notation goes without them at the top of a value: `{match[1].strip()} {match[2].strip()}`"
    message = "YAML takes these brackets for those of a list"
    return trouble.error(message, hint, trouble.line, match.start(2) - 1)


def _after_brackets(trouble: _Trouble) -> StudyError | None:
    """An array, and more behind it: `c: [i * 2] for i < k`, `w: [1, 2] * 3`."""
    match = re.match(r"\s*(?:- )?(?:[^:{\[\"']+:\s+)?(\[.*\]\s*[^\s,\]}#:][^#]*?)\s*(?:#.*)?$", trouble.text)
    if match is None or trouble.column < match.start(1) or '"' in match[1]:
        return None
    message = "YAML takes these brackets for those of a list, and more follows"
    return trouble.error(message, f'Quote it: "{match[1]}"', trouble.line, match.start(1), len(match[1]))


def _split(trouble: _Trouble) -> StudyError | None:
    """An expression that brackets of its own end too early, inside YAML's."""
    if not any(word in trouble.context for word in ("flow", "alias", "anchor")):
        return None
    key = r"[\w.]+(?:\([^()]*\))?:\s+"
    for match in re.finditer(rf"(?:[{{,]\s*{key}|^\s*{key}|[\[,]\s*)(?=[^\s\"'{{\[])", trouble.text):
        whole = balanced(trouble.text, match.end())
        inside = match.end() <= trouble.column < match.end() + len(whole)
        if inside and not re.search(r":\s", whole):
            message = "YAML split this expression at a bracket, inside '{ }' or '[ ]'"
            return trouble.error(message, f'Quote it: "{whole}"', trouble.line, match.end(), len(whole))
    return None


def _unclosed(trouble: _Trouble) -> StudyError | None:
    line, column = trouble.start_line, trouble.start_column
    if "flow" in trouble.context and (trouble.line > line or not trouble.text[trouble.column :].strip()):
        opened, closing = ("{", "}") if "mapping" in trouble.context else ("[", "]")
        return trouble.error(f"this '{opened}' is not closed", f"Close it with '{closing}'.", line, column)
    if "quoted scalar" in trouble.context and "end of stream" in trouble.problem:
        return trouble.error("this quote is not closed", "Close it on the same line.", line, column)
    return None


def _after_quote(trouble: _Trouble) -> StudyError | None:
    if trouble.text[: trouble.column].rstrip()[-1:] not in ("'", '"') or "expected key" not in trouble.problem:
        return None
    hint = "Quote the whole value, or nothing of it."
    return trouble.error("a text in quotes ends here, and more follows", hint, trouble.line, trouble.column)


def _colon(trouble: _Trouble) -> StudyError | None:
    """A key without its colon, or a colon inside a text."""
    if "could not find expected ':'" in trouble.problem:
        text = trouble.source.lines[trouble.start_line]
        message = "this line has no colon: expected `key: value`"
        return trouble.error(message, NO_COLON, trouble.start_line, trouble.start_column, len(text.strip()))
    if "mapping values" not in trouble.problem:
        return None
    if re.search(r":\s", trouble.text[: trouble.column]):
        hint = "Quote a text that holds a colon followed by a space."
        return trouble.error("a second colon in one value", hint, trouble.line, trouble.column)
    above = trouble.source.lines[trouble.above] if trouble.above >= 0 else ""
    if above and ":" not in above:
        message = "this line has no colon: expected `key: value`"
        return trouble.error(message, NO_COLON, trouble.above, len(above) - len(above.lstrip()), len(above.strip()))
    return None


def _indentation(trouble: _Trouble) -> StudyError | None:
    column = len(trouble.text) - len(trouble.text.lstrip())
    mapping = "expected key" in trouble.problem and trouble.column == column
    if trouble.above < 0 or not (mapping or "mapping values" in trouble.problem):
        return None
    above = trouble.source.lines[trouble.above]
    start = len(above) - len(above.lstrip()) + 1
    if start == column + 1:
        return None
    hint = f"Entries of one mapping begin in one column, and line {trouble.above + 1} begins in column {start}."
    return trouble.error("this line is indented unlike those around it", hint, trouble.line, column)


def _character(trouble: _Trouble) -> StudyError | None:
    if "cannot start any token" not in trouble.problem and "node content" not in trouble.problem:
        return None
    character = trouble.text[trouble.column : trouble.column + 1]
    if not character:
        return None
    return trouble.error(f"'{character}' cannot begin a value in YAML", "Quote the text.", trouble.line, trouble.column)


_EXPLANATIONS: tuple[Callable[[_Trouble], StudyError | None], ...] = (
    _tab, _index_notation, _after_brackets, _split, _unclosed, _after_quote, _colon, _indentation, _character,
)  # fmt: skip

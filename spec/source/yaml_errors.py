"""Errors of texts that are no YAML: the parser's messages, placed at the mistake and with a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from ..diagnostics.problems import Problem, Source, Span, StudyError, problem_at
from .open_brackets import CLOSED_BY, open_brackets

YAML_HINT = "YAML is lines of `key: value`, indented alike; quote a text that contains `: `, `#` or brackets."
NO_COLON = (
    "Write `key: value`, with a space after the colon; a text over several lines is indented deeper than its key."
)
_OPENED_BY = {closing: opening for opening, closing in CLOSED_BY.items()}
_OPEN = {closing: f"Open it with '{opening}', or remove it." for closing, opening in _OPENED_BY.items()}


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
    def character(self) -> str:
        """The character that the parser stopped at; none at a line's end."""
        return self.text[self.column : self.column + 1]

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
        hint = "Write a name without `${}`: `batch: n`."
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
            problems.append(Problem("this line marks a merge conflict that is not resolved", span, hint))
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
    message = f"the character U+{ord(character):04X} is not allowed in a text"
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
    """A bracket or a quote that nothing closes before its line or the file ends, or before another's end."""
    if "quoted scalar" in trouble.context and "end of stream" in trouble.problem:
        line, column = trouble.start_line, trouble.start_column
        return trouble.error("this quote is not closed", "Close it on the same line.", line, column)
    opened = open_brackets(trouble.source.text, trouble.line, trouble.column)
    if not opened:
        return None
    inner, character = opened[-1], trouble.character
    closing = CLOSED_BY[inner.character]
    message, hint = f"this '{inner.character}' is not closed", f"Close it with '{closing}'."
    if trouble.line > inner.line or not trouble.text[trouble.column :].strip():
        return trouble.error(message, hint, inner.line, inner.column)
    if character not in CLOSED_BY.values() or character == closing:
        return None
    if any(CLOSED_BY[one.character] == character for one in opened):
        return trouble.error(message, f"Close it with '{closing}' before this '{character}'.", inner.line, inner.column)
    if trouble.text[trouble.column :].count(closing) >= [one.character for one in opened].count(inner.character):
        return trouble.error(f"this '{character}' closes nothing", _OPEN[character], trouble.line, trouble.column)
    hint = f"Close it with '{closing}' in place of this '{character}'."
    return trouble.error(message, hint, inner.line, inner.column)


def _closes_nothing(trouble: _Trouble) -> StudyError | None:
    """An end without a beginning: `n: 3}`, `n: {d: 3}}`, `n: ]`; a comma without a value; more behind a mapping."""
    opened = open_brackets(trouble.source.text, trouble.line, trouble.column)
    character, before = trouble.character, trouble.text[: trouble.column].rstrip()
    if character in _OPEN and not opened:
        return trouble.error(f"this '{character}' closes nothing", _OPEN[character], trouble.line, trouble.column)
    if character == "," and opened:
        hint = "Write a value before it, or remove it."
        return trouble.error("there is nothing before this comma", hint, trouble.line, trouble.column)
    if not opened and before.endswith("}") and "expected key" in trouble.problem:
        message = "a mapping ends here, and more follows"
        return trouble.error(message, "Put it inside the braces, or remove it.", trouble.line, trouble.column)
    if not opened and "mapping values" in trouble.problem:
        rest = re.sub(r"\s#.*", "", trouble.text[trouble.column :]).rstrip()
        if rest[-1:] in _OPEN and rest.count(rest[-1]) > rest.count(_OPENED_BY[rest[-1]]):
            column = trouble.column + len(rest) - 1
            return trouble.error(f"this '{rest[-1]}' closes nothing", _OPEN[rest[-1]], trouble.line, column)
    return None


def _entries(trouble: _Trouble) -> StudyError | None:
    """What goes wrong between two entries of brackets: no comma, or a bracket that a text brings along."""
    opened = open_brackets(trouble.source.text, trouble.line, trouble.column)
    if not opened or "${" in trouble.text or not re.match(r"did not find expected ',' or '[]}]'", trouble.problem):
        return None
    inner = opened[-1].character + CLOSED_BY[opened[-1].character]
    before = trouble.text[: trouble.column]
    if trouble.character in _OPENED_BY.values() and before[-1:].strip() and before[-1:] not in "'\"":
        message = f"YAML split this text at a bracket, inside '{inner[0]} {inner[1]}'"
        return trouble.error(message, "Close its brackets, and quote it.", trouble.line, trouble.column)
    hint = f"Separate the entries between '{inner[0]}' and '{inner[1]}' by commas."
    if trouble.character == ":":
        return trouble.error("a second colon in one entry", hint, trouble.line, trouble.column)
    if before.rstrip()[-1:] in ("'", '"'):
        hint = "Quote the whole value, or none of it."
        return trouble.error("a text in quotes ends here, and more follows", hint, trouble.line, trouble.column)
    return trouble.error("no comma before this", hint, trouble.line, trouble.column)


def _after_quote(trouble: _Trouble) -> StudyError | None:
    if trouble.text[: trouble.column].rstrip()[-1:] not in ("'", '"') or "expected key" not in trouble.problem:
        return None
    hint = "Quote the whole value, or none of it."
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
    return trouble.error("this line is not indented like those around it", hint, trouble.line, column)


def _character(trouble: _Trouble) -> StudyError | None:
    if "cannot start any token" not in trouble.problem and "node content" not in trouble.problem:
        return None
    character = trouble.character
    if not character:
        return None
    return trouble.error(f"'{character}' cannot begin a value in YAML", "Quote the text.", trouble.line, trouble.column)


_EXPLANATIONS: tuple[Callable[[_Trouble], StudyError | None], ...] = (
    _tab, _index_notation, _after_brackets, _split, _unclosed, _closes_nothing, _entries, _after_quote, _colon, _indentation,
    _character,
)  # fmt: skip

"""A study that is open in an editor: its text, its problems, and answers to the editor's requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..diagnostics.problems import Problem, Source, Span, StudyError
from ..format import formatted
from ..resolve.load import parse
from ..resolve.resolve import validate
from ..source import nodes as yaml
from ..source.text import is_study
from .completion import Completion, complete, parameters
from .cursor import Where, where
from .hover import hover
from .names import Names, kinds_at, names
from .outline import Hint, Symbol, hints, outline
from .renaming import NotRenamed, moves_draws, uses
from .words import Word, words


class OpenStudy:
    """One text at a time. Lines and columns of questions count from 0, in code points; spans count from 1."""

    def __init__(self, name: str, text: str = "", folder: str = "") -> None:
        self.source = Source(name, text, folder)
        self.experiments: Mapping[str, Names] = {}
        """The names of each experiment, as of the last text that was YAML, with the parts of networks as they were when all could be checked."""
        self.update(text)

    def update(self, text: str) -> None:
        """Takes a new text; names stay as they were while it is no YAML."""
        self.source = Source(self.source.name, text, self.source.folder)
        self.lines = self.source.lines
        self.stale = True

    def refresh(self) -> None:
        """Reads the names anew where the text has changed."""
        if not self.stale:
            return
        self.stale = False
        before = self.experiments
        try:
            found = names(yaml.parse(self.source))
        except StudyError:
            return
        self.experiments = {
            name: own if own.parts or name not in before else replace(own, parts=before[name].parts)
            for name, own in found.items()
        }

    @property
    def study(self) -> bool:
        """Whether the text means to be a study, or may become one: it has no keys yet."""
        return is_study(self.source.text) or not re.search(r"^[\w\"'-]+\s*:", self.source.text, re.MULTILINE)

    def problems(self) -> Sequence[Problem]:
        """All that is wrong, as `dlspec validate` says it, and the warnings; none in a file that is no study."""
        if not is_study(self.source.text):
            return ()
        try:
            return validate(parse(self.source))
        except StudyError as error:
            return error.problems

    def where(self, line: int, column: int) -> Where | None:
        """Where a position is; None inside comments and texts."""
        return where(self.lines, line, column)

    def complete(self, line: int, column: int) -> list[Completion]:
        """What can stand at a position."""
        at = self.where(line, column)
        if at is None or not self.study:
            return []
        self.refresh()
        return complete(at, self.experiments)

    def hover(self, line: int, column: int) -> tuple[str, tuple[int, int]] | None:
        """What the word at a position means, in Markdown, and the columns that it spans."""
        at = self.where(line, column)
        if at is None or not self.study:
            return None
        self.refresh()
        text = hover(at, self.lines[line] if line < len(self.lines) else "", self.experiments)
        return (text, (at.start, at.end)) if text else None

    def definition(self, line: int, column: int) -> Span | None:
        """Where the name at a position is declared, or None."""
        at = self.where(line, column)
        if at is None or not at.word:
            return None
        self.refresh()
        own = self.experiments.get(at.experiment or "")
        if not at.key and at.path[-1:] == ("base",):
            other = self.experiments.get(at.word)
            return other.key if other is not None else None
        if own is None or (not at.key and at.word in parameters(at, own)):
            return None
        known = own.find(at.word, *kinds_at(at.place, at.inside, at.key, at.before or at.word))
        return known.key if known is not None else None

    def tree(self) -> yaml.Mapping | None:
        """The text as a tree; None while it is no YAML, or no study."""
        if not is_study(self.source.text):
            return None
        self.refresh()
        try:
            return yaml.parse(self.source)
        except StudyError:
            return None

    def words(self) -> list[Word]:
        """The words of keys and expressions, with what stands for each."""
        top = self.tree()
        return words(top, self.lines, self.experiments) if top is not None else []

    def uses(self, line: int, column: int) -> list[Word]:
        """All places of the name at a position."""
        top = self.tree()
        return uses(top, self.lines, self.experiments, line, column) if top is not None else []

    def renamed(self, line: int, column: int, name: str) -> tuple[list[Word], bool]:
        """The places at which the name at a position has to be written otherwise, and whether random draws follow it. Raises NotRenamed."""
        top = self.tree()
        places = uses(top, self.lines, self.experiments, line, column) if top is not None else []
        if top is None or not places:
            raise NotRenamed("there is no name of the study's own here")
        return places, moves_draws(self.source, places, name)

    def outline(self) -> tuple[Symbol, ...]:
        """What it is made of."""
        top = self.tree()
        return outline(top) if top is not None else ()

    def hints(self) -> list[Hint]:
        """What its networks come to, beside their lines."""
        top = self.tree()
        return hints(top, self.experiments) if top is not None else []

    def formatted(self) -> str | None:
        """The text in its canonical form; None while it is not a valid study."""
        try:
            return formatted(self.source)
        except StudyError:
            return None

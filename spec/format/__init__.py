"""One canonical form of a study.

In: a text. Out: the same study in canonical layout: read back first, with the same meaning and every comment.
"""

from __future__ import annotations

from ..check.memo import Common
from ..diagnostics.problems import InternalError, Source, StudyError
from ..expressions.parser import SyntaxProblem, parse_expression
from ..ir.plan import StudyPlan
from ..passes.digests import Digests, identified
from ..resolve.document import Document
from ..resolve.load import parse
from ..resolve.resolve import in_every_profile, validate
from ..resolve.sweep import cells, parts
from ..source import nodes as yaml
from .layout import layout
from .scalars import head
from .syntax import comments, read_text

MAX_PARTS = 1500
"""Up to how many names and layers of cells, of all profiles together, are checked a second time, for their digests: of more, the trees that they are
made from are compared alone, key by key and value by value."""
MAX_DIGESTS = 500
"""Up to how many digests are compared."""


def formatted(source: Source) -> str:
    """The canonical text of a study. Raises StudyError for one that is not valid, InternalError where meaning is at stake."""
    events, plain = yaml.events_of(source), _plain(source.text)
    document = parse(source, events)
    tree = read_text(plain, events if plain == source.text else None)
    remarks = comments(tree)
    after = layout(tree)
    if after == source.text:
        validate(document)
        return after
    before = _digests(document, Common(run=False))
    try:
        again = Source(source.name, after, source.folder)
        events = yaml.events_of(again)
        if before:
            written = parse(again, events)
            same = _same(document.top, written.top)  # claims, too, which need no second check then
            same = same and before == _digests(written, Common(judged=False, run=False))
        else:
            top, problems = yaml.parsed(again, events)
            same = not problems and _same(document.top, top)
    except StudyError as error:
        raise _refused(source, error.problems[0].message) from None
    if not same:
        raise _refused(source, "its meaning would change")
    if comments(read_text(after, events)) != remarks:
        raise _refused(source, "a comment would be lost")
    return after


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refused(source: Source, reason: str) -> InternalError:
    return InternalError(f"{source.name} cannot be formatted, and was left as it is: {reason}")


def _same(before: yaml.Node, after: yaml.Node) -> bool:
    """Whether two trees say the same: maps by their keys, scalars by value, expressions by their syntax trees."""
    if isinstance(before, yaml.Mapping) and isinstance(after, yaml.Mapping):
        first = {head(key.text): node for key, node in before.entries}
        second = {head(key.text): node for key, node in after.entries}
        return first.keys() == second.keys() and all(_same(node, second[key]) for key, node in first.items())
    if isinstance(before, yaml.Sequence) and isinstance(after, yaml.Sequence):
        pairs = zip(before.items, after.items, strict=False)
        return len(before.items) == len(after.items) and all(_same(one, other) for one, other in pairs)
    if isinstance(before, yaml.Scalar) and isinstance(after, yaml.Scalar):
        if type(before.value) is type(after.value) and before.value == after.value:
            return True
        return isinstance(before.value, str) and isinstance(after.value, str) and _equal(before.text, after.text)
    return False


def _equal(before: str, after: str) -> bool:
    try:
        return parse_expression(before) == parse_expression(after)
    except SyntaxProblem:
        return False


def _digests(document: Document, common: Common) -> list[str]:
    """The digests of every cell and measure in every profile; nothing where these are many. Raises StudyError."""
    of_each = [cells(model) * (1 + parts(model)) for model in document.study.experiments.values()]
    if sum(of_each) * (1 + len(document.study.profiles)) > MAX_PARTS:
        validate(document)
        return []
    plans: list[StudyPlan] = []
    count = 0

    def look(plan: StudyPlan) -> None:
        nonlocal count
        count += sum(1 + len(program.measures) for made in plan.experiments for program in made.programs)
        plans.append(plan)
        if count > MAX_DIGESTS:
            plans.clear()

    in_every_profile(document, look, common=common)
    programs = (program for plan in plans for made in identified(plan).experiments for program in made.programs)
    digests = Digests()
    return [
        digest
        for program in programs
        for digest in (program.digest, *(digests.measure(program, measure) for measure in program.measures))
    ]


__all__ = ["formatted"]

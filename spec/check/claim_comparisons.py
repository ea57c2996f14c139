"""What comparisons of claims have to be: of a form that their judge takes, and of evaluations that are equally many."""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics.problems import Span, problem_at
from ..ir import claims as c
from ..tables.judges import Judge


def must_choose_among_equally_many(
    tree: c.Claim, evaluations: Callable[[c.Measured], frozenset[int]], span: Span
) -> None:
    """Refuses a comparison of the best of many evaluations with the best of a few: chance alone would favour the many."""
    for part in c.parts(tree):
        if not isinstance(part, c.Apply) or part.operation not in c.BY_SIZE:
            continue
        best = [one for one in c.parts(part) if isinstance(one, c.Measured) and one.reduction in c.BEST]
        counts = [evaluations(one) for one in best]
        if len({*counts}) > 1 and all(counts):
            least, most = min(map(min, counts)), max(map(max, counts))
            raise problem_at(
                span,
                f"the best of {most:,} evaluations is compared with the best of {least:,}: chance alone favours the larger number",
                "Give both the same `evaluate`, or compare `final(…)`.",
            )


def must_take(judge: Judge, tree: c.Claim, span: Span) -> None:
    """Raises StudyError for a claim of a form that its judge does not take."""
    if judge.takes == "size" and not (isinstance(tree, c.Apply) and tree.operation in c.BY_SIZE):
        message = f"`judge: {judge.name}` takes an interval of one difference, and this is not one comparison by <, <=, > or >="
        hint = "Make each comparison a claim of its own, or leave out `judge`: then every replicate has to agree."
        raise problem_at(span, message, hint)
    if judge.takes == "within" and not (isinstance(tree, c.Apply) and tree.operation == "within"):
        message = f"`judge: {judge.name}` asks whether a mean lies between two bounds, and this is not one `within(x, low, high)`"
        raise problem_at(span, message, "Write `within(final(accuracy), 0.48, 0.52)`.")

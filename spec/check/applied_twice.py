"""What is given to an operation that applies the same to its scores by itself: `cross_entropy` of a softmax takes the softmax twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import Program
from ..tables.operations import OPERATIONS
from .measure_reads import MeasureReads


def applied_twice(program: Program, reads: MeasureReads) -> Iterator[Problem]:
    """Warnings of what loss, outputs and measures apply twice: each place once."""
    outputs = {item.name: item.term for item in program.outputs}
    every = (*outputs.values(), *(one.term for one in program.loss), *(measure.term for measure in program.measures))
    told: set[int] = set()
    for term in (term for term in every if reads.of(term).scored):
        items = list(t.walk(term))
        names = {**outputs, **_arguments(items)}
        for item in items:
            if isinstance(item, t.Operate) and OPERATIONS[item.operation].applies and id(item) not in told:
                told.add(id(item))
                yield from _told(item, names, program)


def _told(item: t.Operate, names: Mapping[str, t.Term], program: Program) -> Iterator[Problem]:
    row = OPERATIONS[item.operation]
    given = [argument.name for argument in row.arguments]
    score = item.arguments[given.index("score") if "score" in given else 0]
    applied, network = _made_by(score, names, program)
    if applied != row.applies:
        return
    while isinstance(score, t.Parameter) and score.key in names:
        score = names[score.key]
    message = f"`{row.name}` takes the {applied} of its scores itself, and is given a {applied}: it is taken twice"
    mended = f"Leave it away from the last layer of '{network}'" if network else "Give it what that is taken of"
    hint = f"{mended}, and write `{applied}(…)` where probabilities are wanted."
    yield Problem(message, score.span or item.span, hint, "warning")


def _arguments(items: Iterable[t.Term]) -> Mapping[str, t.Term]:
    """What the parameters of functions stand for, by their keys."""
    calls = (item for item in items if isinstance(item, t.Invoke))
    return {key: term for call in calls for key, term in zip(call.parameters, call.arguments, strict=True)}


def _made_by(term: t.Term, names: Mapping[str, t.Term], program: Program) -> tuple[str, str]:
    """The operation or activation that made a value last, and the network whose last layer it is; both empty where it is none."""
    network = ""
    while True:
        if isinstance(term, t.Reference | t.Parameter):
            name = term.name if isinstance(term, t.Reference) else term.key
            if name not in names:
                return "", ""
            term = names[name]
        elif isinstance(term, t.Invoke):
            term = term.body
        elif isinstance(term, t.Stop):
            term = term.operand
        elif isinstance(term, t.NetworkOutput) and not network:
            network = term.network
            (plan,) = (one for one in program.networks if one.name == network)
            last = (plan if term.layer is None else plan.until(term.layer)).layers[-1]
            if last.body is None:
                return str(last.config.get("activation") or last.row), network
            term = last.body
        else:
            return (term.operation if isinstance(term, t.Operate) else ""), network

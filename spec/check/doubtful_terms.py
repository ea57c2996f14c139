"""What is right by the rules and seldom meant: `cross_entropy` of a softmax takes the softmax twice, `[n, 1]` less `[n]` is `[n, n]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import Program
from ..tables.operations import OPERATIONS
from .measure_reads import MeasureReads, spread_by_rank


def doubtful(program: Program, reads: MeasureReads) -> Iterator[Problem]:
    """Warnings of what stands in a program's terms, each place once."""
    outputs = {item.name: item.term for item in program.outputs}
    made = (
        *(item.term for item in (*program.draws, *program.examples)),
        *(network.input for network in program.networks),
    )
    minimised = (*(one.term for one in program.loss), *(measure.term for measure in program.measures))
    told: set[int] = set()
    for term in (*made, *outputs.values(), *minimised):
        if not reads.of(term).doubtful:
            continue
        items = list(t.walk(term))
        names = {**outputs, **_arguments(items)}
        for item in items:
            if isinstance(item, t.Operate) and id(item) not in told:
                told.add(id(item))
                if OPERATIONS[item.operation].applies:
                    yield from _applied_twice(item, names, program)
                if spread_by_rank(item):
                    yield _spread(item)


def _spread(item: t.Operate) -> Problem:
    row = OPERATIONS[item.operation]
    texts = " and ".join(dict.fromkeys(str(one.type) for one in item.arguments if one.type.shape))
    message = f"`{row.operator or row.name}` of {texts} is {item.type}: each entry of one with each of the other"
    hint = "Where entries belong together give both one shape: `f[:, 0]`. Pairs are said by an index: `[f[i, 0] - y[j] for i < n, j < n]`."
    return Problem(message, item.span, hint, "warning")


def _applied_twice(item: t.Operate, names: Mapping[str, t.Term], program: Program) -> Iterator[Problem]:
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

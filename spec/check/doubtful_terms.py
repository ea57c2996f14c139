"""What is right by the rules and seldom meant: `cross_entropy` of a softmax takes the softmax twice, `[n, 1]` less `[n]` is `[n, n]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from ..diagnostics.problems import Problem
from ..expressions.parser import COMPARISONS
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.integer_ranges import Known, Ranges
from ..source.several import OnePointNeeded
from ..tables.operations import OPERATIONS
from .all_points import at_points
from .bare_measures import order_of_means
from .doubtful_comparisons import doubtful_comparison
from .integer_ranges import PartBounds
from .measure_reads import MeasureReads, spread_by_rank


def doubtful(program: Program, reads: MeasureReads, data: Ranges | None, counted: bool) -> Iterator[Problem]:
    """Warnings of what stands in a program's terms, each place once; `data` and `counted` as in `PartBounds`."""
    outputs = {item.name: item.term for item in program.outputs}
    made = (*(item.term for item in (*program.draws, *program.examples)), *(one.input for one in program.networks))
    minimised = [one.term for one in program.loss]
    measured = [measure.term for measure in program.measures]
    evaluated = set(map(id, measured))
    bounds = PartBounds(program, data, counted)
    told: set[int] = set()
    for root in (*made, *outputs.values(), *minimised, *measured):
        if not reads.of(root).doubtful:
            continue
        if reads.of(root).indexed:
            yield from bounds.doubts(root, id(root) in evaluated)
        names = {**outputs, **_arguments(t.within(root, t.Invoke))}
        known = partial(bounds.of, root=root, measured=id(root) in evaluated)
        for item in t.within(root, t.Operate):
            if id(item) not in told:
                told.add(id(item))
                row = OPERATIONS[item.operation]
                if row.applies:
                    yield from _applied_twice(item, names, program)
                if row.signs:
                    yield from _signs(item, known)
                if row.operator in COMPARISONS:
                    made_by = partial(_made_by, names=names, program=program)
                    values = partial(bounds.values, root=root, measured=id(root) in evaluated)
                    yield from doubtful_comparison(item, made_by, names, program, values)
                if row.instead and not item.arguments[0].type.shape:
                    yield _of_one(item)
                if spread_by_rank(item):
                    yield _spread(item)
    for measure in program.measures:
        yield from order_of_means(measure)


def _spread(item: t.Operate) -> Problem:
    row = OPERATIONS[item.operation]
    texts = " and ".join(dict.fromkeys(str(one.type) for one in item.arguments if one.type.shape))
    message = f"`{row.operator or row.name}` of {texts} is {item.type}: each entry of one with each of the other"
    hint = "If entries belong together, give both one shape: `f[:, 0]`. For pairs, write indices: `[f[i, 0] - y[j] for i < n, j < n]`."
    return Problem(message, item.span, hint, "warning")


def _of_one(item: t.Operate) -> Problem:
    row = OPERATIONS[item.operation]
    message = f"`{row.name}` of one number is that number: expressions speak of one example"
    return Problem(message, item.span, f"Over examples it is `{row.instead}`.", "warning")


def _signs(item: t.Operate, bounds: Callable[[t.Term], Known]) -> Iterator[Problem]:
    """A label that is 0 or 1 where it should be -1 or 1: at 0 a margin hangs on no score. Raises OnePointNeeded where that is so at some point."""
    row = OPERATIONS[item.operation]
    label = item.arguments[[argument.name for argument in row.arguments].index(row.signs)]
    if isinstance(label, t.Literal):
        ranges = [(float(value.min()), float(value.max())) for value in at_points(label.value)]
    else:
        known = bounds(label) if label.type.kind != "real" else None
        ranges = [] if known is None else [known]
    if all(low < 0 or low == high == 1 for low, high in ranges):
        return
    if len(ranges) > 1:
        raise OnePointNeeded
    low, high = ranges[0]
    values = f"{low:g}" if low == high else f"{low:g} or {high:g}" if high == low + 1 else f"{low:g} … {high:g}"
    message = f"`{row.name}` takes {row.signs} = ±1, and this is {values}"
    hint = "`2 * k - 1` makes signs of 0 and 1, `1 if b else -1` of a condition. At 0 the score has no effect."
    yield Problem(message, label.span or item.span, hint, "warning")


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
    mended = f"Remove it from the last layer of '{network}'" if network else "Give it the scores themselves"
    hint = f"{mended}, and write `{applied}(…)` where probabilities are wanted."
    yield Problem(message, score.span or item.span, hint, "warning")


def _arguments(calls: Iterable[t.Invoke]) -> Mapping[str, t.Term]:
    """What the parameters of functions stand for, by their keys."""
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

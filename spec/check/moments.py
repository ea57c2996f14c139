"""Values at the weights of another time: `initial(f)`, `after(task_a, f.weights)`, `average(f)`, `current(f)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..diagnostics.problems import Problem, Span, did_you_mean, listing, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.plan import MeasurePlan, Named, Program
from . import constant_folding as folding
from .context import Context, Elaborator
from .expectations import enclosed
from .expression_text import Text
from .measure_reads import MeasureReads
from .namespace import LATE_STAGES

MOMENTS = ("initial", "after", "average", "current")


def recalled(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A value at the weights of another time. Raises StudyError."""
    if context.stage not in LATE_STAGES:
        hint = "It may stand in outputs, losses and measures."
        raise problem_at(span, f"`{node.function}` speaks of trained weights, and there are none here yet", hint)
    phase, number = "", None
    if node.function == "after":
        phase, number = _phase(checker, node.arguments[0], text, context)
    operand = enclosed(checker.term(node.arguments[-1], text, context), context.bound)
    if isinstance(operand, t.Literal):
        return operand
    over = next((item for item in t.walk(operand) if isinstance(item, t.Expectation | t.Gradient)), None)
    if over is not None:
        hint = f"Write it inside: `E({node.function}({'…, ' if phase else ''}x))`."
        raise problem_at(
            over.span or span,
            f"`{node.function}` is of one example's value, and here is an average or a gradient",
            hint,
        )
    if not checker.names.trained(operand):
        hint = "Take a network's output, or weights: `f.weights`."
        raise problem_at(span, f"`{node.function}` is of something that weights make, and none are in this", hint)
    return t.Recalled(operand, node.function, phase, number, type=operand.type, span=span)


def _phase(checker: Elaborator, node: n.Expr, text: Text, context: Context) -> tuple[str, int | None]:
    """The phase, and the number of its pass if one is chosen."""
    span, number = text.span(node), None
    if isinstance(node, n.Index) and len(node.subscripts) == 1 and not isinstance(node.subscripts[0], n.Slice):
        term = checker.term(node.subscripts[0], text, replace(context, stage="constants"))
        number = int(folding.integer(term, "a pass"))
        node = node.array
    known = checker.names.training_phases
    if not isinstance(node, n.Name) or node.name not in known:
        name = node.name if isinstance(node, n.Name) else ""
        if not known:
            raise problem_at(
                span, "`after` takes a phase of training, and there are none", "Give the training `phases:`."
            )
        hint = did_you_mean(name, known) or f"The phases are {listing(known)}: `after({known[0]}, f.weights)`."
        raise problem_at(span, f"there is no phase '{name}'" if name else "`after` takes a phase of training", hint)
    return node.name, number


def recalls(program: Program, terms: Iterable[t.Term]) -> Iterator[t.Recalled | t.Reference]:
    """What some terms recall, and the estimates in them, through outputs, too; what several of them hold is gone through once."""
    outputs = {item.name: item.term for item in program.outputs}
    seen: set[int] = set()

    def onwards(term: t.Term) -> Iterable[t.Term]:
        seen.add(id(term))
        named = isinstance(term, t.Reference) and term.name in outputs
        below = (outputs[term.name],) if named else t.children(term)  # type: ignore[attr-defined]
        return [item for item in below if id(item) not in seen]

    for term in terms:
        for item in t.walk(term, onwards):
            if isinstance(item, t.Recalled) or (isinstance(item, t.Reference) and item.stage == "estimates"):
                yield item


def may_be_missing(outputs: Iterable[Named], measures: Iterable[MeasurePlan], reads: MeasureReads) -> list[MeasurePlan]:
    """The measures that have no value before a phase has ended. `outputs` come after those that they use."""
    late: set[str] = set()

    def waits(term: t.Term) -> bool:
        read = reads.of(term)
        return read.after or not late.isdisjoint(read.names)

    for output in outputs:
        if waits(output.term):
            late.add(output.name)
    return [measure for measure in measures if waits(measure.term)]


def _holding(program: Program, terms: Iterable[t.Term], reads: MeasureReads) -> list[t.Term]:
    """Those of some terms in which, through outputs, too, there is anything of another time."""
    late: set[str] = set()

    def holds(term: t.Term) -> bool:
        read = reads.of(term)
        return read.recalled or read.after or not late.isdisjoint(read.names)

    for output in program.outputs:
        if holds(output.term):
            late.add(output.name)
    return [term for term in terms if holds(term)]


def unavailable(program: Program, reads: MeasureReads) -> list[Problem]:
    """Weights that are never kept, and those that a loss needs before they are there."""
    plan = program.training
    phases = plan.phases if plan is not None else ()
    averaged = any(o.arguments.get("use_ema") for phase in phases for o in phase.all_optimizers)
    places = {phase.name: place for place, phase in enumerate(phases)}
    estimated = {item.name: item.phase for item in program.estimates}
    shown = [m.term for m in program.measures] + [term for probe in program.probes for term in probe.terms.values()]
    wanted = [(item, len(phases), "") for item in recalls(program, _holding(program, shown, reads))]
    for estimate in program.estimates:
        what = f"the estimate '{estimate.name}'"
        wanted += [(item, places[estimate.phase] + 1, what) for item in recalls(program, [estimate.term])]
    for place, phase in enumerate(phases):
        what = f"the loss of the phase '{phase.name}'"
        lost = _holding(program, [one.term for one in phase.loss], reads)
        wanted += [(item, place, what) for item in recalls(program, lost)]
    found: dict[tuple[Span | None, str], Problem] = {}
    for item, before, what in wanted:
        if isinstance(item, t.Reference):
            said, needed, after = None, f"the estimate '{item.name}'", estimated[item.name]
        else:
            said = _unavailable(item, phases[places[item.phase]].times if item.phase in places else 0, averaged)
            needed, after = "the weights", item.phase if item.moment == "after" else ""
        if said is None and after and places[after] >= before:
            message = f"{what} needs {needed} after '{after}', which has not ended then"
            said = message, "Give the term to a later phase alone, by a `loss` of its own."
        if said is not None:
            found.setdefault((item.span, said[0]), Problem(said[0], item.span, said[1]))
    return list(found.values())


def _unavailable(item: t.Recalled, times: int, averaged: bool) -> tuple[str, str] | None:
    """What is wrong with a moment, and what to do."""
    if item.moment in ("average", "current") and not averaged:
        return (
            f"`{item.moment}` is of moving averages of the weights, and no optimiser keeps any",
            "Give an optimiser `use_ema: true`.",
        )
    if item.moment != "after":
        return None
    if not times:
        return (
            f"the phase '{item.phase}' has 0 steps here, and no weights at its end",
            "Give it steps, or take `initial(…)`.",
        )
    if item.number is not None and not 0 <= item.number < times:
        count = f"{times} pass{'es' if times > 1 else ''}"
        return f"the phase '{item.phase}' has {count}, and no pass {item.number}", f"Passes are 0 … {times - 1}."
    return None

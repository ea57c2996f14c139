"""Values at the weights of another time: `initial(f)`, `after(task_a, f.weights)`, `average(f)`, `current(f)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
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
Needed = t.Recalled | t.Reference
"""Weights at another time, or an estimate."""


def recalled(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A value at the weights of another time. Raises StudyError."""
    if context.stage not in LATE_STAGES:
        hint = "Use it in outputs, losses and measures."
        raise problem_at(span, f"`{node.function}` needs trained weights, and there are none here yet", hint)
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
            f"`{node.function}` is of one example's value, and this has an average or a gradient",
            hint,
        )
    if not checker.names.trained(operand):
        hint = "Take a network's output, or weights: `f.weights`."
        raise problem_at(span, f"`{node.function}` takes what depends on weights, and this depends on none", hint)
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


def recalls(program: Program, terms: Iterable[t.Term]) -> Iterator[Needed]:
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

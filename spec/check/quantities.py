"""Numbers of an experiment's results, in the words of claims: `final(error, d == 10)`."""

from __future__ import annotations

from ..diagnostics.problems import Source, Span
from ..ir import claims as c
from ..ir.plan import ExperimentPlan
from ..source import nodes as yaml
from .claim_cells import borders_in, constants_in, evaluated_in
from .claim_comparisons import must_choose_among_equally_many
from .claim_subject import Subject
from .claims import whole_claim
from .expression_text import read
from .measure_shapes import shapes_by_cell


def quantity(plan: ExperimentPlan, expression: str) -> c.Claim:
    """The tree of a number, or of a condition, that is made of an experiment's measures and axes as a claim's parts are.

    Raises StudyError where it has no such meaning; the places in it are those in the expression, which is one line.
    """
    line = " ".join(expression.split())
    source = Source("expression", line)
    span = Span(source, 1, 1, 1, len(line) + 1)
    text, subject = read(yaml.Scalar(line, line, True, span)), _subject(plan)
    tree = whole_claim(text, subject)
    subject.compare(tree, span)
    must_choose_among_equally_many(tree, subject.evaluations, span)
    return tree


def _subject(plan: ExperimentPlan) -> Subject:
    """What can be spoken of: measures, axes and constants as the cells have them."""
    programs = plan.programs
    shapes = [
        (program.place, {measure.name: measure.term.type.shape for measure in program.measures}) for program in programs
    ]
    return Subject(
        {name: shape for _, own in shapes for name, shape in own.items()},
        plan.axes,
        constants_in(programs, plan.axes),
        evaluated_in(programs),
        borders_in(programs),
        plan.zipped,
        by_cell=shapes_by_cell(shapes),
    )

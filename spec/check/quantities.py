"""Numbers of an experiment's results, in the words of claims: `final(error, d == 10)`."""

from __future__ import annotations

import numpy as np

from ..diagnostics.problems import Source, Span
from ..ir import claims as c
from ..ir.plan import ExperimentPlan
from ..source import nodes as yaml
from .claim_comparisons import must_choose_among_equally_many
from .claims import Subject, claim_part
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
    tree = claim_part(text.tree, text, subject)
    subject.compare(tree, span)
    must_choose_among_equally_many(tree, subject.evaluations, span)
    return tree


def _subject(plan: ExperimentPlan) -> Subject:
    """What can be spoken of: measures, axes and constants as the cells have them."""
    programs = plan.programs
    shapes = [
        (program.place, {measure.name: measure.term.type.shape for measure in program.measures}) for program in programs
    ]
    constants = programs[0].constants.items() if programs else ()
    return Subject(
        {name: shape for _, own in shapes for name, shape in own.items()},
        plan.axes,
        {name: float(value) for name, value in constants if not np.shape(value) and name not in plan.axes},
        tuple((program.place, program.training.evaluations if program.training else (0,)) for program in programs),
        tuple((program.place, program.training.borders if program.training else ()) for program in programs),
        plan.zipped,
        by_cell=shapes_by_cell(shapes),
    )

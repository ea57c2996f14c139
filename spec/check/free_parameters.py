"""Free parameters: values that are learnt by themselves, `w: {parameter: [d], initializer: normal(0, 1)}`."""

from __future__ import annotations

import numpy as np

from ..diagnostics.problems import Span, problem_at
from ..ir import terms as t
from ..ir.plan import InitialValue, LayerPlan, NetworkPlan
from ..ir.types import Type
from ..model.experiment import FreeParameter
from ..source import nodes as yaml
from ..tables.layers.free_parameter import PARAMETER, VALUE
from . import constant_folding as folding
from .context import Context
from .expressions import Checker
from .initializers import Numbers
from .weight_functions import weight_function


def free_parameter(checker: Checker, name: str, model: FreeParameter, dtype: str) -> NetworkPlan:
    """The plan of a free parameter: a network of no input whose one layer holds it. Raises StudyError."""
    node = model.node("parameter")
    assert node is not None
    number = isinstance(node, yaml.Sequence) and not node.items
    shape = () if number else folding.shape(checker.value(node, Context("constants", ())), "'parameter'")
    kind, numbers = Type("real", shape), Numbers(checker, dtype, model.extent)
    starts = {VALUE: numbers.start(model.initializer, shape)}
    kept, functions = {}, {}
    if model.constraint is not None:
        constraint = numbers.constraint(model.constraint)
        if isinstance(constraint, InitialValue):
            kept[f"{VALUE}_constraint"] = constraint
        else:
            functions[VALUE] = weight_function(checker, constraint, name, f"'{name}'", shape)
    nothing = t.Literal(np.zeros(()), type=Type("real"), span=node.span)
    weights = {VALUE: shape}
    folding.sized(kind, model.key("parameter"))
    layer = LayerPlan(
        PARAMETER, PARAMETER, Type("real"), kind, initializers=starts, constraints=kept, kept_by=functions, weights=weights
    )  # fmt: skip
    return NetworkPlan(name, nothing, (layer,), kind)


def parameter_value(plan: NetworkPlan, argument: t.Term | None, span: Span) -> t.Term:
    """What a free parameter is worth where it is named. Raises StudyError where it is applied to something."""
    if argument is not None:
        message = f"'{plan.name}' is a free parameter, and takes no input"
        raise problem_at(span, message, f"Its value is `{plan.name}`; an entry is `{plan.name}[…]`.")
    return t.Weight(plan.name, PARAMETER, VALUE, type=plan.output, span=span)

"""A typed term as text, for people to read."""

from __future__ import annotations

from ..ir import terms as t
from ..ir.types import shape_text
from ..tables.operations import OPERATIONS


def spell(term: t.Term) -> str:
    """The term in the language's own notation, functions by name, constants by value or shape."""
    match term:
        case t.Literal(value):
            if value.size == 1:
                return f"{value.ravel()[0]:g}" if value.dtype.kind == "f" else str(value.ravel()[0]).lower()
            return f"constant{shape_text(value.shape)}"
        case t.Reference(name=name):
            return name
        case t.Parameter(key):
            return key.partition("@")[0]
        case t.IndexVariable(key):
            return key.partition("#")[0]
        case t.Operate(operation, arguments, static):
            operator = OPERATIONS[operation].operator
            words = [spell(argument) for argument in arguments]
            if operator and len(words) == 2:
                return f"({words[0]} {operator} {words[1]})"
            words += [f"{name}={value}" for name, value in static.items() if name in ("axis", "size", "shape")]
            return f"{operation}({', '.join(words)})"
        case t.Invoke("", _, _, body):
            return spell(body)
        case t.Invoke(function, _, arguments):
            return f"{function}({', '.join(spell(argument) for argument in arguments)})"
        case t.Comprehend(indices, body):
            ranges = ", ".join(f"{index.key.partition('#')[0]} < {index.extent}" for index in indices)
            return f"[{spell(body)} for {ranges}]"
        case t.Gather(array, index, axis):
            return f"{spell(array)}[{', '.join([':'] * axis + [spell(index)])}]"
        case t.Cut(array, axis, first, last):
            return f"{spell(array)}[{', '.join([':'] * axis + [f'{first}:{last}'])}]"
        case t.Stack(items):
            return f"[{', '.join(spell(item) for item in items)}]"
        case t.Stop(operand):
            return f"stop({spell(operand)})"
        case t.Sample(distribution, _, sizes, parameters, shape):
            words = [
                *map(str, sizes.values()),
                *(spell(value) for value in parameters.values()),
                *([shape_text(shape)] if shape else []),
            ]
            return f"{distribution}({', '.join(words)})"
        case t.NetworkOutput(network, given):
            return network if given is None else f"{network}({spell(given)})"
        case t.Weight(network, layer, weight):
            return f"{network}.{layer}.{weight}"
        case t.AllWeights(network, layer):
            return f"{network}.weights" if layer is None else f"{network}.{layer}.weights"
        case t.Expectation(body, quantile):
            return f"E({spell(body)})" if quantile is None else f"quantile({spell(body)}, {quantile:g})"
        case t.Gradient(of, weights):
            return f"gradient({spell(of)}, {spell(weights)})"
        case t.GradientStatistic(statistic, of, weights, examples, over, draws, every):
            words = [spell(of), spell(weights), f"examples={examples}"]
            words += [f"over={', '.join(over)}", f"draws={'all' if every else draws}"] if over else []
            return f"{statistic}({', '.join(words)})"
        case t.SamplingFloor(statistic):
            return f"floor of {spell(statistic)}"
    return "step"


def bare(term: t.Term) -> str:
    """The same without the brackets around the whole, which only an expression around it needs."""
    text = spell(term)
    return text[1:-1] if isinstance(term, t.Operate) and text.startswith("(") else text

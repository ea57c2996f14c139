"""A typed term as text, for people to read."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir import terms as t
from ..ir.term_pass import TermPass
from ..ir.types import shape_text
from ..tables.layers.free_parameter import PARAMETER, VALUE
from ..tables.operations import OPERATIONS
from ..tables.stored_types import LEFT_OUT

_TEXT: TermPass[[], str] = TermPass("text")


def spell(term: t.Term) -> str:
    """The term in the language's own notation, functions by name, constants by value or shape."""
    return _TEXT.of(term)(term)


def _listed(terms: Iterable[t.Term]) -> str:
    """Terms between brackets and commas, which need none of their own."""
    return ", ".join(map(bare, terms))


@_TEXT.case(t.Literal)
def _literal(term: t.Literal) -> str:
    value = term.value
    if value.size == 1:
        return f"{value.ravel()[0]:g}" if value.dtype.kind == "f" else str(value.ravel()[0]).lower()
    return f"constant{shape_text(value.shape)}"


@_TEXT.case(t.SweptConstant)
def _swept_constant(term: t.SweptConstant) -> str:
    return f"swept{shape_text(term.type.shape)}"


@_TEXT.case(t.Reference)
def _reference(term: t.Reference) -> str:
    return term.name


@_TEXT.case(t.Parameter)
def _parameter(term: t.Parameter) -> str:
    return term.key.partition("@")[0]


@_TEXT.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable) -> str:
    return term.key.partition("#")[0]


@_TEXT.case(t.StepNumber)
def _step_number(term: t.StepNumber) -> str:
    return term.counter


@_TEXT.case(t.FileValue)
def _file_value(term: t.FileValue) -> str:
    text = f"{term.file}.{term.columns[0]}" if term.columns[0] else term.file
    if term.several:
        text = f"{term.file}[{term.columns[0]}:{term.columns[-1]}]"
    return f"int({text})" if term.turned else text


@_TEXT.case(t.Operate)
def _operate(term: t.Operate) -> str:
    operator = OPERATIONS[term.operation].operator
    if operator and len(term.arguments) == 2:
        return f" {operator} ".join(map(spell, term.arguments)).join("()")
    words = list(map(bare, term.arguments))
    words += [f"{name}={value}" for name, value in term.static.items() if name in ("axis", "size", "shape", "k")]
    return f"{term.operation}({', '.join(words)})"


@_TEXT.case(t.Invoke)
def _invoke(term: t.Invoke) -> str:
    return f"{term.function}({_listed(term.arguments)})" if term.function else spell(term.body)


@_TEXT.case(t.Scan)
def _scan(term: t.Scan) -> str:
    if term.every:
        return f"scan({term.function}, {_listed(term.arguments)})"
    return f"iterate({term.function}, {bare(term.start)}, {term.steps})"


@_TEXT.case(t.Comprehend)
def _comprehend(term: t.Comprehend) -> str:
    ranges = ", ".join(f"{spell(index)} < {index.extent}" for index in term.indices)
    return f"[{bare(term.body)} for {ranges}]"


@_TEXT.case(t.Gather)
def _gather(term: t.Gather) -> str:
    return f"{spell(term.array)}[{', '.join([':'] * term.axis + [bare(term.index)])}]"


@_TEXT.case(t.Cut)
def _cut(term: t.Cut) -> str:
    return f"{spell(term.array)}[{', '.join([':'] * term.axis + [f'{term.first}:{term.last}'])}]"


@_TEXT.case(t.Stack)
def _stack(term: t.Stack) -> str:
    return f"[{_listed(term.items)}]"


@_TEXT.case(t.Recalled)
def _recalled(term: t.Recalled) -> str:
    phase = f"{term.phase}[{term.number}], " if term.number is not None else f"{term.phase}, " if term.phase else ""
    return f"{term.moment}({phase}{bare(term.operand)})"


@_TEXT.case(t.WithWeights)
def _with_weights(term: t.WithWeights) -> str:
    return f"with_weights({_listed((term.operand, term.replaced, term.weights))})"


@_TEXT.case(t.Stop)
def _stop(term: t.Stop) -> str:
    return f"stop({bare(term.operand)})"


@_TEXT.case(t.Sample)
def _sample(term: t.Sample) -> str:
    words = [*map(str, term.sizes.values()), *map(bare, term.parameters.values())]
    return f"{term.distribution}({', '.join([*words, *([shape_text(term.shape)] if term.shape else [])])})"


@_TEXT.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput) -> str:
    whole = term.network if term.input is None else f"{term.network}({bare(term.input)})"
    return whole if term.layer is None else f"{whole}.{term.layer}"


@_TEXT.case(t.Weight)
def _weight(term: t.Weight) -> str:
    if (term.layer, term.weight) == (PARAMETER, VALUE):
        return term.network
    return f"{term.network}.{term.layer}.{term.weight}"


@_TEXT.case(t.AllWeights)
def _all_weights(term: t.AllWeights) -> str:
    return f"{term.network}.weights" if term.layer is None else f"{term.network}.{term.layer}.weights"


@_TEXT.case(t.Expectation)
def _expectation(term: t.Expectation) -> str:
    words = [bare(term.body)]
    words += [] if term.quantile is None else [f"{term.quantile:g}"]
    words += [f"where={bare(term.where)}"] if term.where is not None and term.quantile is not None else []
    words += [f"{name}={word}" for name, word in (("on", term.on), ("mode", term.mode)) if word is not None]
    return f"{'E' if term.quantile is None else 'quantile'}({', '.join(words)})"


@_TEXT.case(t.Gradient)
def _gradient(term: t.Gradient) -> str:
    return f"gradient({_listed((term.of, term.weights))})"


@_TEXT.case(t.ValueGradient)
def _value_gradient(term: t.ValueGradient) -> str:
    return f"{'jacobian' if term.of.type.shape else 'gradient'}({_listed((term.of, term.by))})"


@_TEXT.case(t.Directional)
def _directional(term: t.Directional) -> str:
    return f"{'hessian_vector' if term.twice else 'directional'}({_listed((term.of, term.by, term.along))})"


@_TEXT.case(t.BatchMean)
def _batch_mean(term: t.BatchMean) -> str:
    return f"B({bare(term.body)})"


@_TEXT.case(t.GradientStatistic)
def _gradient_statistic(term: t.GradientStatistic) -> str:
    words = [bare(term.of), spell(term.weights), f"examples={term.examples}"]
    words += [f"over={', '.join(term.over)}", f"draws={'all' if term.every else term.draws}"] if term.over else []
    words += [f"{name}={value:g}" for name, value in term.options.items()]
    words += [f"on={term.on}"] if term.on != "test" else []
    return f"{term.statistic}({', '.join(words)})"


@_TEXT.case(t.LeftOut)
def _left_out(term: t.LeftOut) -> str:
    return LEFT_OUT


@_TEXT.case(t.SamplingFloor)
def _sampling_floor(term: t.SamplingFloor) -> str:
    return f"floor of {spell(term.of)}"


def brief(term: t.Term) -> str:
    """The text of a term that stands by itself, cut where it is long."""
    text = bare(term)
    return text if len(text) <= 60 else f"{text[:59]}…"


def bare(term: t.Term) -> str:
    """The same without the brackets around the whole, which only an expression around it needs."""
    text = spell(term)
    return text[1:-1] if isinstance(term, t.Operate) and text.startswith("(") else text

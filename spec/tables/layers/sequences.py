"""Layers of sequences: vectors of words, and recurrent networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...ir.types import Shape
from ..keras_parameters import Parameter, named
from . import work
from .row import (
    KERNEL_AND_BIAS_CONSTRAINTS,
    KERNEL_AND_BIAS_INITIALIZERS,
    UNITS,
    USE_BIAS,
    Config,
    Layer,
    Weights,
    Work,
    constraint,
    initializer,
    need,
)

EMBEDDING = Layer(
    name="embedding", keras="Embedding", meaning="a learnt vector for each whole number",
    parameters=named(
        Parameter("input_dim", "size", "how many words there are"),
        Parameter("output_dim", "size", "the length of a word's vector"),
        initializer("embeddings_initializer", "uniform(-0.05, 0.05)"),
        constraint("embeddings_constraint"),
    ),
    output=lambda s, c: (*s, c["output_dim"]), weights=lambda s, c: {"embeddings": (c["input_dim"], c["output_dim"])},
    work=work.each_output(0, 1), ints_below="input_dim",
)  # fmt: skip

_GATE_ACTIVATION = Parameter("recurrent_activation", "activation", "of the gates", "sigmoid")


def _recurrent(
    name: str, keras: str, meaning: str, gates: int, work: Work, *more: Parameter,
    ones_at_start: Callable[[Config], Mapping[str, slice]] | None = None,
) -> Layer:  # fmt: skip
    check = need(2, "a sequence [T, channels]")

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        units = config["units"]
        kernels: Weights = {"kernel": (shape[-1], gates * units), "recurrent_kernel": (units, gates * units)}
        bias = (2, gates * units) if config.get("reset_after") else (gates * units,)
        return kernels | ({"bias": bias} if config["use_bias"] else {})

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        return (shape[0], config["units"]) if config["return_sequences"] else (config["units"],)

    def flops(shape: Shape, config: Config) -> int:
        units: int = config["units"]
        return 2 * shape[0] * gates * units * (shape[-1] + units)

    parameters = named(
        UNITS, Parameter("activation", "activation", "of the state", "tanh"), *more, USE_BIAS, *KERNEL_AND_BIAS_INITIALIZERS,
        initializer("recurrent_initializer", "orthogonal"),
        Parameter("return_sequences", "bool", "gives the state at every place, not just the last", False),
        Parameter("go_backwards", "bool", "reads the sequence from its end", False),
        *KERNEL_AND_BIAS_CONSTRAINTS, constraint("recurrent_constraint"),
    )  # fmt: skip
    return Layer(
        name=name, keras=keras, meaning=meaning, parameters=parameters, primary="units", output=output, weights=weights,
        flops=flops, inner_flops=lambda s, c: 2 * s[0] * gates * c["units"] ** 2, work=work, ones_at_start=ones_at_start, loops=True,
    )  # fmt: skip


def _open_forget_gate(config: Config) -> Mapping[str, slice]:
    units = config["units"]
    return {"bias": slice(units, 2 * units)} if config["unit_forget_bias"] else {}


RECURRENT = (
    _recurrent(
        "simple_rnn", "SimpleRNN", "a recurrent network: h' = activation(x · kernel + h · recurrent_kernel + bias)", 1, work.gates(3, 3)
    ),
    _recurrent(
        "lstm", "LSTM", "long short-term memory (Hochreiter & Schmidhuber 1997)", 4, work.gates(17, 20), _GATE_ACTIVATION,
        Parameter("unit_forget_bias", "bool", "starts the forget gate's bias at 1", True, needs="use_bias"), ones_at_start=_open_forget_gate,
    ),
    _recurrent(
        "gru", "GRU", "a gated recurrent unit (Cho et al. 2014)", 3, work.gates(17, 23), _GATE_ACTIVATION,
        Parameter("reset_after", "bool", "applies the reset gate after the product", True),
    ),
)  # fmt: skip


def _inner(config: Config) -> tuple[Layer, Config]:
    """The layer that goes both ways, and its arguments."""
    inner = config["layer"]
    return next(row for row in RECURRENT if row.keras == inner["class_name"]), inner["config"]


def _both_weights(shape: Shape, config: Config) -> Weights:
    row, inner = _inner(config)
    return {f"{way}_{name}": size for way in _WAYS for name, size in row.weights(shape, inner).items()}


def _both_outputs(shape: Shape, config: Config) -> Shape:
    row, inner = _inner(config)
    *more, units = row.output(shape, inner)
    return (*more, 2 * units if config["merge_mode"] == "concat" else units)


def _both_works(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    row, inner = _inner(config)
    forward, backward = row.work(shape, row.output(shape, inner), inner)
    met, back = {"concat": (0, 0), "sum": (1, 0), "ave": (2, 1), "mul": (1, 2)}[config["merge_mode"]]
    entries = output[-1] * (shape[0] if len(output) > 1 else 1)
    turned = shape[0] * shape[1]  # the gradients of both ways are added at the input
    return 2 * forward + met * entries, 2 * backward + back * entries + turned


def _both_starts(config: Config) -> Mapping[str, slice]:
    row, inner = _inner(config)
    ones = row.ones_at_start(inner) if row.ones_at_start is not None else {}
    return {f"{way}_{name}": entries for way in _WAYS for name, entries in ones.items()}


def _twice(count: Callable[[Layer], Callable[[Shape, Config], int]]) -> Callable[[Shape, Config], int]:
    def both(shape: Shape, config: Config) -> int:
        row, inner = _inner(config)
        return 2 * count(row)(shape, inner)

    return both


_WAYS = ("forward", "backward")

BIDIRECTIONAL = Layer(
    name="bidirectional", keras="Bidirectional", meaning="one recurrent layer from the start and another from the end (Schuster & Paliwal 1997)",
    parameters=named(
        Parameter("layer", "layer", "the recurrent layer, under its kind"),
        Parameter("merge_mode", "choice", "how the two outputs are joined: side by side, their sum, product, or mean", "concat", ("concat", "sum", "mul", "ave")),
    ),
    output=_both_outputs, weights=_both_weights, flops=_twice(lambda row: row.flops), inner_flops=_twice(lambda row: row.inner_flops),
    work=_both_works, ones_at_start=_both_starts, parts=_WAYS,
)  # fmt: skip

"""The table of layers: Keras' own, under their snake-case names, with the shapes they make and the weights they hold.

Shapes are those of one example, without the batch axis; images are [height, width, channels], sequences [T, channels].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any

from ..ir.types import Shape, ShapeProblem, shape_text
from .bounds import BELOW_ONE, NOT_NEGATIVE, POSITIVE, SHARE
from .keras_parameters import Parameter, named

Config = Mapping[str, Any]
Weights = dict[str, Shape]


@dataclass(frozen=True, slots=True)
class Layer:
    """A row. `output(shape, config)` and `weights(shape, config)` raise ShapeProblem; `flops` counts one example forwards."""

    name: str
    keras: str
    meaning: str
    parameters: Mapping[str, Parameter]
    output: Callable[[Shape, Config], Shape]
    weights: Callable[[Shape, Config], Weights]
    flops: Callable[[Shape, Config], int]
    primary: str | None = None
    untrained: tuple[str, ...] = ()
    differs_in_training: bool = False
    draws: bool = False


def _initializer(name: str, default: str) -> Parameter:
    what = name.removesuffix("_initializer")
    return Parameter(
        name, "initializer", f"how the {what} starts: a name, or a distribution that knows fan_in and fan_out", default
    )


def _constraint(name: str) -> Parameter:
    return Parameter(
        name, "constraint", f"what the {name.removesuffix('_constraint')} is kept to after each step", None
    )


_KERNEL = (_initializer("kernel_initializer", "glorot_uniform"), _initializer("bias_initializer", "zeros"))
_BIAS = Parameter("use_bias", "bool", "whether a bias is added", True)
_KEPT = (_constraint("kernel_constraint"), _constraint("bias_constraint"))
_ACTIVATION = Parameter("activation", "activation", "applied to the output", None)
_UNITS = Parameter("units", "size", "how many outputs")


def _need(rank: int, what: str) -> Callable[[Shape], None]:
    def check(shape: Shape) -> None:
        if len(shape) != rank:
            hint = f"It takes {what}; `reshape(x, [...])` in the network's `input`, or a `reshape` layer, gives it one."
            raise ShapeProblem(
                f"takes an input of {rank} axes, {what}, and gets {shape_text(shape) if shape else 'a single number'}",
                hint,
            )

    return check


def _pair(value: Any, rank: int) -> tuple[int, ...]:
    sizes = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(sizes) != rank:
        many = f" or {rank} of them" if rank > 1 else ""
        raise ShapeProblem(
            f"takes one size{many}, and gets {list(sizes)}", "Give one size, or as many as the layer has axes."
        )
    return tuple(int(size) for size in sizes)


def _window(
    shape: Shape, size: tuple[int, ...], strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> Shape:
    """How many places a window has along each axis."""
    places = []
    for length, width, step, gap in zip(shape, size, strides, dilation, strict=True):
        reach = (width - 1) * gap + 1
        if padding in ("same", "causal"):
            places.append(-(-length // step))
        elif reach > length:
            hint = "Choose a smaller one, or `padding: same`."
            raise ShapeProblem(f"its window of {reach} is longer than the input's axis of {length}", hint)
        else:
            places.append((length - reach) // step + 1)
    return tuple(places)


def _dense() -> Layer:
    def check(shape: Shape) -> None:
        if not shape:
            raise ShapeProblem("takes an array, and gets a single number", "Write `input: [x]` for an array of one.")

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        return {"kernel": (shape[-1], config["units"]), **({"bias": (config["units"],)} if config["use_bias"] else {})}

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        return (*shape[:-1], config["units"])

    parameters = named(_UNITS, _ACTIVATION, _BIAS, *_KERNEL, *_KEPT)
    meaning = "multiplies the last axis by a matrix: activation(x · kernel + bias)"
    return Layer("dense", "Dense", meaning, parameters, output, weights, lambda s, c: 2 * prod(s) * c["units"], "units")


def _convolution(rank: int) -> Layer:
    check = _need(rank + 1, "[length, channels]" if rank == 1 else "[height, width, channels]")

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        if shape[-1] % config["groups"] or config["filters"] % config["groups"]:
            raise ShapeProblem(
                f"{config['groups']} groups do not divide {shape[-1]} channels and {config['filters']} filters",
                "Choose a number of groups that divides both.",
            )
        kernel = (*_pair(config["kernel_size"], rank), shape[-1] // config["groups"], config["filters"])
        return {"kernel": kernel, **({"bias": (config["filters"],)} if config["use_bias"] else {})}

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        sizes = [_pair(config[name], rank) for name in ("kernel_size", "strides", "dilation_rate")]
        if max(sizes[1]) > 1 and max(sizes[2]) > 1:
            hint = "Leave `strides` or `dilation_rate` out."
            given = f"and gets {list(sizes[1])} and {list(sizes[2])}"
            raise ShapeProblem(f"takes `strides` or `dilation_rate` above 1, not both, {given}", hint)
        return (*_window(shape[:-1], sizes[0], sizes[1], config["padding"], sizes[2]), config["filters"])

    def flops(shape: Shape, config: Config) -> int:
        return 2 * prod(output(shape, config)[:-1]) * prod(weights(shape, config)["kernel"])

    paddings = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    parameters = named(
        Parameter("filters", "size", "how many output channels"),
        Parameter("kernel_size", "sizes", "the window's size along each axis"),
        Parameter("strides", "sizes", "how far the window moves", 1),
        Parameter("padding", "choice", "`same` keeps the size, `valid` stays inside", "valid", paddings),
        Parameter("dilation_rate", "sizes", "the spacing of the window's points", 1),
        Parameter("groups", "size", "channels are split into so many groups", 1),
        _ACTIVATION, _BIAS, *_KERNEL, *_KEPT,
    )  # fmt: skip
    return Layer(
        f"conv{rank}d",
        f"Conv{rank}D",
        f"a convolution over {rank} {'axis' if rank == 1 else 'axes'}",
        parameters,
        output,
        weights,
        flops,
    )


def _pool(rank: int, kind: str) -> Layer:
    check = _need(rank + 1, "[length, channels]" if rank == 1 else "[height, width, channels]")

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        size = _pair(config["pool_size"], rank)
        strides = size if config["strides"] is None else _pair(config["strides"], rank)
        return (*_window(shape[:-1], size, strides, config["padding"], (1,) * rank), shape[-1])

    parameters = named(
        Parameter("pool_size", "sizes", "the window's size along each axis", 2),
        Parameter("strides", "sizes", "how far the window moves; its own size unless said", None),
        Parameter("padding", "choice", "`same` keeps partial windows", "valid", ("valid", "same")),
    )
    word = {"max": "largest", "average": "mean"}[kind]
    name = f"{kind}_pool{rank}d"
    keras = f"{kind.capitalize()}Pooling{rank}D"
    return Layer(name, keras, f"the {word} value in each window", parameters, output, _none, _no_flops, "pool_size")


def _global_pool(rank: int, kind: str) -> Layer:
    check = _need(rank + 1, "[length, channels]" if rank == 1 else "[height, width, channels]")

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        return shape[-1:]

    word = {"max": "largest", "average": "mean"}[kind]
    keras = f"Global{kind.capitalize()}Pooling{rank}D"
    return Layer(
        f"global_{kind}_pool{rank}d", keras, f"the {word} value of each channel", named(), output, _none, _no_flops
    )


def _none(shape: Shape, config: Config) -> Weights:
    return {}


def _no_flops(shape: Shape, config: Config) -> int:
    return 0


def _same(shape: Shape, config: Config) -> Shape:
    return shape


def _arrays(shape: Shape, config: Config) -> Shape:
    if not shape:
        raise ShapeProblem("takes an array, and gets a single number", "`[x]` makes an array of a number.")
    return shape


def _shapeless(
    name: str, keras: str, meaning: str, *parameters: Parameter, primary: str | None = None,
    output: Callable[[Shape, Config], Shape] = _same, training: bool = False, draws: bool = False,
) -> Layer:  # fmt: skip
    return Layer(name, keras, meaning, named(*parameters), output, _none, _no_flops, primary, (), training, draws)


def _normalization(name: str, keras: str, meaning: str, *parameters: Parameter, moving: bool = False) -> Layer:
    def weights(shape: Shape, config: Config) -> Weights:
        size = _arrays(shape, config)[-1:]
        found = {"gamma": size} if config.get("scale", True) else {}
        found |= {"beta": size} if config.get("center", name != "rms_normalization") else {}
        return found | ({"moving_mean": size, "moving_variance": size} if moving else {})

    untrained = ("moving_mean", "moving_variance") if moving else ()
    return Layer(name, keras, meaning, named(*parameters), _arrays, weights, _no_flops, None, untrained, moving)


_EPSILON = Parameter("epsilon", "real", "keeps the variance from 0", 1e-3, bounds=POSITIVE)
_CENTER = (
    Parameter("center", "bool", "adds a learnt beta", True),
    Parameter("scale", "bool", "multiplies by a learnt gamma", True),
)


def _recurrent(name: str, keras: str, meaning: str, gates: int, *extra: Parameter) -> Layer:
    check = _need(2, "a sequence [T, channels]")

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        units = config["units"]
        found = {"kernel": (shape[-1], gates * units), "recurrent_kernel": (units, gates * units)}
        bias = (2, gates * units) if config.get("reset_after") else (gates * units,)
        return found | ({"bias": bias} if config["use_bias"] else {})

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        return (shape[0], config["units"]) if config["return_sequences"] else (config["units"],)

    def flops(shape: Shape, config: Config) -> int:
        units: int = config["units"]
        return 2 * shape[0] * gates * units * (shape[-1] + units)

    parameters = named(
        _UNITS, Parameter("activation", "activation", "of the state", "tanh"), *extra, _BIAS, *_KERNEL,
        _initializer("recurrent_initializer", "orthogonal"),
        Parameter("return_sequences", "bool", "gives the state at every place, not just the last", False),
        Parameter("go_backwards", "bool", "reads the sequence from its end", False),
        *_KEPT, _constraint("recurrent_constraint"),
    )  # fmt: skip
    return Layer(name, keras, meaning, parameters, output, weights, flops, "units")


def _embedding() -> Layer:
    parameters = named(
        Parameter("input_dim", "size", "how many words there are"),
        Parameter("output_dim", "size", "the length of a word's vector"),
        _initializer("embeddings_initializer", "uniform(-0.05, 0.05)"),
        _constraint("embeddings_constraint"),
    )
    return Layer(
        "embedding", "Embedding", "a learnt vector for each whole number", parameters,
        lambda s, c: (*s, c["output_dim"]), lambda s, c: {"embeddings": (c["input_dim"], c["output_dim"])}, _no_flops,
    )  # fmt: skip


def _reshaped(shape: Shape, config: Config) -> Shape:
    target: Shape = config["target_shape"]
    if prod(target) != prod(shape):
        raise ShapeProblem(
            f"{shape_text(shape)} holds {prod(shape)} values, and {shape_text(target)} {prod(target)}",
            "Both shapes have to hold equally many values.",
        )
    return target


def _repeated(shape: Shape, config: Config) -> Shape:
    _need(1, "a vector [n]")(shape)
    return (config["n"], shape[0])


_RATE = Parameter("rate", "real", "the share of values set to 0", 0.5, bounds=BELOW_ONE)
_RECURRENT_GATE = Parameter("recurrent_activation", "activation", "of the gates", "sigmoid")

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        row.name: row
        for row in (
            _dense(),
            _convolution(1),
            _convolution(2),
            _pool(1, "max"),
            _pool(2, "max"),
            _pool(1, "average"),
            _pool(2, "average"),
            _global_pool(1, "max"),
            _global_pool(2, "max"),
            _global_pool(1, "average"),
            _global_pool(2, "average"),
            _shapeless("flatten", "Flatten", "all values in one axis", output=lambda s, c: (prod(s),)),
            _shapeless(
                "reshape", "Reshape", "the same values in another shape",
                Parameter("target_shape", "shape", "the new shape"), primary="target_shape", output=_reshaped,
            ),
            _shapeless(
                "repeat_vector", "RepeatVector", "a vector repeated along a new first axis",
                Parameter("n", "size", "how many times"), primary="n", output=_repeated,
            ),
            _shapeless(
                "activation", "Activation", "a function of every value",
                Parameter("activation", "activation", "which one"), primary="activation",
            ),
            _shapeless(
                "leaky_relu", "LeakyReLU", "x, or a share of it below 0",
                Parameter("negative_slope", "real", "the share of x that is left below 0", 0.3, bounds=NOT_NEGATIVE), primary="negative_slope",
            ),
            _shapeless("dropout", "Dropout", "sets values to 0 at random, in training", _RATE, primary="rate", training=True, draws=True),
            _shapeless(
                "gaussian_noise", "GaussianNoise", "adds normal noise, in training",
                Parameter("stddev", "real", "the deviation of the noise", bounds=SHARE), primary="stddev", training=True, draws=True,
            ),
            _normalization("layer_normalization", "LayerNormalization", "mean 0 and variance 1 over each example's last axis", _EPSILON, *_CENTER),
            _normalization(
                "batch_normalization", "BatchNormalization", "mean 0 and variance 1 over the batch; moving averages in measures",
                Parameter("momentum", "real", "the moving averages' memory", 0.99, bounds=BELOW_ONE), _EPSILON, *_CENTER, moving=True,
            ),
            _embedding(),
            _recurrent("simple_rnn", "SimpleRNN", "a recurrent network: h' = activation(x · kernel + h · recurrent_kernel + bias)", 1),
            _recurrent(
                "lstm", "LSTM", "long short-term memory (Hochreiter & Schmidhuber 1997)", 4, _RECURRENT_GATE,
                Parameter("unit_forget_bias", "bool", "starts the forget gate's bias at 1", True),
            ),
            _recurrent(
                "gru", "GRU", "a gated recurrent unit (Cho et al. 2014)", 3, _RECURRENT_GATE,
                Parameter("reset_after", "bool", "applies the reset gate after the product", True),
            ),
        )
    }
)  # fmt: skip

"""Attention within a sequence, and the positions that it does not see by itself."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from ...ir.types import Shape, ShapeProblem
from ..bounds import BELOW_ONE
from ..keras_parameters import Parameter, named
from . import work
from .row import (
    KERNEL_AND_BIAS_CONSTRAINTS,
    KERNEL_AND_BIAS_INITIALIZERS,
    USE_BIAS,
    Config,
    Layer,
    Weights,
    above_zero,
    constraint,
    initializer,
    need,
)

_CHECK = need(2, "a sequence [T, channels]")


def _sequence(shape: Shape, config: Config) -> Shape:
    """What keeps the shape of a sequence. Raises ShapeProblem."""
    _CHECK(shape)
    return shape


POSITIONS = Layer(
    name="positional_embedding", keras="", meaning="adds a learnt vector for each place of a sequence",
    parameters=named(initializer("embeddings_initializer", "uniform(-0.05, 0.05)"), constraint("embeddings_constraint")),
    output=_sequence, weights=lambda s, c: {"embeddings": _sequence(s, c)}, work=work.each_output(1, 1), stacking="stacked",
)  # fmt: skip


def _settled(shape: Shape, config: Config) -> Mapping[str, Any]:
    """Heads share the channels evenly, unless said; values are as long as keys."""
    _CHECK(shape)
    heads, key = config["num_heads"], config["key_dim"]
    if key is None and shape[-1] % heads:
        hint = "Choose a number of heads that divides the channels, or say `key_dim`, the length of a head's keys."
        raise ShapeProblem(f"{heads} heads do not divide {shape[-1]} channels evenly", hint)
    key = shape[-1] // heads if key is None else key
    return {"key_dim": key, "value_dim": key}


def _weights(shape: Shape, config: Config) -> Weights:
    _CHECK(shape)
    heads, key, value = config["num_heads"], config["key_dim"], config["value_dim"]
    found: Weights = {}
    for part, size in (("query", key), ("key", key), ("value", value)):
        found[f"{part}_kernel"] = (shape[-1], heads, size)
        found |= {f"{part}_bias": (heads, size)} if config["use_bias"] else {}
    found["attention_output_kernel"] = (heads, value, shape[-1])
    return found | ({"attention_output_bias": shape[-1:]} if config["use_bias"] else {})


def _kernels(shape: Shape, config: Config) -> int:
    """Products with the four kernels at each place."""
    kernels = [prod(size) for name, size in _weights(shape, config).items() if name.endswith("_kernel")]
    return 2 * shape[0] * sum(kernels)


def _output_kernel(shape: Shape, config: Config) -> int:
    return 2 * shape[0] * prod(_weights(shape, config)["attention_output_kernel"])


def _scores(shape: Shape, config: Config) -> int:
    """How much each place attends to each, of all heads."""
    return int(config["num_heads"] * shape[0] ** 2)


def _work(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """Scores and means are products of what is made within; their gradients are two each. The rest: biases, scaling, mask, softmax."""
    scores, keys, values = _scores(shape, config), config["key_dim"], config["value_dim"]
    products = 2 * scores * (keys + values)
    rows = shape[0] * config["num_heads"]
    biases = (rows * (2 * keys + values) + prod(output)) * config["use_bias"]
    dropped = above_zero(config["dropout"])
    masked = 2 * (config["causal"] or any(config.get(name) is not None for name in ("length", "mask")))
    forward = products + biases + rows * (keys + values) + scores * (4 + masked + 4 * dropped)
    backward = 2 * products + biases + rows * (keys + 6 * values) + scores * (2 + masked + 2 * dropped)
    return forward, backward


ATTENTION = Layer(
    name="multi_head_attention", keras="",
    meaning="self-attention (Vaswani et al. 2017): each place takes a mean of all places' values, weighted by how well its query matches their keys",
    parameters=named(
        Parameter("num_heads", "size", "how many heads attend side by side"),
        Parameter("key_dim", "size", "the length of a head's queries and keys; by default the channels divided by the heads", None),
        Parameter("value_dim", "size", "the length of a head's values; by default that of its keys", None),
        Parameter("causal", "bool", "whether a place attends only to itself and those before it", False),
        Parameter("length", "example", "how many places there are; the keys after them are left out: an int, which may depend on the example", None),
        Parameter("mask", "example", "which keys each place attends to: bools [T, T], or [T] for all places, which may depend on the example", None),
        Parameter("dropout", "real", "the share of attention that is set to 0 in training", 0.0, bounds=BELOW_ONE, timed=True),
        USE_BIAS, *KERNEL_AND_BIAS_INITIALIZERS, *KERNEL_AND_BIAS_CONSTRAINTS,
    ),
    primary="num_heads", output=_sequence, weights=_weights, flops=_kernels, inner_flops=_output_kernel, work=_work,
    inner_entries=lambda s, c: 2 * _scores(s, c), draws_above_zero="dropout", stacking="stacked",
    parts=("query", "key", "value", "attention_output"), settled=_settled,
    input_axes={"query_kernel": 1, "key_kernel": 1, "value_kernel": 1, "attention_output_kernel": 2},
    of_example={"length": lambda s: ("int", ((),)), "mask": lambda s: ("bool", ((s[0], s[0]), (s[0],)))},
)  # fmt: skip

"""How many floating-point operations everything takes: operations, activations, optimisers. Layers have theirs in their rows.

One elementwise operation of TensorFlow is one, whatever it computes (a sigmoid as much as a sum); a multiply-add of a
product of matrices or a convolution is two; what only moves values is none. Tests compare every entry with the graphs
that TensorFlow makes, forwards and backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2, prod
from types import MappingProxyType
from typing import Any

from ..ir.types import Shape

Shapes = Sequence[Shape]
Beside = Callable[[Shapes, Shape, int, Sequence[bool]], float]


def widest(shapes: Shapes, result: Shape) -> float:
    """The entries of the largest of the arguments and the result."""
    return max([prod(result), *(prod(shape) for shape in shapes)])


def _summed(shapes: Shapes, result: Shape, argument: int, shared: Sequence[bool]) -> float:
    """The gradient of what is shared is summed over all that share it."""
    return prod(shapes[argument]) * shared[argument]


def _masked(shapes: Shapes, result: Shape, argument: int, shared: Sequence[bool]) -> float:
    """Of a product of matrices, besides: in the other one, the rows to which nothing is sent are looked for, and are 0."""
    return _summed(shapes, result, argument, shared) + 2 * prod(result) + prod(shapes[1 - argument])


@dataclass(frozen=True, slots=True)
class Work:
    """Operations of one application: `forward` for each entry, `backward` likewise, for each argument that a gradient goes to.

    `backward` holds one number an argument, the last for all that follow. `entries` counts from the arguments' shapes
    and the result's. Where the value is piecewise constant no gradient `passes`. `beside` counts what the gradient of an argument
    takes whatever the entries are, from the shapes, the argument's place, and of which arguments all examples share one.
    """

    forward: float
    backward: tuple[float, ...] = (0,)
    entries: Callable[[Shapes, Shape], float] = widest
    passes: bool = True
    beside: Beside = _summed

    def backwards(self, argument: int) -> float:
        """For each entry, the gradient of an argument."""
        return self.backward[min(argument, len(self.backward) - 1)]


def _inner(shapes: Shapes, result: Shape) -> float:
    """The multiplications of a product."""
    return prod(result) * shapes[0][-1]


def _table(shapes: Shapes, result: Shape) -> float:
    """Every number against every step."""
    return prod(shapes[0]) * prod(shapes[1])


def _places(shapes: Shapes, result: Shape) -> float:
    """Every value against every place."""
    return prod(shapes[1]) * prod(result)


def _cube(shapes: Shapes, result: Shape) -> float:
    """n³ of a square matrix; m · n · min(m, n) of any."""
    return prod(shapes[0]) * min(shapes[0])


def _comparisons(shapes: Shapes, result: Shape) -> float:
    """n log₂ n along the last axis."""
    return prod(shapes[0]) * max(1.0, log2(max(1, shapes[0][-1])))


def _doublings(shapes: Shapes, result: Shape) -> float:
    """Running products along the first axis: of n values n - 1, n - 2, n - 4, …"""
    size = shapes[0][0]
    spans = [1 << power for power in range((size - 1).bit_length())]
    return prod(shapes[0]) / size * sum(size - span for span in spans)


def _diagonal(shapes: Shapes, result: Shape) -> float:
    return shapes[0][0]


def _result(shapes: Shapes, result: Shape) -> float:
    return prod(result)


MOVES = Work(0)
COMPARES = Work(1)

OPERATION_WORK: Mapping[str, Work] = MappingProxyType(
    {
        # elementwise
        "add": Work(1), "subtract": Work(1, (0, 1)), "multiply": Work(1, (1,)), "divide": Work(1, (2, 3)),
        "floor_divide": Work(21, passes=False), "modulo": Work(1, (1, 23)), "power": Work(1, (3, 7)),
        "equal": COMPARES, "not_equal": COMPARES, "less": COMPARES, "less_equal": COMPARES, "greater": COMPARES,
        "greater_equal": COMPARES, "logical_and": COMPARES, "logical_or": COMPARES, "logical_not": COMPARES,
        "is_finite": COMPARES, "within": Work(3), "select": Work(1, (0, 1)), "negative": Work(1, (1,)), "abs": Work(1, (2,)),
        "sign": Work(1), "square": Work(1, (2,)), "sqrt": Work(1, (4,)), "exp": Work(1, (1,)), "expm1": Work(1, (2,)),
        "log": Work(1, (2,)), "log1p": Work(1, (3,)), "sin": Work(1, (2,)), "cos": Work(1, (3,)), "tan": Work(1, (3,)),
        "atan": Work(1, (4,)), "asin": Work(1, (5,)), "acos": Work(1, (5,)), "sinh": Work(1, (2,)), "cosh": Work(1, (2,)), "asinh": Work(1, (5,)),
        "acosh": Work(1, (7,)), "atanh": Work(1, (4,)), "log2": Work(2, (2,)), "log10": Work(2, (2,)),
        "atan2": Work(1, (12, 13)), "tanh": Work(1, (3,)), "sigmoid": Work(1, (3,)),
        "relu": Work(1, (1,)), "softplus": Work(1, (2,)), "erf": Work(5, (5,)), "floor": Work(1, passes=False), "ceil": Work(1, passes=False),
        "round": Work(1, passes=False), "minimum": Work(4, (7,)), "maximum": Work(4, (7,)), "clip": Work(8, (14, 14, 7)),
        # reductions
        "sum": Work(1), "mean": Work(1, (1,)), "prod": Work(1, (4,)), "min": Work(3, (5,)), "max": Work(3, (5,)),
        "any": Work(1), "all": Work(1), "variance": Work(4, (7,)), "std": Work(4, (7,)), "norm": Work(2, (2,)), "squared_norm": Work(2, (2,)),
        "logsumexp": Work(4, (3,)), "argmax": Work(4), "argmin": Work(4),
        # linear algebra; of a dense n × n matrix, after Golub & Van Loan 2013: an inverse 2 n³, elimination ⅔ n³,
        # singular values alone 2⅔ n³, with both sides for their gradient about 20 n³
        "dot": Work(2, (1,), _inner), "matmul": Work(2, (2,), _inner, beside=_masked), "outer": Work(1, (2,)), "transpose": MOVES,
        "trace": Work(1, entries=_diagonal), "diagonal": MOVES, "inverse": Work(2, (4,), _cube),
        "solve": Work(2 / 3, (1, 2 / 3), _cube), "singular_values": Work(8 / 3, (20,), _cube), "cond": Work(8 / 3, (20,), _cube),
        "det": Work(2 / 3, (4 / 3,), _cube),
        # factors: of both sides of singular values about 20 n³, of symmetric eigenvectors 9 n³, of qr with its q 4/3 n³ and 4/3 n³
        # more, of Cholesky 1/3 n³; here that a matrix is positive definite is seen of its eigenvalues. Gradients are products.
        "svd_u": Work(20, (14,), _cube), "svd_v": Work(20, (14,), _cube), "eigenvalues": Work(9, (4,), _cube), "eigenvectors": Work(9, (6,), _cube),
        "qr_q": Work(8 / 3, (6,), _cube), "qr_r": Work(8 / 3, (6,), _cube), "cholesky": Work(5 / 3, (4,), _cube), "pinv": Work(22, (14,), _cube),
        "lstsq": Work(22, (14, 2), lambda shapes, result: _cube(shapes[:1], result)), "spectral_norm": Work(8 / 3, (20,), _cube),
        "nuclear_norm": Work(8 / 3, (20,), _cube),
        # arrays
        "range": MOVES, "linspace": MOVES, "unique": MOVES, "zeros": MOVES, "ones": MOVES, "eye": MOVES,
        "concat": MOVES, "reverse": MOVES, "roll": MOVES, "reshape": MOVES, "one_hot": MOVES,
        "top_k": Work(1, entries=_comparisons), "argtop_k": Work(1, entries=_comparisons), "fft_real": Work(5, (5,), _comparisons),
        "fft_imag": Work(5, (5,), _comparisons), "repeat": Work(0, (1,)), "sort": Work(1, entries=_comparisons), "argsort": Work(1, entries=_comparisons),
        "diff": Work(1, (2,), _result), "cumsum": Work(1, (1,)), "cumprod": Work(1, (4.53,), _doublings), "scatter": Work(3, (0, 2), _places),
        "step_of": Work(1, entries=_table), "floor_to": Work(3, entries=_table, passes=False),
        # losses
        "hinge": Work(3, (3,)), "logistic": Work(3, (4,)), "huber": Work(9, (9, 10, 6)), "cross_entropy": Work(4, (5, 0)),
        "softmax": Work(7, (4,)), "log_softmax": Work(1, (4,)),
        # task primitives: each row and column against four bounds, each pixel against six
        "line_image": Work(6, entries=_result, passes=False),
    }
)  # fmt: skip
"""By operation."""

DOT_OF_ALL_EXAMPLES = Work(
    2, (2,), _inner, beside=lambda shapes, result, argument, shared: prod(shapes[0]) * shared[argument]
)
"""`dot` of a vector that all examples share with those of each: one product of matrices, whose rows to which nothing is sent are 0."""
POWER_OF_A_VALUE = Work(1, (11, 7))
"""`power` whose exponent is no literal: which it is, is looked at entry by entry."""

KERNELS = frozenset({
    "matmul", "inverse", "solve", "cond", "singular_values", "det", "svd_u", "svd_v", "eigenvalues", "eigenvectors", "qr_q", "qr_r", "cholesky",
    "pinv", "lstsq", "spectral_norm", "nuclear_norm", "top_k", "argtop_k", "sort", "argsort", "fft_real", "fft_imag", "cumsum", "cumprod",
})  # fmt: skip
"""Operations that run by themselves: their arguments and their result are in memory whole, where others are made entry by entry as they are used."""

FLAT = frozenset({"sign", *(name for name, work in OPERATION_WORK.items() if not work.passes)})
"""Operations of real value whose derivative is 0 wherever they have one; that of `sign` is taken all the same."""

ACTIVATION_WORK: Mapping[str, Work] = MappingProxyType(
    {
        "linear": MOVES, "relu": Work(1, (1,)), "relu6": Work(1, (1,)), "leaky_relu": Work(1, (1,)), "elu": Work(1, (1,)),
        "selu": Work(1, (1,)), "gelu": Work(5, (11,)), "silu": Work(3, (8,)), "mish": Work(3, (6,)), "sigmoid": Work(1, (1,)),
        "hard_sigmoid": Work(3, (2,)), "tanh": Work(1, (1,)), "softplus": Work(1, (2,)), "softsign": Work(1, (1,)),
        "softmax": Work(5, (4,)), "log_softmax": Work(1, (4,)), "exponential": Work(1, (1,)),
    }
)  # fmt: skip
"""By activation, an entry."""


@dataclass(frozen=True, slots=True)
class Update:
    """An optimiser's step: operations a parameter, and `slots`, the values it keeps of each parameter."""

    operations: int
    slots: int


UPDATES: Mapping[str, Update] = MappingProxyType(
    {
        "sgd": Update(2, 0), "adam": Update(12, 2), "adamw": Update(12, 2), "rmsprop": Update(9, 1), "adagrad": Update(7, 1),
        "adadelta": Update(17, 2), "adamax": Update(11, 2), "nadam": Update(18, 2), "lion": Update(9, 1), "lamb": Update(18, 2),
    }
)  # fmt: skip
"""By optimiser, with nothing asked for besides."""

EXTRA_UPDATES: Mapping[str, Update] = MappingProxyType(
    {
        "momentum": Update(2, 1), "nesterov": Update(3, 0), "centered": Update(5, 1), "amsgrad": Update(1, 1), "use_ema": Update(3, 1),
        "weight_decay": Update(3, 0), "clipvalue": Update(2, 0), "clipnorm": Update(4, 0), "global_clipnorm": Update(3, 0),
    }
)  # fmt: skip
"""What an argument of an optimiser adds where it is given and not 0."""

FREE_ARGUMENTS = frozenset(
    {"learning_rate", "beta_1", "beta_2", "rho", "epsilon", "ema_momentum", "initial_accumulator_value"}
)
"""Arguments of optimisers that add nothing: numbers in the formulas that are there anyhow."""


def update(name: str, arguments: Mapping[str, Any]) -> Update:
    """What an optimiser with its arguments takes, a parameter. The mean over the batch is one operation more."""
    row = UPDATES[name]
    more = [EXTRA_UPDATES[key] for key, value in arguments.items() if key not in FREE_ARGUMENTS and value]
    return Update(row.operations + sum(m.operations for m in more), row.slots + sum(m.slots for m in more))

"""Keras' optimisers. `elementwise` says that each entry of a weight is updated by itself, so replicates may be stacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .bounds import BELOW_ONE, NOT_NEGATIVE, POSITIVE, SHARE, Bounds
from .by_name import by_name
from .keras_parameters import Parameter, named


@dataclass(frozen=True, slots=True)
class Optimizer:
    """A row: Keras' class and its arguments."""

    name: str
    keras: str
    meaning: str
    parameters: Mapping[str, Parameter]
    source: str = ""
    elementwise: bool = True
    inputs: frozenset[str] = frozenset()
    """The numbers, beside the learning rate, that may be another in each row of one compiled program, unless they are 0."""


_COMMON = (
    Parameter(
        "weight_decay",
        "real",
        "shrinks every weight by this rate times the learning rate at each step",
        None,
        bounds=NOT_NEGATIVE,
    ),
    Parameter("clipvalue", "real", "clips every entry of a gradient to ± this value", None, bounds=POSITIVE),
    Parameter("clipnorm", "real", "scales the gradient of each weight down to this norm", None, bounds=POSITIVE),
    Parameter("global_clipnorm", "real", "scales all gradients together down to this norm", None, bounds=POSITIVE),
    Parameter("use_ema", "bool", "keeps a moving average of the weights, used in evaluation", False),
    Parameter("ema_momentum", "real", "the decay of the moving average", 0.99, bounds=BELOW_ONE, needs="use_ema"),
)
EXCLUSIVE = ("clipvalue", "clipnorm", "global_clipnorm")
"""Arguments of which an optimiser takes one."""
MIXING = ("clipnorm", "global_clipnorm")
"""Arguments that mix the entries of a weight, so that replicates have to run one by one."""
OF_ONE_WEIGHT = ("clipnorm",)
"""Those of them that look at each weight by itself."""


_MET = frozenset({"momentum", "beta_1", "beta_2", "rho", "epsilon", "weight_decay"})
"""What stands in formulas of one weight after the other."""
_NOT_MET = {"nadam": frozenset({"beta_1", "beta_2"})}
"""What of it is part of a number that is kept once for all weights."""


def _rate(default: float) -> Parameter:
    return Parameter("learning_rate", "schedule", "the size of a step; may use `step`", default, bounds=NOT_NEGATIVE)


def _beta(name: str, default: float, what: str, bounds: Bounds = BELOW_ONE) -> Parameter:
    return Parameter(name, "real", f"the decay of {what}", default, bounds=bounds)


_EPSILON = Parameter("epsilon", "real", "keeps a denominator above 0", 1e-7, bounds=POSITIVE)


def _row(
    name: str, keras: str, meaning: str, *parameters: Parameter, source: str = "", elementwise: bool = True
) -> Optimizer:
    names = {parameter.name for parameter in parameters}
    rest = [parameter for parameter in _COMMON if parameter.name not in names]
    inputs = frozenset({*names, "weight_decay"} & _MET if elementwise else ()) - _NOT_MET.get(name, frozenset())
    return Optimizer(name, keras, meaning, named(*parameters, *rest), source, elementwise, inputs)


_MOMENTS = (_beta("beta_1", 0.9, "the mean of gradients"), _beta("beta_2", 0.999, "the mean of squared gradients"))
_AMSGRAD = Parameter("amsgrad", "bool", "never lets the squared mean fall (Reddi et al. 2018)", False)

OPTIMIZERS: Mapping[str, Optimizer] = by_name(
    (
        _row(
            "sgd", "SGD", "stochastic gradient descent", _rate(0.01),
            Parameter("momentum", "real", "how much of the last step is kept", 0.0, bounds=SHARE),
            Parameter("nesterov", "bool", "looks ahead along the momentum", False, needs="momentum"),
            source="Robbins & Monro 1951",
        ),
        _row("adam", "Adam", "steps scaled by running moments", _rate(0.001), *_MOMENTS, _EPSILON, _AMSGRAD, source="Kingma & Ba 2015"),
        _row(
            "adamw", "AdamW", "Adam with decoupled weight decay", _rate(0.001),
            Parameter("weight_decay", "real", "shrinks every weight by this rate times the learning rate", 0.004, bounds=NOT_NEGATIVE),
            *_MOMENTS, _EPSILON, _AMSGRAD, source="Loshchilov & Hutter 2019",
        ),
        _row(
            "rmsprop", "RMSprop", "steps scaled by the running size of gradients", _rate(0.001), _beta("rho", 0.9, "the mean of squares"),
            Parameter("momentum", "real", "how much of the last step is kept", 0.0, bounds=SHARE), _EPSILON,
            Parameter("centered", "bool", "subtracts the running mean", False), source="Tieleman & Hinton 2012",
        ),
        _row(
            "adagrad", "Adagrad", "steps scaled by all past gradients", _rate(0.001),
            Parameter("initial_accumulator_value", "real", "where the sums of squares start", 0.1, bounds=NOT_NEGATIVE), _EPSILON, source="Duchi et al. 2011",
        ),
        _row("adadelta", "Adadelta", "steps in the units of the weights", _rate(0.001), _beta("rho", 0.95, "both means"), _EPSILON, source="Zeiler 2012"),
        _row("adamax", "Adamax", "Adam with the infinity norm", _rate(0.001), *_MOMENTS, _EPSILON, source="Kingma & Ba 2015"),
        _row("nadam", "Nadam", "Adam with Nesterov's momentum", _rate(0.001), *_MOMENTS, _EPSILON, source="Dozat 2016"),
        _row(
            "lion", "Lion", "the sign of a mixture of momentum and gradient", _rate(0.001),
            _beta("beta_1", 0.9, "the mixture", Bounds(0, 1, above=True, below=True)), _beta("beta_2", 0.99, "the momentum"), source="Chen et al. 2023",
        ),
        _row("lamb", "Lamb", "Adam scaled by each weight's norm", _rate(0.001), *_MOMENTS, _EPSILON, source="You et al. 2020", elementwise=False),
    ),
    "optimiser",
)  # fmt: skip

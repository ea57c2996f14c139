"""The plan of every cell of the four studies against Keras: the same models written by hand, and the profiler's count.

What the interpreter itself executes is counted too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.terms import Term
from dlspec.spec.passes.cost import cost
from keras import layers

EXAMPLES = Path(__file__).parents[3] / "examples"
Model = Any
Loss = Callable[..., Any]
Written = tuple[Sequence[Model], Loss, Sequence[tuple[int | None, ...]]]
"""Models, the loss of a batch given them and its arrays, and the shapes of these; None stands for the batch's size."""


@cache
def cells(study: str) -> list[Program]:
    """The cells of a study, one of those with the same variant and cost."""
    plan = spec.resolve(spec.parse(Source(study, (EXAMPLES / f"{study}.yaml").read_text("utf-8"))))
    found = {
        (program.experiment, program.variant, cost(program)): program
        for experiment in plan.experiments
        for program in experiment.programs
    }
    return list(found.values())


def mlp(given: int, *units: int, last: int = 1, bias: bool = True) -> Model:
    """Dense layers of ReLU units, and a last one without."""
    hidden = [layers.Dense(count, activation="relu") for count in units]
    return keras.Sequential([keras.Input((given,)), *hidden, layers.Dense(last, use_bias=bias)])


# -- flat --------------------------------------------------------------------------------------------------------------

D, STEPS = 100, len({*range(-100, 100, 5), -5, -4, -3, -2, -1, -0.2, 0, 0.1, 0.15, 0.175, 1, 2, 3, 4, 5})


def u(r: Any, z: Any) -> Any:
    return tf.stop_gradient(tf.reduce_max(tf.where(z <= r[:, None], z, z[0]), axis=1))


def soft(r: Any, z: Any, c: float) -> Any:
    width = z[1:] - z[:-1]
    return z[0] + tf.reduce_sum(width * tf.sigmoid(c * (r[:, None] - z[1:]) / width), axis=1)


def straight(hard: Any, carrier: Any) -> Any:
    """The value of one, the gradient of the other."""
    return carrier + tf.stop_gradient(hard - carrier)


def flat(program: Program) -> Written:
    shapes: list[tuple[int | None, ...]] = [(None, D), (None,), (STEPS,), ()]

    def squared(guess: Callable[[Any, Any, Any], Any]) -> Loss:
        def loss(model: Model, x: Any, y: Any, z: Any, b: Any) -> Any:
            return tf.reduce_mean((guess(model(x)[:, 0], z, b) - y) ** 2)

        return loss

    def entropy(model: Model, x: Any, y: Any, z: Any, b: Any) -> Any:
        right = tf.reduce_sum(tf.cast(z <= y[:, None], tf.int32), axis=1) - 1
        scores = tf.nn.log_softmax(model(x))
        return tf.reduce_mean(-tf.reduce_sum(tf.one_hot(right, STEPS) * scores, axis=1))

    guesses: dict[str, tuple[Model, Loss]] = {
        "non_flat": (mlp(D), squared(lambda s, z, b: soft(s + b, z, 50))),
        "non_flat_from_0": (mlp(D), squared(lambda s, z, b: soft(s, z, 50))),
        "end_to_end": (mlp(D, 100, 100, 100), squared(lambda s, z, b: s)),
        "multi_class": (mlp(D, 100, 100, last=STEPS), entropy),
        "forward_only": (mlp(D), squared(lambda s, z, b: straight(u(s, z), s))),
        "surrogate": (mlp(D), squared(lambda s, z, b: straight(u(s, z), soft(s, z, 4)))),
        "": (mlp(D), squared(lambda s, z, b: soft(s + b + 0.5, z, 50))),
    }
    model, loss = guesses[program.variant]
    return [model], loss, shapes


# -- parities ----------------------------------------------------------------------------------------------------------


def parities(program: Program) -> Written:
    d = int(program.constants["d"])

    def hinge(model: Model, x: Any, y: Any) -> Any:
        return tf.reduce_mean(tf.nn.relu(1 - y * model(x)[:, 0]))

    def squared(model: Model, x: Any, y: Any) -> Any:
        return tf.reduce_mean((model(x)[:, 0] - y) ** 2 / 2)

    return [mlp(d, 10 * d)], hinge if program.experiment == "random_parity" else squared, [(None, d), (None,)]


# -- decomposition -----------------------------------------------------------------------------------------------------


class Rows(layers.Layer):  # type: ignore[misc]
    """A dense layer on a one-hot vector: a row of its kernel, and the bias."""

    def __init__(self, d: int, k: int) -> None:
        super().__init__()
        self.rows = layers.Embedding(d, k)
        self.bias = self.add_weight(shape=(k,), initializer="zeros")

    def call(self, i: Any) -> Any:
        return self.rows(i) + self.bias


def decomposition(program: Program) -> Written:
    k = int(program.constants["k"])
    if program.experiment.startswith("allocation"):
        d = int(program.constants["d"])
        model = keras.Sequential([keras.Input((), dtype="int32"), Rows(d, k), layers.Softmax()])

        def gain(model: Model, i: Any, z: Any) -> Any:
            return tf.reduce_mean(-tf.reduce_sum(z * model(tf.cast(i, tf.int32)), axis=1))

        def right(model: Model, i: Any, z: Any) -> Any:
            y = tf.argmax(z, axis=1)
            return tf.reduce_mean(-tf.gather(model(tf.cast(i, tf.int32)), y, batch_dims=1))

        return [model], right if program.variant == "decomposition" else gain, [(None,), (None, k)]
    score = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same"), layers.MaxPooling2D(2), layers.Conv2D(16, 5, padding="same"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dense(50, activation="relu"), layers.Dense(100, activation="relu"), layers.Dense(1),
        ]
    )  # fmt: skip
    tuples = mlp(k, 100)

    def hinge(y: Any, value: Any) -> Any:
        return tf.nn.relu(1 - y * value)

    def loss(score: Model, tuples: Model, image: Any, label: Any) -> Any:
        scores = tf.reshape(score(tf.reshape(image, [-1, 28, 28, 1])), [-1, k])
        found = hinge(tf.reduce_prod(label, axis=1), tuples(tf.sigmoid(scores))[:, 0])
        if program.variant == "decomposition":
            found += tf.reduce_mean(hinge(label, scores), axis=1)
        return tf.reduce_mean(found)

    return [score, tuples], loss, [(None, k, 28, 28), (None, k)]


# -- conditioning ------------------------------------------------------------------------------------------------------


def conditioning(program: Program) -> Written:
    if program.experiment.startswith("condition"):
        return [], lambda: None, []
    n = int(program.constants["n"])
    if program.experiment == "auto_encoder":
        code, curve = mlp(n, 500, 100, last=6), mlp(6, 100, 100, last=n)
        code.layers[-1].activation = keras.activations.relu
        return [code, curve], lambda code, curve, f: tf.reduce_mean((curve(code(f)) - f) ** 2), [(None, n)]
    if program.variant == "linear":
        linear = mlp(n, last=n, bias=False)
        return (
            [linear],
            lambda g, f, p: tf.reduce_mean(tf.reduce_sum((g(f) - p) ** 2, axis=1)),
            [(None, n), (None, n)],
        )
    row = keras.Sequential([keras.Input((n - 2, 3)), layers.Dense(1, use_bias=False)])

    def loss(row: Model, rows: Any, p: Any, matrix: Any) -> Any:
        if program.variant == "whitened":
            rows = tf.reshape(tf.matmul(tf.reshape(rows, [-1, 3]), matrix), rows.shape)
        code = tf.concat([tf.zeros([rows.shape[0], 2]), row(rows)[:, :, 0]], axis=1)
        return tf.reduce_mean(tf.square(code - p))  # of `** 2` TensorFlow's derivative takes a power more

    return [row], loss, [(None, n - 2, 3), (None, n), (3, 3)]


WRITTEN = {"flat": flat, "parities": parities, "decomposition": decomposition, "conditioning": conditioning}


def profiled(program: Program, written: Written, counted: Callable[..., int]) -> int:
    """What the profiler counts in a step of the models written by hand."""
    plan = program.training
    assert plan is not None
    models, loss, shapes = written
    (given,) = plan.phases[0].optimizers.values()
    arguments = {name: value for name, value in given.arguments.items() if not isinstance(value, Term)}
    optimizer = getattr(keras.optimizers, given.keras)(**arguments)
    variables = [variable for model in models for variable in model.trainable_variables]
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(*arrays: Any) -> Any:
        with tf.GradientTape() as tape:
            found = loss(*models, *arrays)
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in tape.gradient(found, variables)], variables)
        return found

    specs = [tf.TensorSpec([plan.phases[0].batch if size is None else size for size in shape]) for shape in shapes]
    return counted(step.get_concrete_function(*specs))


@pytest.mark.parametrize("study", WRITTEN)
def test_parameters_and_operations_of_every_cell_are_those_of_keras(study: str, counted: Callable[..., int]) -> None:
    seen = set()
    for program in cells(study):
        written = WRITTEN[study](program)
        found = cost(program)
        assert found.parameters == sum(model.count_params() for model in written[0]), program.name
        seen.add((program.experiment, program.variant))
        if program.training is None:
            assert found.step == 0
            continue
        # The mean over the batch is taken of the gradients; that of the models is taken of the losses. Of a network of one unit, the
        # staircase's 54 sigmoids are most: each takes two operations more than TensorFlow's where an upstream gradient of 0 has to go on as 0.
        near = 0.17 if study == "flat" else 0.05
        wanted = profiled(program, written, counted)
        assert found.step - found.parameters == pytest.approx(wanted, rel=near), program.name
    plan = spec.resolve(spec.parse(Source(study, (EXAMPLES / f"{study}.yaml").read_text("utf-8"))))
    assert seen == {(one.experiment, one.variant) for e in plan.experiments for one in e.programs}


@pytest.mark.slow
@pytest.mark.parametrize("study", WRITTEN)
def test_operations_of_every_cell_are_those_that_the_interpreter_executes(
    study: str, executed: Callable[[Program], int]
) -> None:
    near = (
        0.05 if study == "flat" else 0.02
    )  # of a quotient by the staircase's widths, one division a width is made for all examples
    for program in cells(study):
        if program.training is not None:
            assert cost(program).step == pytest.approx(executed(program), rel=near), program.name

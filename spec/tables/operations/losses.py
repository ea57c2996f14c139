"""Losses of one example, and the functions that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...ir.types import ShapeProblem, Type
from .table import Operation, table


def _classes(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    logits, label = types
    if not logits.shape:
        raise ShapeProblem(
            "the scores must be an array, one number per class", "Give the last layer one unit per class."
        )
    if label.shape != logits.shape[:-1]:
        raise ShapeProblem(
            f"the scores {logits} need a label for each row, but the label is {label}",
            "The last axis of the scores is that of the classes."
            + ("" if label.shape else f" One label for all rows is `repeat(c, {logits.shape[0]})`."),
        )
    if label.kind == "real":
        raise ShapeProblem(
            "the label must be an int, the index of a class, but is real", "`step_of` and `argmax` give indices."
        )
    return Type("real", label.shape), {}


def _vector(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    if not types[0].shape:
        raise ShapeProblem("needs an array: it works along the last axis")
    return Type("real", types[0].shape), {}


def _log_softmax(x: Any) -> Any:
    top = np.max(x, axis=-1, keepdims=True)
    return x - top - np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True))


def _cross_entropy(score: Any, label: Any) -> Any:
    score = np.asarray(score, dtype=float)
    hot = np.asarray(label)[..., None] == np.arange(score.shape[-1])
    return np.where(hot.any(axis=-1), -np.sum(np.where(hot, _log_softmax(score), 0.0), axis=-1), np.nan)


def _huber(prediction: Any, target: Any, delta: Any) -> Any:
    gap = np.abs(np.subtract(prediction, target))
    return np.where(gap <= delta, gap**2 / 2, delta * (gap - np.asarray(delta) / 2))


LOSSES = table(
    "losses",
    [
        Operation(
            "hinge", "(y: real[...], score: real[...]) -> real[...]", "max(0, 1 - y · score), for y = ±1",
            lambda y, score: np.maximum(0, 1 - y * score), source="Cortes & Vapnik 1995", example=("hinge(1, 0.25)", "0.75"),
            corner="gradient 0 at y · score = 1",
            monotone=True, signs="y",
        ),
        Operation(
            "logistic", "(y: real[...], score: real[...]) -> real[...]", "log(1 + exp(-y · score)), for y = ±1",
            lambda y, score: np.logaddexp(0, -np.multiply(y, score)), source="Cox 1958", example=("logistic(1, 0)", "0.6931471805599453"),
            monotone=True, applies="sigmoid", signs="y",
        ),
        Operation(
            "huber", "(prediction: real[...], target: real[...], delta: real[...]) -> real[...]",
            "squared error / 2 within delta, linear beyond", _huber, source="Huber 1964", example=("huber(3, 0, 1)", "2.5"),
            corner="gradient 0 at a gap of 0",
        ),
        Operation(
            "cross_entropy", "(score: real[*s, classes], label: int[*s]) -> real[*s]",
            "-log of the softmax of the scores at the label", _cross_entropy, example=("cross_entropy([0, 0], 1)", "0.6931471805599453"),
            rule=_classes, applies="softmax",
            corner="undefined where the label is no class",
        ),
        Operation(
            "softmax", "(x: real[*s]) -> real[*s]", "exp(x) / sum(exp(x)) along the last axis",
            lambda x: np.exp(_log_softmax(x)), example=("softmax([0, 0])", "[0.5, 0.5]"), rule=_vector, applies="softmax",
        ),
        Operation(
            "log_softmax", "(x: real[*s]) -> real[*s]", "log(softmax(x)), without underflow", _log_softmax,
            example=("log_softmax([0, 0])", "[-0.6931471805599453, -0.6931471805599453]"), rule=_vector, applies="softmax",
        ),
    ],
)  # fmt: skip

"""Overrides as Python gives them: a mapping from paths to values, or the words of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.resolve.overrides import Override

Overrides = Mapping[str, Any] | Sequence[str] | None
"""`{"training.steps": 100}`, or `["training.steps=100"]` as after `-o`."""


def words(overrides: Overrides) -> list[str]:
    """Overrides as the command line writes them, `path=value` each. Raises StudyError for a value that YAML has no word for.

    >>> words({"training.steps": 100, "training.optimizer": {"sgd": {"learning_rate": 1e-5}}})
    ['training.steps=100', 'training.optimizer={"sgd": {"learning_rate": 1e-05}}']
    >>> words(["training.steps=100"])
    ['training.steps=100']
    """
    if isinstance(overrides, str):
        hint = 'Write `overrides={"training.steps": 100}`, or `overrides=["training.steps=100"]`.'
        raise StudyError(Problem(f"overrides are a mapping or a list, and `{overrides}` is one text", hint=hint))
    if isinstance(overrides, Mapping):
        return [f"{path}={_word(path, value)}" for path, value in overrides.items()]
    return list(overrides or ())


def read(overrides: Overrides) -> list[Override]:
    """The same, read. Raises StudyError."""
    return [Override.read(text) for text in words(overrides)]


def _word(path: Any, value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError) as error:
        hint = "A value is a finite number, a text, true or false, None, or a list or a mapping of these."
        raise StudyError(Problem(f"the override of `{path}` cannot be written in YAML: {error}", hint=hint)) from None


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a value of a study")

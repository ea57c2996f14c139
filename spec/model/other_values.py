"""What other tools write in a place: the remedy where such a value stands there, and another is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..tables.optimizers import OPTIMIZERS

STORED = "`weights: float16` keeps weights in it; `dtype: float32` is for computing."
CHOICES = {
    ("dtype", "float16"): STORED,
    ("dtype", "half"): STORED,
    ("dtype", "mixed_float16"): STORED,
    ("dtype", "fp16"): STORED,
    **{("dtype", word): "Did you mean 'float32'?" for word in ("fp32", "float", "single", "f32")},
    **{("dtype", word): "Did you mean 'float64'?" for word in ("fp64", "double", "f64")},
    **{("dtype", word): "Did you mean 'bfloat16'?" for word in ("bf16", "mixed_bfloat16")},
    ("weights", "float64"): "`dtype: float64` computes in it, and keeps weights in it.",
    ("kind", "line"): "Did you mean 'curves'?",
    ("kind", "plot"): "Did you mean 'curves'?",
    ("kind", "boxplot"): "Did you mean 'histogram'?",
}
"""By key and word, what is meant."""


def other_value(path: Sequence[str | int], given: Any) -> str:
    """The remedy for a value as others write it, from where it stands; nothing where it is none of these.

    >>> other_value(("e", "figures", "error", "scale"), "log"), other_value(("e", "training", "steps"), "x")
    ('Write `scale: {y: log}`.', '')
    """
    key = str(path[-1]) if path else ""
    if isinstance(given, str) and (key, given) in CHOICES:
        return CHOICES[key, given]
    if key == "scale" and "figures" in path:
        word = given if given in ("linear", "log") else "log"
        return f"Write `scale: {{y: {word}}}`."
    if "sweep" in path[-3:]:
        return _swept(path, given)
    if "optimizer" in path[-2:-1] and any(key in row.parameters for row in OPTIMIZERS.values()):
        return f"An optimiser is one key with its arguments: `optimizer: {{adam: {{{key}: {given}}}}}`."
    if key == "evaluate" and type(given) is int:
        return f"Write `evaluate: {{every: {given}}}`, or `{{log: 20}}` for so many steps on a logarithmic scale."
    if key == "learning_rate" and isinstance(given, dict):
        return "A schedule is an expression in `step`: `0.1 / (1 + 0.01 * step)`."
    if isinstance(given, str):
        return _named(path, given)
    return ""


def _swept(path: Sequence[str | int], given: Any) -> str:
    if "zip" in path:
        return "Write `zip` beside `sweep`, with names of axes: `zip: [[a, b]]`."
    if isinstance(given, str) and "." in given:
        patch = "…"
        for key in reversed(given.split(".")):
            patch = f"{{{key}: {patch}}}"
        name = given.rpartition(".")[2]
        return (
            f"A list is for a constant's values; write settings as named patches: `{name}: {{a: {patch}, b: {patch}}}`; on the command line it is "
            f"`-o {given}=…,…`."
        )
    if path[-1] in ("min", "max", "values", "start", "stop", "low", "high", "grid", "choices"):
        return f"An axis is a list of values, `{path[-2]}: [1, 2, 4]`, or a map of named patches."
    return ""


def as_conditions(key: str, given: Any) -> str:
    """Where the conditions of a figure stand as a map from axes to values; empty where they do not.

    >>> as_conditions("where", {"n": 2, "variant": "a"})
    'Write conditions: `where: [n == 2, variant == a]`.'
    """
    if key != "where" or not isinstance(given, dict) or not given:
        return ""
    if not all(isinstance(value, str | int | float) for value in given.values()):
        return ""
    conditions = ", ".join(f"{name} == {value}" for name, value in given.items())
    return f"Write conditions: `where: {conditions if len(given) == 1 else f'[{conditions}]'}`."


def as_name(text: str) -> str:
    """A text as a name; empty where that takes more than another spelling.

    >>> as_name("My study!"), as_name("_x"), as_name("2x")
    ('my_study', 'x', '')
    """
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_")
    return name if re.match("[a-z]", name) else ""


def _named(path: Sequence[str | int], given: str) -> str:
    """Where a name is wanted, and something else stands."""
    if list(path) == ["study"]:
        name = as_name(given)
        return f"Write `study: {name}`, and what people read as `title`." if name else ""
    if str(path[-1]).endswith("constraint"):
        body = given.split(":", 1)[1].strip() if given.startswith("lambda") and ":" in given else given
        return (
            f'Declare it, `functions: {{"keep(w)": "{body}"}}`, and write `{path[-1]}: keep`.' if "(" in given else ""
        )
    if "networks" in path and "." in given:
        return f"An update changes whole networks: `{given.split('.')[0]}`."
    if "figures" in path and ("." in given or "(" in given):
        return f"A figure shows measures by their names: add `shown: {given}` to `measures`, and write `shown`."
    return ""

"""A change in words: what it is a change of, where, and from what to what."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics.problems import listing
from .changes import Change
from .classes import BORROWED

MAX_VALUE_LENGTH = 60
DATA = {
    "train": "training examples",
    "test": "test examples",
    "validation": "validation examples",
    "order": "order of examples",
    "enumerate": "enumerated inputs",
}
"""What a task's data say, in words."""


def in_its_variants(change: Change) -> str:
    """The variants that a change is in; nothing where it is in all."""
    return in_variants(change.where.variants)


def in_variants(variants: Sequence[str]) -> str:
    """Some variants by name."""
    if not variants:
        return ""
    word = "variant" if len(variants) == 1 else "variants"
    return f" in {word} {listing((f'`{name}`' for name in variants), 4)}"


def describe(change: Change, pause: str = ", ") -> str:
    """A change in a few words: `gradient of `u`, exact → forward_only`."""
    what = subject(change)
    before, after = change.before, change.after
    if change.path == ("spelling",):
        return "the order of operations"
    if change.action == "added":
        return f"{what} added" + (f" ({after})" if after and len(after) <= MAX_VALUE_LENGTH else "")
    if change.action == "removed":
        return f"{what} removed"
    if change.action == "moved":
        return f"{what} moved {after}"
    if before is not None and after is not None and len(before) + len(after) <= MAX_VALUE_LENGTH:
        return f"{what}{pause}{before} → {after}"
    kinds = [re.match(r"(\w+)\(", text or "") for text in (before, after)]
    if change.path[:2] == ("training", "optimizer") and kinds[0] and kinds[1] and kinds[0][1] != kinds[1][1]:
        return f"{what}{pause}{kinds[0][1]} → {kinds[1][1]}"  # with which arguments stands below
    return what


def subject(change: Change) -> str:
    """What a change is a change of: `optimizer learning rate`."""
    path = change.path
    singular = {"constants": "constant", "functions": "function", "estimates": "estimate", "outputs": "output", "loss": "loss term",
                "measures": "measure", "claims": "claim", "figures": "figure"}  # fmt: skip
    if path[0] == "gradient" and len(path) > 1:
        return f"gradient of `{path[1]}`" + "".join(f" ({step})" for step in path[2:] if step != "value")
    if path[0] == "task" and len(path) > 2 and path[1] in ("draw", "example"):
        return f"{path[1]} `{path[2]}`"
    if path[:2] == ("task", "statistics") and len(path) > 2:
        return f"statistic `{path[2]}`"
    if path[:2] == ("task", "tests") and len(path) > 3:
        return f"`{path[3]}` of the test stream `{path[2]}`"
    if path[:2] == ("task", "data") and len(path) == 3:
        return DATA.get(path[2], path[2])
    if path[0] in singular and len(path) > 1:
        rest = ".".join(path[2:])
        part = f" ({change.classes[0]})" if path[0] in BORROWED and len(change.classes) == 1 and change.factor else ""
        return f"{singular[path[0]]} `{path[1]}`" + (f" ({rest})" if rest else part)
    if path[0] == "architecture" and len(path) > 1:
        return _layer(path)
    if path[0] == "layer_defaults" and len(path) > 1:
        return f"{path[1].replace('_', ' ')} of all layers"
    if path[:2] == ("training", "phases") and path[3:4] == ("gradient",) and len(path) > 4:
        return f"gradient of `{path[4]}` in the phase `{path[2]}`" + "".join(
            f" ({s})" for s in path[5:] if s != "value"
        )
    if path[0] == "training" and len(path) > 1:
        return " ".join(path[1:]).replace("_", " ")
    return ".".join(path).replace("_", " ") if len(path) > 1 else path[0]


def _layer(path: tuple[str, ...]) -> str:
    """A network, one of its layers, or an argument of that: `units of layer `hidden` in `score``."""
    if path[2:3] != ("layers",) or len(path) < 4:
        rest = ".".join(path[2:])
        return f"{rest} of network `{path[1]}`" if rest else f"network `{path[1]}`"
    steps = [step for step in path[3:] if step != "layers"]
    known = 1 if len(steps) == 1 or "layers" not in path[3:] else len(path[3 : path.index("layers", 3)]) + 1
    layer, rest = ".".join(steps[:known]), ".".join(steps[known:])
    name = f"layer `{layer}` of network `{path[1]}`"
    return f"{rest.replace('_', ' ')} of {name}" if rest else name

"""A key whose value is still to be written (`panel:`, null) is an error or a default, whichever key it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

EXAMPLES = Path(__file__).parents[3] / "examples"
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def paths(node: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    """The paths to all values below a node."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield (*above, key)
        yield from paths(value, *above, key)


NAMED = {
    "experiments", "constants", "functions", "draw", "example", "architecture", "outputs", "loss", "measures", "variants", "claims", "figures",
    "profiles", "sweep", "gradient",
}  # fmt: skip
"""Keys whose entries are named by whoever writes: one of them stands for all that have the same keys around."""


def kinds(node: Any) -> list[tuple[str | int, ...]]:
    """The first path of each kind: names and places in lists are alike."""
    found: dict[tuple[str | int, ...], tuple[str | int, ...]] = {}
    for path in paths(node):
        above = (None, *path)
        kind = tuple("*" if isinstance(key, int) or at in NAMED else key for at, key in zip(above, path, strict=False))
        found.setdefault(kind, path)
    return [*found.values()]


def judged(tree: Any) -> str:
    """What is said of a study: an error's first message, or nothing. Whatever else is raised ends the test."""
    try:
        spec.validate(spec.parse(Source("x.yaml", yaml.dump(tree, Dumper=DUMPER, sort_keys=False))))
    except spec.StudyError as error:
        return error.problems[0].message
    return ""


@pytest.mark.parametrize("name", ["flat"])
def test_null_at_any_key_is_an_error_or_a_default(name: str) -> None:
    whole = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text("utf-8"))
    found = []
    for path in kinds(whole):
        tree = copy.deepcopy(whole)
        place = tree
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = None
        found.append(judged(tree))
    assert len(found) > 100 and found.count("") > 5 and len(set(found)) > 10

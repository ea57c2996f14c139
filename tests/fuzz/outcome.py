"""How a study came out, and a study as text: what is known of it where TensorFlow is not loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Outcome:
    """How a study came out: `refused`, `fine` or `wrong`, with what is said of it, and the kind of fault."""

    status: str
    kind: str = ""
    text: str = ""
    cells: int = 0
    diverged: int = 0


class Wrong(Exception):
    """Something is not as it should be; the first word says of what kind."""


def text(tree: Mapping[str, Any]) -> str:
    """A study's tree as YAML."""
    return str(yaml.safe_dump(tree, sort_keys=False, width=1000, allow_unicode=True))

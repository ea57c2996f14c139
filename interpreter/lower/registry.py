"""Where lowerings are registered: one an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..registry import Registry

Lower = Callable[..., Any]
LOWERINGS: Registry[Lower] = Registry("operation", "lowering")
lowers = LOWERINGS
"""As a decorator: `@lowers("name")`."""

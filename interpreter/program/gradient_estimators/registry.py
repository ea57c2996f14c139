"""Where estimators of gradient statistics are registered: one a row of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...registry import Registry
from .gradients import Gradients


@dataclass(frozen=True)
class Inputs:
    """What an estimate is given in the graph: keys by stream, the replicates' draws by name [R, …], and the step."""

    keys: dict[str, Any]
    draws: dict[str, Any]
    step: Any


Estimator = Callable[[Gradients, Inputs], tuple[Any, Any]]
"""From gradients to the statistic and two standard errors of it if the true value were 0: float64 [R] each.

The second is None where the row says that there is no floor.
"""
ESTIMATORS: Registry[Estimator] = Registry("gradient statistic", "estimator")
estimates = ESTIMATORS
"""As a decorator: `@estimates("name")`."""

"""The table of gradient statistics: what is measured of a gradient at the weights of an evaluation.

Each is estimated without bias. What may be too small to be seen gives beside itself the measure `NAME_floor`: two
standard errors of the estimate if the true value were 0. A value below it is not told from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GradientStatistic:
    """A row: what it measures, and where that comes from.

    A `ratio` to noise is infinite where there is none, undefined where there is no signal either: no trouble of the training.
    """

    name: str
    meaning: str
    source: str
    ratio: bool = False


GRADIENT_STATISTICS: Mapping[str, GradientStatistic] = MappingProxyType(
    {
        row.name: row
        for row in (
            GradientStatistic(
                "gradient_snr", "‖E g‖² / E‖g - E g‖² over examples, where g is the gradient of one example",
                "arXiv:1703.07950, section 3.2", ratio=True,
            ),
            GradientStatistic(
                "gradient_noise", "E‖g - E g‖² over examples: the variance of one example's gradient", "arXiv:1703.07950, section 3.2",
            ),
            GradientStatistic(
                "gradient_variance", "E‖ḡ - E ḡ‖² over draws of the target, where ḡ is the gradient averaged over examples",
                "arXiv:1703.07950, equation 3",
            ),
        )
    }
)  # fmt: skip

FLOOR = "_floor"
"""What the name of a statistic's sampling floor ends in."""

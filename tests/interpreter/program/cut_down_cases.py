"""Cases of the gallery of fewer numbers, as tests compare them with the same in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source

from tests.interpreter.program.dense_in_numpy import Array


def measured_in_dlspec(
    study: Path, text: str, variant: str, replicates: int, steps: Sequence[int]
) -> list[dict[str, Array]]:
    """The measures of a variant, [R, …] each, after so many steps: of the quick profile of a study whose text is changed."""
    (plan,) = spec.resolve(spec.parse(Source(str(study), text)), "quick").experiments
    (program,) = (one for one in plan.programs if variant in one.name)
    made, found = Compiled(program, range(replicates), True), []
    for step in steps:
        made.train(step - made.step)
        found.append(made.evaluate())
    return found

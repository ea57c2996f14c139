"""What running a study gives: cells with their curves, and how they are laid out for claims and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from dlspec.spec.resolved import ExperimentPlan, Program

Array = np.ndarray[Any, Any]


@dataclass
class Cell:
    """One replicate of one program: its curves (measure → [steps, …]) at the evaluated steps, and how it ended.

    `status` is `done`, `diverged` (with the step and the term in `message`), `failed` or `interrupted`.
    `samples` holds what figures show of single test examples: figure → step → label → [examples, …].
    """

    experiment: str
    variant: str
    constants: Mapping[str, Any]
    replicate: int
    digest: str
    status: str = "done"
    message: str = ""
    seconds: float = 0.0
    compiled: str = "xla"
    steps: list[int] = field(default_factory=list)
    curves: dict[str, list[Array]] = field(default_factory=dict)
    samples: dict[str, dict[int, dict[str, Array]]] = field(default_factory=dict)

    def record(self, step: int, measures: Mapping[str, Array]) -> None:
        """Adds an evaluation."""
        self.steps.append(step)
        for name, value in measures.items():
            self.curves.setdefault(name, []).append(np.asarray(value))

    def final(self) -> dict[str, Any]:
        """Each measure at the last step, as plain numbers."""
        return {name: values[-1].tolist() for name, values in self.curves.items() if values}


@dataclass(frozen=True)
class Results:
    """The cells of one experiment, on its axes; `replicates` is the largest number of any program."""

    experiment: str
    axes: Mapping[str, tuple[Any, ...]]
    replicates: int
    cells: Sequence[Cell]

    @staticmethod
    def of_plan(plan: ExperimentPlan, cells: Sequence[Cell]) -> Results:
        """The results of an experiment's plan."""
        return Results(plan.name, plan.axes, max((program.replicates for program in plan.programs), default=0), cells)

    def of(self, program: Program) -> list[Cell]:
        """The cells of a program, by replicate."""
        return [
            cell
            for cell in self.cells
            if cell.variant == program.variant and dict(cell.constants) == dict(program.point)
        ]

    def grid(self, value: Any) -> xr.DataArray:
        """One number a cell on the experiment's axes and the replicates; cells that are not there are undefined."""
        dims = [*self.axes, "replicate"]
        coordinates: dict[str, list[Any]] = {name: list(values) for name, values in self.axes.items()}
        coordinates["replicate"] = list(range(self.replicates))
        shape = [len(coordinates[name]) for name in dims]
        data = np.full(shape, np.nan)
        for cell in self.cells:
            place = tuple(
                self.axes[name].index(cell.variant if name == "variant" else cell.constants[name]) for name in self.axes
            )
            data[(*place, cell.replicate)] = value(cell)
        labels = {
            name: [str(v) if isinstance(v, str | tuple) else v for v in values] for name, values in coordinates.items()
        }
        return xr.DataArray(data, dims=dims, coords=labels)

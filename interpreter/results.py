"""What running a study gives: cells with their curves, and how they are laid out for claims and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from dlspec.spec.resolved import ExperimentPlan, Program

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, Any]


class Curve(Sequence[Array]):
    """A measure at each evaluated step, held as one array [steps, …]: as small as its numbers."""

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: int) -> Array: ...

    @overload
    def __getitem__(self, place: slice) -> Curve: ...

    def __getitem__(self, place: int | slice) -> Any:
        return Curve(self.values[place]) if isinstance(place, slice) else self.values[place]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype) if copy else np.asarray(self.values, dtype)


Samples = Mapping[str, Mapping[int, Mapping[str, Array]]]
"""What figures show of single test examples: figure → step → label → [examples, …]."""


@dataclass
class Cell:
    """One replicate of one program: its curves (measure → [steps, …]) at the evaluated steps, and how it ended.

    `status` is `done`, `diverged` (with the step and the term in `message`), `failed` or `interrupted`. A diverged cell
    says at which step in `end`, and in `cause` the measure that was not finite, or nothing where it was the loss.
    `key` is its name in the store; `stored` says that it lay there before this run.
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
    curves: Mapping[str, Sequence[Array]] = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)
    end: int | None = None
    cause: str = ""
    key: str = ""
    stored: bool = False

    def record(self, step: int, measures: Mapping[str, Array]) -> None:
        """Adds an evaluation."""
        assert isinstance(self.curves, dict), "a stored cell is not trained on"
        self.steps.append(step)
        for name, value in measures.items():
            values = self.curves.setdefault(name, [])
            assert isinstance(values, list), "a stored cell is not trained on"
            values.append(np.asarray(value))

    def sample(self, figure: str, step: int, values: Mapping[str, Array]) -> None:
        """Adds what a figure shows at a step."""
        assert isinstance(self.samples, dict), "a stored cell is not trained on"
        self.samples.setdefault(figure, {})[step] = dict(values)

    def final(self) -> dict[str, Any]:
        """Each measure at the last step, as plain numbers."""
        return {name: values[-1].tolist() for name, values in self.curves.items() if values}


@dataclass(frozen=True)
class Results:
    """The cells of one experiment, on its axes; `replicates` is the largest number of any program.

    `fewer` holds the number of replicates of programs, by variant and point, that have not so many.
    """

    experiment: str
    axes: Mapping[str, tuple[Any, ...]]
    replicates: int
    cells: Sequence[Cell]
    fewer: Mapping[tuple[Any, ...], int] = field(default_factory=dict)

    @staticmethod
    def of_plan(plan: ExperimentPlan, cells: Sequence[Cell]) -> Results:
        """The results of an experiment's plan."""
        most = max((program.replicates for program in plan.programs), default=0)
        found = Results(plan.name, plan.axes, most, cells)
        fewer = {
            found.place(program.variant, program.point): program.replicates
            for program in plan.programs
            if program.replicates < most
        }
        return replace(found, fewer=fewer)

    def place(self, variant: str, point: Mapping[str, Any]) -> tuple[int, ...]:
        """Where a program lies on the axes."""
        return tuple(places[variant if name == "variant" else point[name]] for name, places in self._places.items())

    @cached_property
    def _places(self) -> dict[str, dict[Any, int]]:
        """Where each value lies on its axis; the first of equal ones."""
        return {
            name: {value: place for place, value in reversed(list(enumerate(values)))}
            for name, values in self.axes.items()
        }

    def of(self, program: Program) -> list[Cell]:
        """The cells of a program, by replicate."""
        return [
            cell
            for cell in self.cells
            if cell.variant == program.variant and dict(cell.constants) == dict(program.point)
        ]

    def grid(self, value: Any) -> xr.DataArray:
        """One number a cell on the experiment's axes and the replicates; cells that are not there are undefined."""
        data = np.full(self._shape(), np.nan)
        for cell in self.cells:
            data[(*self.place(cell.variant, cell.constants), cell.replicate)] = value(cell)
        return self._labelled(data)

    def meant(self) -> xr.DataArray:
        """Whether there is such a replicate at all: programs may differ in how many they have."""
        data = np.ones(self._shape(), bool)
        for place, count in self.fewer.items():
            data[(*place, slice(count, None))] = False
        return self._labelled(data)

    def _shape(self) -> list[int]:
        return [*(len(values) for values in self.axes.values()), self.replicates]

    def _labelled(self, data: Array) -> xr.DataArray:
        import xarray as xr

        labels: dict[str, list[Any]] = {
            name: [str(v) if isinstance(v, str | tuple) else v for v in values] for name, values in self.axes.items()
        }
        labels["replicate"] = list(range(self.replicates))
        return xr.DataArray(data, dims=list(labels), coords=labels)

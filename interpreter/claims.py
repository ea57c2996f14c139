"""Claims judged on results: values on named axes, broadcast by name; true throughout, in every replicate or on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from dlspec.spec import claims as c
from dlspec.spec.claims import holds
from dlspec.spec.operations import OPERATIONS
from dlspec.spec.resolved import ClaimPlan

from .results import Cell, Results

COMPARISONS = {"less": -1, "less_equal": -1, "greater": 1, "greater_equal": 1}


@dataclass(frozen=True)
class Verdict:
    """How a claim came out: `holds`, `fails` or `inconclusive`; the value seen (left of the comparison), and its range."""

    claim: ClaimPlan
    verdict: str
    value: float | None
    interval: tuple[float, float] | None
    reason: str = ""

    @property
    def id(self) -> str:
        """What it is called: experiment and name."""
        return f"{self.claim.experiment}.{self.claim.name}"


def judge(claim: ClaimPlan, results: Results) -> Verdict:
    """The verdict on one claim."""
    if not results.cells:
        return Verdict(claim, "inconclusive", None, None, "nothing was run")
    asks = _asks_divergence(claim.tree)
    used = _used(claim.tree, results)
    bad = [cell for cell in used if cell.status != "done"]
    if bad and not asks:
        return Verdict(
            claim, "inconclusive", None, None, f"{bad[0].status}: {_cell_name(bad[0])} {bad[0].message}".strip()
        )
    measured = [evaluate(item, results) for item in _measured(claim.tree)]
    if any(item.size == 0 or bool(item.isnull().any()) for item in measured):
        return Verdict(claim, "inconclusive", None, None, "some of its cells were not run")
    truth = evaluate(claim.tree, results)
    shown, interval = _seen(claim.tree, results)
    if isinstance(truth, float | bool):
        return Verdict(claim, "holds" if truth else "fails", shown, interval)
    if claim.judge == "mean":
        return _judge_mean(claim, results, shown, interval)
    each = truth.astype(bool)
    rest = [name for name in each.dims if name != "replicate"]
    each = each.all(rest)
    if bool(each.all()):
        return Verdict(claim, "holds", shown, interval)
    if not bool(each.any()):
        return Verdict(claim, "fails", shown, interval)
    return Verdict(claim, "inconclusive", shown, interval, f"{int(each.sum())} of {each.size} replicates agree")


def evaluate(tree: Any, results: Results) -> Any:
    """The value of a claim's tree: a number, or an array on named axes."""
    match tree:
        case c.Number(value):
            return value
        case c.Coordinate(axis):
            places = np.asarray(results.axes[axis], dtype=float)
            return xr.DataArray(places, dims=[axis], coords={axis: list(results.axes[axis])})
        case c.Measured():
            return _select(results.grid(lambda cell: _reduced(tree, cell)), tree.selections, results)
        case c.Diverged(selections):
            return _select(results.grid(lambda cell: float(cell.status == "diverged")), selections, results)
        case c.Along():
            return _along(tree, results)
        case c.Apply(operation, arguments):
            values = [evaluate(argument, results) for argument in arguments]
            if OPERATIONS[operation].operator in ("and", "or", "not"):
                values = [value.astype(bool) if isinstance(value, xr.DataArray) else bool(value) for value in values]
            with np.errstate(all="ignore"):
                return xr.apply_ufunc(OPERATIONS[operation].numpy, *values, join="inner")
    raise TypeError(type(tree).__name__)


def _reduced(tree: c.Measured, cell: Cell) -> float:
    """One cell's number for a measure over the steps."""
    curve = [np.asarray(value)[tree.index] for value in cell.curves.get(tree.measure, [])]
    if not curve:
        return math.nan
    values = np.asarray(curve, dtype=float)
    if tree.reduction == "final":
        return float(values[-1])
    if tree.reduction == "lowest":
        return float(np.min(values))
    if tree.reduction == "highest":
        return float(np.max(values))
    if tree.reduction == "at":
        return float(values[cell.steps.index(tree.step)]) if tree.step in cell.steps else math.nan
    threshold = float(tree.threshold.value)
    for step, value in zip(cell.steps, values, strict=True):
        if holds(c.Selection("", tree.operator, threshold), float(value)):
            return float(step)
    return math.inf


def _select(grid: xr.DataArray, selections: Sequence[c.Selection], results: Results) -> xr.DataArray:
    """The part of an array where conditions hold; an axis that one `==` leaves a single value of is dropped.

    Of the replicates those stay that every program in this part has.
    """
    meant = results.meant()
    for axis in dict.fromkeys(selection.axis for selection in selections):
        own = [selection for selection in selections if selection.axis == axis]
        kept = [place for place, value in enumerate(results.axes[axis]) if all(holds(one, value) for one in own)]
        grid, meant = grid.isel({axis: kept}), meant.isel({axis: kept})
        if len(kept) == 1 and any(one.operator == "==" for one in own):
            grid = grid.squeeze(axis, drop=True)
    everywhere = meant.all([name for name in meant.dims if name != "replicate"])
    return grid.isel(replicate=np.flatnonzero(everywhere.values))


def _along(tree: c.Along, results: Results) -> Any:
    """A slope or an order along the axis of a swept constant."""
    y, x = evaluate(tree.y, results), evaluate(tree.x, results)
    if tree.form == "slope":
        y, x = xr.broadcast(y, x)
        x0, y0 = x - x.mean(tree.axis), y - y.mean(tree.axis)
        return (x0 * y0).sum(tree.axis, skipna=False) / (x0**2).sum(tree.axis)
    steps = y.sortby(tree.axis).diff(tree.axis)
    return (steps > 0 if tree.form == "increasing" else steps < 0).all(tree.axis)


def _asks_divergence(tree: Any) -> bool:
    return isinstance(tree, c.Diverged) or (isinstance(tree, c.Apply) and any(map(_asks_divergence, tree.arguments)))


def _measured(tree: Any) -> list[Any]:
    if isinstance(tree, c.Measured | c.Diverged):
        return [tree]
    if isinstance(tree, c.Apply):
        return [found for argument in tree.arguments for found in _measured(argument)]
    return _measured(tree.y) + _measured(tree.x) if isinstance(tree, c.Along) else []


def _used(tree: Any, results: Results) -> list[Cell]:
    """The cells that a claim looks at."""
    found = []
    for cell in results.cells:
        for item in _measured(tree):
            values = {"variant": cell.variant, **cell.constants}
            if all(holds(selection, values[selection.axis]) for selection in item.selections):
                found.append(cell)
                break
    return found


def _sides(tree: Any) -> tuple[Any, Any, int] | None:
    if isinstance(tree, c.Apply) and tree.operation in COMPARISONS:
        return tree.arguments[0], tree.arguments[1], COMPARISONS[tree.operation]
    return None


def _seen(tree: Any, results: Results) -> tuple[float | None, tuple[float, float] | None]:
    """The mean and the range of what stands left of the comparison."""
    sides = _sides(tree)
    if sides is None:
        first = tree.arguments[0] if isinstance(tree, c.Apply) and tree.arguments else None
        if (
            first is None
            or not _measured(first)
            or (isinstance(first, c.Apply) and OPERATIONS[first.operation].result.kind == "bool")
        ):
            return None, None
        sides = (first, None, 0)
    value = evaluate(sides[0], results)
    if not isinstance(value, xr.DataArray):
        return float(value), None
    flat = np.asarray(value, dtype=float).ravel()
    flat = flat[~np.isnan(flat)]
    return (float(np.mean(flat)), (float(np.min(flat)), float(np.max(flat)))) if flat.size else (None, None)


def _judge_mean(
    claim: ClaimPlan, results: Results, shown: float | None, interval: tuple[float, float] | None
) -> Verdict:
    """A paired t interval of the difference of both sides, over replicates, at 95 %; three replicates or more."""
    sides = _sides(claim.tree)
    if sides is None:
        return Verdict(claim, "inconclusive", shown, interval, "`judge: mean` needs one comparison")
    gap = xr.apply_ufunc(np.subtract, *(evaluate(side, results) for side in sides[:2]), join="inner") * sides[2]
    if not isinstance(gap, xr.DataArray) or gap.sizes.get("replicate", 0) < 3:
        return Verdict(claim, "inconclusive", shown, interval, "a t interval needs three replicates or more")
    count = gap.sizes["replicate"]
    mean, half = gap.mean("replicate"), gap.std("replicate", ddof=1) / math.sqrt(count) * student(count - 1)
    low, high = float((mean - half).min()), float((mean + half).max())
    worst = (float((mean - half).min()), float((mean + half).min()))
    verdict = "holds" if low >= 0 else "fails" if worst[1] < 0 else "inconclusive"
    return Verdict(claim, verdict, shown, interval, f"95 % interval of the margin: {low:.3g} to {high:.3g}")


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t with some degrees of freedom (Abramowitz & Stegun 26.7.5, exact for 1 and 2)."""
    if freedom == 1:
        return 12.706204736
    if freedom == 2:
        return 4.302652730
    z = 1.959963984540054
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / freedom + g2 / freedom**2 + g3 / freedom**3 + g4 / freedom**4


def _cell_name(cell: Cell) -> str:
    parts = [cell.experiment, *([cell.variant] if cell.variant else [])]
    return " ".join(
        ["/".join(parts), *(f"{key}={value}" for key, value in cell.constants.items()), f"replicate {cell.replicate}"]
    )

"""What trackers list replicates by: axes, and every setting that is not the same in all cells of the experiment."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dlspec.spec.diff.cell_settings import cell_of, differing_settings, measure_words
from dlspec.spec.ir.plan import StudyPlan

from ..results.replicates import Replicate


class Settings:
    """The settings of a study's cells, and what its measures are."""

    def __init__(self, plan: StudyPlan) -> None:
        self.plan = plan

    def of(self, replicate: Replicate) -> dict[str, Any]:
        """A replicate's experiment, variant, axes and number, and each path that differs from cell to cell."""
        own = self._cells.get((replicate.experiment, cell_of(replicate.variant, replicate.constants)), {})
        known = {"experiment": replicate.experiment, "variant": replicate.variant, **replicate.constants}
        return {
            **{path: text for path, text in own.items() if path not in known},
            **known,
            "replicate": replicate.number,
        }

    def meaning(self, experiment: str, measure: str) -> str:
        """A measure as it is written; empty where nothing is known of it."""
        return self._measures.get((experiment, measure), "")

    def figure(self, experiment: str, name: str) -> str:
        """What a figure shows, as the study says it: its title, its caption, what it draws as it is written; empty where nothing is known of it."""
        found = next((one for one in self.plan.experiments if one.name == experiment), None)
        figure = next((one for one in found.figures if one.name == name), None) if found is not None else None
        if figure is None:
            return ""
        shown = [getattr(figure.model, field, None) for field in ("y", "z", "image")]
        words: list[tuple[str, str]] = []
        for given in shown:
            own = (
                given
                if isinstance(given, dict)
                else dict.fromkeys([given] if isinstance(given, str) else given or (), "")
            )
            words += [
                (str(name), str(text) or self.meaning(experiment, str(name).split("[")[0]))
                for name, text in own.items()
            ]
        parts = [figure.model.title, figure.model.caption, *(f"`{name}`: `{text}`" for name, text in words if text)]
        return "\n\n".join([part for part in parts if part] or [figure.kind])

    @cached_property
    def _cells(self) -> dict[Any, dict[str, str]]:
        return {(one.name, cell): own for one in self.plan.experiments for cell, own in differing_settings(one).items()}

    @cached_property
    def _measures(self) -> dict[tuple[str, str], str]:
        return {(one.name, name): text for one in self.plan.experiments for name, text in measure_words(one).items()}

"""The figures of a run, as a notebook shows them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, did_you_mean, listing, sentence

from ..report.figures import Picture, pictures
from ..results.optional_outputs import Aside
from ..results.run_list import RunRecord
from . import html

VEGA_LITE = "application/vnd.vegalite.v5+json"
"""What notebooks call a Vega-Lite dictionary of the version that they draw."""


@dataclass(frozen=True)
class Figure:
    """One figure: `name` (`EXPERIMENT.FIGURE`), `path` of its PNG (the SVG and the numbers lie beside it), `title`, `caption`, `numbers`."""

    name: str
    path: Path
    picture: Picture

    @property
    def title(self) -> str:
        """Its title."""
        return self.picture.title

    @property
    def caption(self) -> str:
        """What is said below it."""
        return self.picture.caption

    @property
    def numbers(self) -> Mapping[str, Any] | None:
        """The numbers behind it: panels with their series, each with `x`, `y` (means over replicates), and the range `low`, `high`."""
        return self.picture.numbers

    @property
    def svg(self) -> str:
        """It as SVG."""
        return self.path.with_suffix(".svg").read_text("utf-8")

    def __repr__(self) -> str:
        return f"Figure({self.name!r}, {str(self.path)!r})"

    @property
    def html(self) -> str:
        """Its image as HTML."""
        shown = self.picture
        size = f"width='{shown.width // 2}' style='max-width:100%;height:auto;background:#fff'"
        return f"<img src='{shown.image}' alt='{html.text(shown.description)}' {size}>"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """It for a notebook: as a drawing that can be zoomed, beside its PNG; one that stays an image as the image with its words."""
        if (drawing := self.picture.drawing) is None:
            return {"text/plain": repr(self), "text/html": self.html}, {}
        image = base64.b64encode(self.path.read_bytes()).decode()
        size = {"width": self.picture.width // 2, "height": self.picture.height // 2}
        # no HTML beside it, and no method that IPython would take HTML from: JupyterLab would show that
        return {"text/plain": repr(self), "image/png": image, VEGA_LITE: drawing}, {"image/png": size}


class Figures(Mapping[str, Figure]):
    """The figures of a run by their names; a notebook shows them all."""

    def __init__(self, figures: Mapping[str, Figure]) -> None:
        self.figures = dict(figures)

    def __getitem__(self, name: str) -> Figure:
        if name in self.figures:
            return self.figures[name]
        hint = sentence(did_you_mean(name, self.figures), f"There are {listing(self.figures) or 'none'}.")
        raise spec.StudyError(Problem(f"there is no figure '{name}'", hint=hint))

    def __contains__(self, name: object) -> bool:
        return name in self.figures

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def __repr__(self) -> str:
        return f"Figures({', '.join(self.figures) or 'none'})"

    def _ipython_display_(self) -> None:
        """Shows each in turn, as it shows itself: one that can be zoomed so. An output of a cell holds one drawing."""
        from IPython.display import HTML, display

        if not self.figures:
            display(HTML(self._repr_html_()))
        for name, figure in self.figures.items():
            display(HTML(html.paragraph(name)), figure)

    def _repr_html_(self) -> str:
        shown = (html.paragraph(name) + figure.html for name, figure in self.figures.items())
        return "".join(shown) or html.paragraph("no figures", muted=True)


def figures_of(record: RunRecord, experiments: Mapping[str, Any], aside: Aside) -> Figures:
    """The figures in a run's folder; `experiments` are the models of the study's, by name."""
    names = dict.fromkeys(
        [*experiments, *(path.stem.partition(".")[0] for path in sorted(record.folder.glob("*.png")))]
    )
    found: dict[str, Figure] = {}
    for experiment in names:
        models = getattr(experiments.get(experiment), "figures", None) or {}
        for picture in pictures(record.folder, experiment, models, aside):
            name = f"{experiment}.{picture.name}"
            found[name] = Figure(name, record.folder / f"{name}.png", picture)
    return Figures(found)

"""Figures of every kind with as many series as are asked for, of numbers made by hand; and what clashes in a drawn figure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from dlspec import spec
from dlspec.interpreter.figures.draw import drawn
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec.diagnostics.problems import Source
from matplotlib.text import Text

COUNTS = (1, 8, 100)

STUDY = """dlspec: 1
study: drawn
experiments:
  e:
    constants: {rate: 1.0, d: 1}
    sweep: {rate: [RATES], d: [SIZES]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 100000, evaluate: {every: 10000, examples: 8}}
    measures: {error: E(f^2), gap: E(f), spectrum: "E([f^k for k < 12])", table: "E([f^(j + k) for j < 9, k < 12])"}
    replicates: 3
    variants: {VARIANTS}
    figures: {shown: FIGURE}
"""

ONE_PANEL = "where: d == 1"
FIGURES_OF: dict[str, tuple[str, str]] = {
    # name: the figure, and what there are many of
    "curves_of_variants": (f"{{kind: curves, y: error, scale: {{y: log}}, {ONE_PANEL}}}", "variants"),
    "curves_of_rates": (f"{{kind: curves, y: error, scale: {{x: log, y: log}}, {ONE_PANEL}}}", "rates"),
    "curves_in_panels": ("{kind: curves, y: [error, gap], panel: d, title: Two measures of a variant in panels of sizes}", "variants"),
    "curves_a_panel_each": ("{kind: curves, y: error, panel: d, scale: {y: log}}", "sizes"),
    "profile_of_variants": (f"{{kind: profile, y: spectrum, {ONE_PANEL}, reference: {{theory: 0.5}}}}", "variants"),
    "profile_of_rates": (f"{{kind: profile, y: spectrum, replicates: all, scale: {{y: log}}, {ONE_PANEL}}}", "rates"),
    "bars_of_variants": ("{kind: bars, y: error, panel: d, scale: {y: log}}", "variants"),
    "bars_of_rates": (f"{{kind: bars, y: [error, gap], {ONE_PANEL}}}", "rates"),
    "scaling_of_variants": ("{kind: scaling, x: d, y: error, fit: power, scale: {x: log, y: log}}", "variants"),
    "scaling_of_rates": ("{kind: scaling, x: d, y: error, colour: rate, scale: {x: log, y: log}}", "rates"),
    "scaling_over_many": ("{kind: scaling, x: rate, y: [error, gap], panel: variant, scale: {x: log}, where: d == 1}", "rates"),
    "heatmap_of_axes": ("{kind: heatmap, z: error, x: rate, y: d, scale: {z: log}}", "rates"),
    "heatmap_of_matrices": (f"{{kind: heatmap, z: table, {ONE_PANEL}}}", "variants"),
    "histogram_of_variants": (f"{{kind: histogram, y: spectrum, scale: {{x: log}}, {ONE_PANEL}}}", "variants"),
    "histogram_of_rates": ("{kind: histogram, y: [error, gap], panel: d, bins: 12}", "rates"),
    "function_of_labels": (f"{{kind: function, x: 'x[0]', y: {{LABELS}}, {ONE_PANEL}}}", "labels"),
    "examples_of_labels": (f"{{kind: examples, y: {{ARRAYS}}, steps: [0, 100000], {ONE_PANEL}}}", "labels"),
    "scatter_of_labels": (f"{{kind: scatter, y: {{POINTS}}, {ONE_PANEL}}}", "labels"),
    "scatter_of_cells": ("{kind: scatter, y: {data: 'x[:2]', samples: 'x[1:]'}, steps: [0, 100000], where: [d == 1, rate == 0.1]}", "variants"),
    "images_a_row_a_cell": ("{kind: images, image: 'outer(x, x)', rows: d, count: 4}", "sizes"),
    "images_of_cells": ("{kind: images, image: 'outer(x, x)', rows: 'x[0]', panel: d, count: 4}", "sizes"),
}  # fmt: skip
MANY_PANELS = ("heatmap_of_matrices", "curves_a_panel_each", "scatter_of_cells", "bars_of_variants")
"""Those that have a panel each: 100 of them take long."""


def made_figure(name: str, count: int) -> Any:
    """A figure of the table, drawn of so many series."""
    figure, many = FIGURES_OF[name]
    labels = [f"label {place}" for place in range(count if many == "labels" else 1)]
    for word, what in (("LABELS", "'x[1]'"), ("ARRAYS", "x"), ("POINTS", "'x[:2]'")):
        figure = figure.replace(word, ", ".join(f"{label}: {what}" for label in labels))
    variants = [f"method_{place}" for place in range(count if many == "variants" else 2)]
    rates = [float(f"{rate:.3g}") for rate in np.geomspace(1e-4, 1, count)] if many == "rates" else [0.1]
    sizes = list(range(1, count + 1)) if many == "sizes" else [1, 10, 100]
    text = STUDY.replace("FIGURE", figure).replace(
        "VARIANTS", ", ".join(f"{one}: {{seed: {n}}}" for n, one in enumerate(variants))
    )
    text = text.replace("RATES", ", ".join(map(str, rates))).replace("SIZES", ", ".join(map(str, sizes)))
    (plan,) = spec.resolve(spec.parse(Source("drawn.yaml", text))).experiments
    random = np.random.default_rng(0)
    replicates = []
    for number, program in enumerate(plan.programs):
        for seed in range(3):
            replicate = Replicate("e", program.variant, dict(program.point), seed, "")
            level = np.exp(random.normal(size=1)[0]) * program.point["d"] ** 0.7
            diverges = number % 9 == 4 and seed == 1
            for step in range(0, 40_000 if diverges else 100_001, 10_000):
                error = level * (0.01 + np.exp(-step / 3e4)) * (1 + 0.2 * random.random())
                array = level * 0.5 ** np.arange(12) * (1 + 0.1 * random.random(12)) + 1e-9
                replicate.record(step, {
                    "error": np.asarray(error), "gap": np.asarray(error - level), "spectrum": array,
                    "table": array * np.arange(1, 10)[:, None],
                })  # fmt: skip
            replicate.status = "diverged" if diverges else "done"
            for probe in program.probes:
                for step in probe.steps:
                    replicate.sample(
                        "shown",
                        step,
                        {label: _sample(random, label, term, probe.examples) for label, term in probe.terms.items()},
                    )
            replicates.append(replicate)
    return drawn(plan.figures[0], Results.of_plan(plan, replicates))


def _sample(random: np.random.Generator, label: str, term: Any, examples: int) -> Any:
    if label == "rows":
        return random.integers(0, 2, examples)
    return random.normal(size=(examples, *term.type.shape))


def texts(figure: Any) -> Iterator[tuple[Text, Any]]:
    """The texts that are seen, with their boxes in pixels."""
    renderer = figure.canvas.get_renderer()
    hidden = {
        id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _out_of_view(axis, axes)
    }
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden and _shown(text):
            yield text, text.get_window_extent(renderer)


def _out_of_view(axis: Any, axes: Any) -> Iterator[Any]:
    low, high = sorted(axis.get_view_interval())
    for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
        width = 1e-9 * max(abs(low), abs(high))
        inside = low - width <= tick.get_loc() <= high + width and axes.axison and axes.get_visible()
        for label in (tick.label1, tick.label2):
            if not inside or not label.get_visible():
                yield label


def _shown(artist: Any) -> bool:
    while artist is not None:
        if not artist.get_visible():
            return False
        artist = getattr(artist, "axes", None) if getattr(artist, "axes", None) is not artist else None
    return True


def clashes(figure: Any) -> list[str]:
    """The texts of a drawn figure that overlap each other or another panel's inside, or leave the figure."""
    figure.draw_without_rendering()
    every = list(texts(figure))
    width, height = figure.bbox.width, figure.bbox.height
    found = [
        f"leaves the figure: {text.get_text()!r} {box}" for text, box in every
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]  # fmt: skip
    boxes = [(text, box.shrunk(0.98, 0.9)) for text, box in every]
    boxes.sort(key=lambda one: one[1].x0)
    for place, (first, one) in enumerate(boxes):
        for second, other in boxes[place + 1 :]:
            if other.x0 >= one.x1:
                break
            if min(one.y1, other.y1) - max(one.y0, other.y0) > 0.5:
                found.append(f"overlap: {first.get_text()!r} and {second.get_text()!r}")
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.axison]
    for (text, box), axes in itertools.product(every, panels):
        inside = axes.get_window_extent()
        across = min(box.x1, inside.x1) - max(box.x0, inside.x0), min(box.y1, inside.y1) - max(box.y0, inside.y0)
        if min(across) > 1 and text not in axes.texts:
            found.append(f"in a panel: {text.get_text()!r}")
    return found


Clashes = Callable[[Any], list[str]]

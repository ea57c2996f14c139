"""What differs from cell to cell of an experiment, path by path, as it is written: for who lists cells beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ir.plan import ExperimentPlan
from ..model.layers import LayerDefaults
from .trees import experiment_tree, leaves, spell

Cell = tuple[str, tuple[tuple[str, Any], ...]]
"""A variant, and the sweep point."""
ABOUT_ALL = frozenset({"claims", "figures", "sweep", "variants", "zip"})


def cell_of(variant: str, point: Mapping[str, Any]) -> Cell:
    """A cell as a key."""
    return variant, tuple(point.items())


def differing_settings(plan: ExperimentPlan) -> dict[Cell, dict[str, str]]:
    """Of each cell the paths whose texts are not the same in all cells of the experiment, with its own text of each."""
    texts: dict[int, dict[str, str]] = {}
    for model in plan.models:
        if id(model) not in texts:
            tree = experiment_tree(model, LayerDefaults())
            texts[id(model)] = {".".join(path): spell(leaf) for path, leaf in leaves(tree) if path[0] not in ABOUT_ALL}
    every = list(texts.values())
    paths = dict.fromkeys(path for own in every for path in own)
    apart = [path for path in paths if len({own.get(path) for own in every}) > 1]
    cells = zip(plan.programs, plan.models, strict=True)
    return {
        cell_of(program.variant, program.point): {
            path: texts[id(model)][path] for path in apart if path in texts[id(model)]
        }
        for program, model in cells
    }


def measure_words(plan: ExperimentPlan) -> dict[str, str]:
    """What each measure is, as it is written; of one that is written in several ways the first."""
    words: dict[str, dict[str, str]] = {}
    for model in {id(model): model for model in plan.models}.values():
        tree = experiment_tree(model, LayerDefaults())
        own: dict[str, dict[str, str]] = {}
        for (part, *rest), leaf in leaves(tree):
            if part == "measures" and (*rest[1:], spell(leaf)) not in (("on", "test"), ("mode", "inference")):
                own.setdefault(rest[0], {})[".".join(rest[1:])] = spell(leaf)
        words = {**own, **words}
    return {
        name: ", ".join(text if key in ("", "of") else f"{key}: {text}" for key, text in parts.items())
        for name, parts in words.items()
    }

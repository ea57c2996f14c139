"""A run of the command whose replicates are made by hand instead of trained, and what is put in the place of its parts."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

STUDY = """\
dlspec: 1
study: small
experiments:
  e:
    constants: {d: 1}
    sweep: {d: [1, 2]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), s: E(x^2), p: "E(outer(x, x))"}
    claims:
      small: {says: It is small., check: final(error) < 10}
      large: {says: It is large., check: final(error) > 10}
    figures:
      curves: {kind: curves, y: error}
      bars: {kind: bars, y: error}
      scaling: {kind: scaling, x: d, y: error}
      function: {kind: function, x: "x[0]", y: {learnt: f}}
      examples: {kind: examples, y: {one: x}}
      images: {kind: images, image: "outer(x, x)"}
      scatter: {kind: scatter, y: {one: "x[0:2]"}}
      profile: {kind: profile, y: s}
      heatmap: {kind: heatmap, z: p}
      histogram: {kind: histogram, y: s}
"""
SAMPLES = {
    "function": {"x": np.arange(3.0), "y:learnt": np.arange(3.0)},
    "examples": {"y:one": np.ones((3, 3))},
    "images": {"image": np.ones((8, 3, 3))},
    "scatter": {"y:one": np.ones((8, 2))},
}


def fails(*_: Any, **__: Any) -> Any:
    """What is put in the place of a part."""
    raise RuntimeError("broken on purpose\nand more")


def put(monkeypatch: pytest.MonkeyPatch, place: str, value: Any) -> None:
    """Puts something in the place of what a module holds: `figures.draw save`; modules bear names of functions, too."""
    module, _, name = place.partition(" ")
    found = importlib.import_module(f"dlspec.interpreter.{module}")
    *path, last = name.split(".")
    for part in path:
        found = getattr(found, part)
    monkeypatch.setattr(found, last, value)


def whole(out: str, folder: Path | None) -> None:
    """The table, both verdicts and the data of both are there."""
    assert "0.143" in out and "~ seen" in out and "✗ fails" in out
    assert folder is not None
    claims = json.loads((folder / "claims.json").read_text("utf-8"))
    assert [claim["verdict"] for claim in claims] == ["seen", "fails"]
    assert len(json.loads((folder / "cells.json").read_text("utf-8"))) == 2
    assert json.loads((folder / "run.json").read_text("utf-8"))["verdicts"] == {"seen": 1, "fails": 1}


def pictures(folder: Path) -> set[str]:
    return {path.stem.removeprefix("e.") for path in folder.glob("*.png")}

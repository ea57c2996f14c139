"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store.requests import ReplicateBatch
from dlspec.interpreter.tracking import opened
from dlspec.interpreter.tracking.tensorboard import MAX_FOLDER_NAME, place
from dlspec.spec.ir.plan import StudyPlan

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed"
)


def read(folder: Path) -> Any:
    """A run of TensorBoard's, its file read to the end."""
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def test_curves_and_figures_are_read_back(
    plan: StudyPlan, batch: ReplicateBatch, measured: Callable[..., Any], ended: Callable[..., Any], tmp_path: Path
) -> None:
    from matplotlib.figure import Figure

    tracking = opened(plan, tmp_path, "small-1", True, None, pytest.fail)
    tracking.evaluated(batch, 0, measured(0))
    tracking.evaluated(batch, 10, measured(10))
    tracking.ended(ended(early=10))
    run = tmp_path / "small-1-2"
    run.mkdir()
    Figure(figsize=(3, 2), dpi=50).savefig(run / "line.fall.png")
    tracking.conclude({}, run, ["line.fall.png", "line.fall.svg"], [])
    tracking.close()
    root = tmp_path / "tensorboard" / "small-1-2"
    assert {path.parent.relative_to(root).as_posix() for path in root.rglob("events.*")} == {
        "line/rate=0.1/replicate_0", "line/rate=0.1/replicate_1", "figures",
    }  # fmt: skip
    first, second = (read(root / "line" / "rate=0.1" / f"replicate_{number}") for number in range(2))
    assert first.Tags()["scalars"] == second.Tags()["scalars"] == ["error", "pair/0", "pair/1"]
    assert [(event.step, event.value) for event in first.Scalars("error")] == [
        (step, float(np.float32(1 / (step + 1)))) for step in (0, 10, 20, 30, 40)
    ]
    assert [(event.step, event.value) for event in second.Scalars("pair/1")] == [
        (0, -2),
        (10, float(np.float32(-2 / 11))),
    ]
    figures = read(root / "figures")
    assert figures.Tags()["tensors"] == ["line/fall"]
    told = "It falls\n\nBoth rates fall.\n\n`error`: `E(f^2)`\n\n`pair[1]`: `[E(f), E(f^2)]`"
    assert figures.SummaryMetadata("line/fall").summary_description == told
    assert figures.SummaryMetadata("line/fall").plugin_data.plugin_name == "images"
    (image,) = figures.Tensors("line/fall")
    assert list(image.tensor_proto.string_val) == [b"150", b"100", (run / "line.fall.png").read_bytes()]


def test_points_are_on_the_disk_at_once(
    plan: StudyPlan, batch: ReplicateBatch, measured: Callable[..., Any], tmp_path: Path
) -> None:
    tracking = opened(plan, tmp_path, "small-1", True, None, pytest.fail)
    tracking.evaluated(batch, 0, measured(0))
    seen = threading.Event()
    tracking.events.put(lambda told: seen.set())
    assert seen.wait(60)
    found = read(tmp_path / "tensorboard" / "small-1" / "line" / "rate=0.1" / "replicate_0")
    assert [(event.step, event.value) for event in found.Scalars("error")] == [(0, 1)]
    tracking.close()


def test_settings_and_meanings_are_read_back(plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path) -> None:
    from tensorboard.plugins.hparams.metadata import parse_session_end_info_plugin_data as end
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data as start

    tracking = opened(plan, tmp_path, "small-1", True, None, pytest.fail)
    tracking.ended(ended(early=10))
    tracking.close()
    for number, status in ((0, 1), (1, 2)):
        held = read(tmp_path / "tensorboard" / "small-1" / "line" / "rate=0.1" / f"replicate_{number}")
        assert held.SummaryMetadata("error").summary_description == "`E(f^2)`"
        content = held.PluginTagToContent("hparams")
        settings = start(content["_hparams_/session_start_info"]).hparams
        assert settings["rate"].number_value == 0.1 and settings["experiment"].string_value == "line"
        assert end(content["_hparams_/session_end_info"]).status == status


def test_a_cell_has_a_folder_of_its_own() -> None:
    def named(variant: str, **constants: Any) -> str:
        return place(Replicate("e", variant, constants, 3, "")).as_posix()

    assert named("deep", rate=0.1, d=5) == "e/deep/rate=0.1,d=5/replicate_3"
    assert named("") == "e/replicate_3"
    assert named("", way="../../x").count("/") == 2 and named("", way="a/b") != named("", way="a b")
    long = named("", sizes=tuple(range(100)))
    assert long != named("", sizes=tuple(range(101))) and max(map(len, long.split("/"))) <= MAX_FOLDER_NAME


def test_writing_loads_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from dlspec.interpreter.tracking.tensorboard import TensorBoard\n"
        "from dlspec.interpreter.results.replicates import Replicate\n"
        "board = TensorBoard(pathlib.Path(sys.argv[1]), 'r'); board.begin()\n"
        "board.progressed(Replicate('e', '', {}, 0, '', key='k'), [(0, {'m': 1.0})]); board.close()\n"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "events"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "False"

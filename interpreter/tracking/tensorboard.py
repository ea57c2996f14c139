"""TensorBoard's event files: a folder a replicate, written while it runs, and one for the figures. Needs no TensorFlow."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.spec.ir.plan import StudyPlan

from ..results.replicates import DONE, Replicate
from .extras import needs
from .hparams import session_end, session_start
from .settings import Settings

if TYPE_CHECKING:
    from ..results.verdicts import Verdict

MAX_FOLDER_NAME = 120
"""How many letters a folder's name has at most."""
FIGURES = "figures"


class TensorBoard:
    """Writes `ROOT/TITLE/EXPERIMENT/VARIANT/CONSTANTS/replicate_N`, so that a replicate is a run there; raises OSError.

    Files are records of protocol buffers, as TensorFlow's documentation of TFRecord and its `event.proto` say.
    """

    def __init__(self, root: Path, title: str, plan: StudyPlan | None = None) -> None:
        needs("tensorboard", "TensorBoard", "--tensorboard")
        self.folder = root / title
        self.settings = Settings(plan) if plan is not None else None
        self.open: dict[str, Any] = {}
        self.described: set[tuple[str, str]] = set()

    def begin(self) -> None:
        """Makes the run's folder."""
        self.folder.mkdir(parents=True)

    def progressed(self, replicate: Replicate, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Adds points to a replicate's curves; they are in the file at once."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        if replicate.name not in self.open:
            self.open[replicate.name] = _file(self.folder / place(replicate))
            if self.settings is not None:
                _add(
                    self.open[replicate.name],
                    0,
                    session_start(place(replicate).as_posix(), self.settings.of(replicate)),
                )
        for step, numbers in points:
            values = [self._value(replicate, tag, value) for tag, value in numbers.items()]
            _add(self.open[replicate.name], step, Summary(value=values))
        self.open[replicate.name].flush()

    def _value(self, replicate: Replicate, tag: str, value: float) -> Any:
        """A point; the first of a curve says what its measure is."""
        from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_SCALAR, Summary, SummaryMetadata

        text = self.settings.meaning(replicate.experiment, tag.split("/")[0]) if self.settings is not None else ""
        if not text or (replicate.name, tag) in self.described:
            return Summary.Value(tag=tag, simple_value=value)
        self.described.add((replicate.name, tag))
        scalars = SummaryMetadata.PluginData(plugin_name="scalars")
        metadata = SummaryMetadata(summary_description=f"`{text}`", plugin_data=scalars, data_class=DATA_CLASS_SCALAR)
        return Summary.Value(tag=tag, simple_value=value, metadata=metadata)

    def ended(self, replicate: Replicate) -> None:
        """Says how a replicate ended, and closes its file: no more are open than replicates run."""
        if replicate.name in self.open:
            if self.settings is not None:
                _add(self.open[replicate.name], 0, session_end(replicate.status == DONE))
            self.open.pop(replicate.name).close()

    def conclude(self, folder: Path, figures: Sequence[Path], verdicts: Sequence[Verdict]) -> None:
        """Adds the figures, and takes the run's name if it got another one."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.image.metadata import create_summary_metadata

        if figures:
            file = _file(self.folder / FIGURES)
            for path in figures:
                image, tag = path.read_bytes(), path.stem.replace(".", "/")
                sizes = (int.from_bytes(image[at : at + 4]) for at in (16, 20))  # width and height, of a PNG's header
                # The older form of an image loses its description on TensorBoard's way to the page.
                shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=3)])
                parts = [*(str(size).encode() for size in sizes), image]
                shown = TensorProto(dtype=DT_STRING, tensor_shape=shape, string_val=parts)
                text = self.settings.figure(*path.stem.split(".", 1)) if self.settings is not None else ""
                told = create_summary_metadata(tag, text)
                _add(file, 0, Summary(value=[Summary.Value(tag=tag, tensor=shown, metadata=told)]))
            file.close()
        if folder.name != self.folder.name:
            self.folder = self.folder.rename(self.folder.with_name(folder.name))

    def close(self) -> None:
        """Closes what is open still."""
        while self.open:
            self.open.popitem()[1].close()


def place(replicate: Replicate) -> Path:
    """Where a replicate's curves lie: `staircase/forward_only/replicate_0`, `line/rate=0.1/replicate_2`."""
    point = ",".join(f"{name}={value}" for name, value in replicate.constants.items())
    return Path(
        *[_word(part) for part in (replicate.experiment, replicate.variant, point) if part],
        f"replicate_{replicate.number}",
    )


def _word(text: str) -> str:
    """A text as a folder's name; a long one is cut, and told from others by its digest."""
    plain = re.sub(r"[^\w=.,+-]", "_", text)
    if plain == text and len(text) <= MAX_FOLDER_NAME:
        return text
    return f"{plain[: MAX_FOLDER_NAME - 9]}-{sha256(text.encode()).hexdigest()[:8]}"


def _file(folder: Path) -> Any:
    """A new event file, with the record that every one begins with."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.0.v2"
    writer = RecordWriter((folder / name).open("wb"))
    writer.write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
    return writer


def _add(writer: Any, step: int, summary: Any) -> None:
    from tensorboard.compat.proto.event_pb2 import Event

    writer.write(Event(wall_time=time.time(), step=step, summary=summary).SerializeToString())

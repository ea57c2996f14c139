"""A folder of images by class: a folder for each class, in it an image for each example, read by Pillow.

Its columns are the images, the number of each one's class, in the order of the classes' names, that name, and the path within the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import listing, problem_at
from .arrays import CUT
from .places import ALLOWED
from .row_access import READ_AT_ONCE, Array
from .values import Facts, Values, WholeColumns, file_problem, of_array

NAMES = ("image", "label", "label_name", "path")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini")
FORM = "A folder of images holds one folder per class, and these hold only images."


def pillow() -> Any:
    """Pillow's module of images. Raises StudyError where it is not installed."""
    try:
        return import_module("PIL.Image")
    except ImportError:
        raise problem_at(
            None, "images are read by Pillow, which is not installed", "`pip install dlspec[images]`"
        ) from None


class ImageFolder(WholeColumns):
    """The images of a folder, in the order of their paths."""

    names = NAMES

    def __init__(self, path: Path) -> None:
        """Raises StudyError where it is none: without classes, with other files among the images, with images outside."""
        self.path = path
        within = path.resolve()
        classes = [entry for entry in _entries(path) if entry.is_dir()]
        beside = [entry.name for entry in _entries(path) if entry.suffix.lower() in SUFFIXES and not entry.is_dir()]
        if beside:
            raise file_problem(path, f"has images beside the folders of its classes: {listing(beside, 3)}", FORM)
        self.files: list[Path] = []
        labels: list[int] = []
        for label, folder in enumerate(classes):
            images = _entries(folder)
            for image in images:
                shown = image.relative_to(path)
                if image.suffix.lower() not in SUFFIXES or image.is_dir():
                    raise file_problem(
                        path,
                        f"holds {shown}, which is not named like an image",
                        f"{FORM} Known are {', '.join(SUFFIXES)}.",
                    )
                if not image.resolve().is_relative_to(within) and os.environ.get(ALLOWED) != "1":
                    hint = "Copy it there, or use `--allow-data`."
                    raise file_problem(path, f"{shown} is outside the folder", hint)
            if not images:
                raise file_problem(path, f"the class {folder.name} has no image", "Remove its folder, or fill it.")
            self.files += images
            labels += [label] * len(images)
        if not self.files:
            raise file_problem(path, "holds no images", FORM)
        self.labels = np.asarray(labels, np.uint8 if len(classes) <= 256 else np.int32)

    def facts(self) -> Mapping[str, Facts] | None:
        """What the first image says, and how many there are."""
        rows, last = len(self.files), int(self.labels[-1])
        facts = {name: Facts(self._rows(name, 0, 1), rows) for name in NAMES}
        return facts | {"label": Facts(of_array(self.labels[:1]), rows, 0, last)}

    def read(self, name: str) -> Values:
        """One of its columns. Raises StudyError for an image that cannot be read, or is of another form than the first."""
        return self._rows(name, 0, len(self.files))

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, so many images at a time."""
        each = len(self.files)
        if name == "image":
            each = max(1, READ_AT_ONCE // self._image(self.files[0]).nbytes)
        for first in range(0, len(self.files), each):
            yield self._rows(name, first, min(len(self.files), first + each))

    def _rows(self, name: str, first: int, end: int) -> Values:
        files = self.files[first:end]
        if name == "image":
            return of_array(self._images(files))
        if name == "label":
            return of_array(self.labels[first:end])
        texts = [file.parent.name if name == "label_name" else file.relative_to(self.path).as_posix() for file in files]
        return Values(np.asarray(texts, object), "text")

    def _images(self, files: list[Path]) -> Array:
        like = self._image(self.files[0])
        images = np.empty((len(files), *like.shape), like.dtype)
        for place, file in enumerate(files):
            image = self._image(file)
            if (image.shape, image.dtype) != (like.shape, like.dtype):
                shown, other = file.relative_to(self.path), self.files[0].relative_to(self.path)
                message = f"{shown} is an image of {_form(image)}, and {other} one of {_form(like)}"
                raise file_problem(self.path, message, "Make them alike: of one size, and of as many channels.")
            images[place] = image
        return images

    def _image(self, file: Path) -> Array:
        with self._explained(file), pillow().open(file) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise ValueError("it has several frames")
            if image.mode in ("P", "PA", "1"):  # numbers of colours, and bits: what they stand for
                image = image.convert("L" if image.mode == "1" else "RGBA" if "transparency" in image.info else "RGB")
            return np.asarray(image)

    @contextmanager
    def _explained(self, file: Path) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, SyntaxError, EOFError, pillow().DecompressionBombError) as error:
            message = f"{file.relative_to(self.path)} cannot be read as an image: {error}"
            raise file_problem(self.path, message, CUT) from None


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, by name, but for what is hidden."""
    found = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted((entry for entry in found if entry.name.lower() not in LEFT_BY_SYSTEMS), key=lambda entry: entry.name)


def _form(image: Array) -> str:
    return f"shape {list(image.shape)} in {image.dtype.name}"


def state(folder: Path) -> tuple[list[tuple[str, int, int]], float]:
    """The files of a folder with their sizes and times, and when the last was written. Raises OSError."""
    found, last = [], folder.stat().st_mtime
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            status = os.stat(os.path.join(above, name))
            found.append((os.path.relpath(os.path.join(above, name), folder), status.st_size, status.st_mtime_ns))
            last = max(last, status.st_mtime)
    return found, last

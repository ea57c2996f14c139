"""Folders of images by class, against Pillow: read as they are stored, or refused with the image and the reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.data_files import heads
from dlspec.spec.data_files import survey as surveys
from dlspec.spec.data_files.heads_alone import heads_alone
from dlspec.spec.data_files.places import ALLOWED
from dlspec.spec.data_files.survey import open_file, survey
from dlspec.spec.diagnostics.problems import Source, StudyError
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)
PATHS = ("cat/a.png", "cat/b.png", "cat/c.png", "dog/1.png", "dog/2.png", "elk/x.png")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(surveys, "SETTLED", -1.0)
    for path, pixels in zip(PATHS, PIXELS, strict=True):
        (tmp_path / "pets" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "pets" / path)
    (tmp_path / "pets" / "README.txt").write_text("About them.")
    (tmp_path / "pets" / "cat" / ".DS_Store").write_bytes(b"0")
    return tmp_path / "pets"


def refusal(folder: Path) -> str:
    with pytest.raises(StudyError) as caught:
        survey(folder)
    (problem,) = caught.value.problems
    assert problem.hint
    return problem.message


def test_images_are_examples_and_folders_their_classes(folder: Path) -> None:
    columns = survey(folder).columns
    assert {name: (column.kind, column.shape, column.rows) for name, column in columns.items()} == {
        "image": ("int", (4, 5, 3), 6), "label": ("int", (), 6), "label_name": ("text", (), 6), "path": ("text", (), 6),
    }  # fmt: skip
    assert columns["label"].classes == {"0": 3, "1": 2, "2": 1}
    opened = open_file(folder)
    np.testing.assert_array_equal(opened.read("image").values, PIXELS)
    assert opened.read("path").values.tolist() == list(PATHS)
    text = """
dlspec: 1
study: t
experiments:
  e:
    task: {data: {file: pets, train: 3, stratify: label}, example: {x: pets.image / 255, y: pets.label}}
    architecture: {f: {input: x, layers: [flatten, dense: 3]}}
    loss: {f: "cross_entropy(f, y)"}
    training: {optimizer: {sgd: 0.1}, batch: 3, steps: 3}
    measures: {f: "E(cross_entropy(f, y))"}
"""
    plan = spec.resolve(spec.parse(Source(str(folder.parent / "t.yaml"), text)))
    (program,) = plan.experiments[0].programs
    assert (program.data.train, program.data.test) == (3, 3)


def test_heads_and_what_is_remembered_follow_the_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LARGE", 100)
    with heads_alone():
        of_head = survey(folder).columns
        assert (of_head["image"].shape, of_head["image"].rows, of_head["label"].high) == ((4, 5, 3), 6, 2)
    before = survey(folder)
    shutil.move(folder, folder.with_name("moved"))
    moved = folder.with_name("moved")
    assert survey(moved).columns["image"].checksum == before.columns["image"].checksum
    Image.fromarray(255 - PIXELS[5]).save(moved / "elk" / "x.png")
    assert survey(moved).columns["image"].checksum != before.columns["image"].checksum


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "I;16"])
def test_images_are_as_they_are_stored(folder: Path, mode: str) -> None:
    shape = {"RGBA": (4, 5, 4), "P": (4, 5, 3)}.get(mode, (4, 5))
    for path, pixels in zip(PATHS, PIXELS, strict=True):
        image = (
            Image.fromarray(pixels[..., 0].astype(np.uint16) * 200)
            if mode == "I;16"
            else Image.fromarray(pixels).convert(mode)
        )
        image.save(folder / path)
    column = survey(folder).columns["image"]
    assert (column.shape, column.problem) == (shape, "")
    if mode == "I;16":
        assert column.high is not None and column.high > 255
    if mode == "1":
        assert (column.low, column.high) == (0, 255)


def test_folders_that_lie_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (folder / "dog/2.png").read_bytes()
    for data in (whole[:60], b"", b"GIF8", b"no image"):
        (folder / "dog/2.png").write_bytes(data)
        assert "dog/2.png cannot be read as an image" in refusal(folder)
    Image.fromarray(PIXELS[4][:3]).save(folder / "dog/2.png")
    assert refusal(folder) == (
        "pets: dog/2.png is an image of shape [3, 5, 3] in uint8, and cat/a.png one of shape [4, 5, 3] in uint8"
    )
    frames = [Image.fromarray(pixels) for pixels in PIXELS[:2]]
    (folder / "dog/2.png").unlink()
    frames[0].save(folder / "dog/2.gif", save_all=True, append_images=frames[1:])
    assert "dog/2.gif cannot be read as an image: it has several frames" in refusal(folder)
    (folder / "dog/2.gif").rename(folder / "dog/2.txt")
    assert "holds dog/2.txt, which is not named like an image" in refusal(folder)
    (folder / "dog/2.txt").unlink()
    (folder.parent / "secret.png").write_bytes(whole)
    (folder / "dog/3.png").symlink_to(folder.parent / "secret.png")
    assert "dog/3.png is outside the folder" in refusal(folder)
    monkeypatch.setenv(ALLOWED, "1")
    assert survey(folder).columns["image"].rows == 6
    (folder / "new").mkdir()
    assert "the class new has no image" in refusal(folder)
    (folder / "new").rmdir()
    (folder / "top.png").write_bytes(whole)
    assert "has images beside the folders of its classes: top.png" in refusal(folder)
    shutil.rmtree(folder)
    folder.mkdir()
    assert "holds no images" in refusal(folder)

"""Large images are smaller on a page, and show the same; small ones stay as they are."""

from __future__ import annotations

import io

import numpy as np
from dlspec.interpreter.report.small_images import LARGE_BYTES, SHOWN, small_image
from PIL import Image


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_a_small_one_stays() -> None:
    content = png(np.zeros((60, 90, 3), np.uint8))
    assert small_image(content) == ("png", content)


def test_a_large_one_has_the_size_that_it_is_shown_in() -> None:
    random = np.random.default_rng(0)
    image = np.repeat(np.repeat(random.integers(0, 255, (200, 300, 3), np.uint8), 3, 0), 3, 1)
    image[::2] ^= random.integers(0, 8, image[::2].shape, np.uint8)
    content = png(image)
    kind, made = small_image(content)
    shown = Image.open(io.BytesIO(made))
    assert len(content) > LARGE_BYTES and kind == "webp" and len(made) < len(content) / 2
    assert shown.size == (round(900 / SHOWN), round(600 / SHOWN))
    assert abs(np.asarray(shown, float).mean() - image.mean()) < 3


def test_one_that_is_too_long_for_the_format_stays() -> None:
    random = np.random.default_rng(0)
    content = png(random.integers(0, 255, (30_000, 6, 3), np.uint8))
    assert len(content) > LARGE_BYTES and small_image(content) == ("png", content)

"""Images of many panels, made small enough for a page: no larger than they are shown, and compressed for the eye."""

from __future__ import annotations

import io

from PIL import Image

LARGE_BYTES = 300_000
"""Up to which size a PNG stays as it is."""
SHOWN = 1.5
"""How many pixels of a file go on one of the page."""
QUALITY = 60
MAX_SIDE = 16_383
"""How wide and how high a WebP is at most."""


def small_image(content: bytes) -> tuple[str, bytes]:
    """The kind and the bytes of a PNG as it is shown on a page: itself where it is small already."""
    if len(content) <= LARGE_BYTES:
        return "png", content
    image = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = (max(1, round(side / SHOWN)) for side in image.size)
    if max(width, height) > MAX_SIDE:
        return "png", content
    file = io.BytesIO()
    image.resize((width, height), Image.Resampling.BOX).save(file, "WEBP", quality=QUALITY, method=2)
    made = file.getvalue()
    return ("webp", made) if len(made) < len(content) else ("png", content)

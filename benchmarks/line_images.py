"""Images of lines, in the terms that NumPy, JAX and PyTorch share: a line and a pixel meet when no axis separates them."""

from __future__ import annotations

from typing import Any


def line_images(np: Any, theta: Any, length: Any, centre: Any, size: int) -> Any:
    """Images [..., size, size] of lines by their angle, length [...] and centre [..., 2] in pixels, y upwards.

    `np` is NumPy, or a module with its names.
    """
    cosine, sine, half = np.cos(theta)[..., None], np.sin(theta)[..., None], length[..., None] / 2
    places = np.arange(size)
    x, y = places - centre[..., :1], (size - 1 - places) - centre[..., 1:]
    near_x, near_y = np.abs(x) <= half * np.abs(cosine) + 0.5, np.abs(y) <= half * np.abs(sine) + 0.5
    off = x[..., None, :] * sine[..., None] - y[..., :, None] * cosine[..., None]
    reach = (np.abs(sine) + np.abs(cosine))[..., None] / 2
    return (near_x[..., None, :] & near_y[..., :, None] & (np.abs(off) <= reach)) * (theta * 0 + 1)[..., None, None]

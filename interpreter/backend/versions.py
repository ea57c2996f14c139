"""The packages that a cell's numbers may depend on."""

from __future__ import annotations

from importlib.metadata import version

PACKAGES = ("dlspec", "tensorflow", "keras", "numpy")


def versions() -> dict[str, str]:
    """Their versions by name. Raises PackageNotFoundError."""
    return {name: version(name) for name in PACKAGES}

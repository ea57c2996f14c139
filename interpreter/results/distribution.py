"""What this installation is: the whole of dlspec, or the small distribution that only checks studies."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

WHOLE, SMALL = "dlspec", "dlspec-check"


def dlspec_version() -> str:
    """The version that is installed; both distributions share it."""
    try:
        return version(WHOLE)
    except PackageNotFoundError:
        return version(SMALL)

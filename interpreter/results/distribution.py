"""What this installation is: the whole of dlspec, or the small distribution that only checks studies."""

from __future__ import annotations

from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata

WHOLE, SMALL = "dlspec", "dlspec-check"


def dlspec_version() -> str:
    """The version that is installed; both distributions share it."""
    return _metadata()["Version"]


def home_page() -> str:
    """The address that a release names as its home page (`[project.urls]`); empty where it names none."""
    urls = (entry.partition(", ") for entry in _metadata().get_all("Project-URL") or ())
    return next((address for label, _, address in urls if label.lower() in ("homepage", "home page")), "")


def _metadata() -> PackageMetadata:
    try:
        return metadata(WHOLE)
    except PackageNotFoundError:
        return metadata(SMALL)

"""Writes the repository that pre-commit takes the hooks from: the small distribution with its own copy of the sources.

pre-commit installs a repository from its root, and dlspec's root is the whole of it, with TensorFlow. At each release:

    git clone https://github.com/OWNER/dlspec-check && python check/mirror.py dlspec-check
    cd dlspec-check && git add --all && git commit -m v0.1.0 && git tag v0.1.0 && git push --follow-tags
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

CHECK = Path(__file__).parent
ROOT = CHECK.parent
BESIDE = (".pre-commit-hooks.yaml", "README.md")
SOURCES = ("*.py", "*.lark", "py.typed")


def mirror(folder: Path) -> None:
    """Fills a folder that is new, empty or an older mirror, whose files go, but for git's own. Raises FileExistsError for another."""
    folder.mkdir(parents=True, exist_ok=True)
    held = [path for path in folder.iterdir() if path.name != ".git"]
    if held and not _is_mirror(folder):
        raise FileExistsError(f"{folder} holds other files: give an empty folder, or a clone of the mirror")
    for old in held:
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    text = (CHECK / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(text.replace('"../', '"'), "utf-8")
    for name in BESIDE:
        shutil.copy(CHECK / name, folder)
    shutil.copy(ROOT / "LICENSE", folder)
    setup = tomllib.loads(text)["tool"]["setuptools"]
    top = setup["package-dir"]["dlspec"].removeprefix("../")
    for package in setup["packages"]:
        source = ROOT.joinpath(*package.split(".")[1:]) if package != "dlspec" else ROOT / top
        place = folder / source.relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        for pattern in SOURCES:
            for file in source.glob(pattern):
                shutil.copy(file, place)


def _is_mirror(folder: Path) -> bool:
    try:
        name = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(name == tomllib.loads((CHECK / "pyproject.toml").read_text("utf-8"))["project"]["name"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python check/mirror.py FOLDER")
    try:
        mirror(Path(sys.argv[1]))
    except FileExistsError as error:
        sys.exit(str(error))

"""Figures come out the same whatever the environment says of matplotlib."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
from pathlib import Path
from dlspec.interpreter.figures.canvas import panels, save, style
with style():
    figure, (axes,) = panels(1)
    axes.plot([1, 2], [3, 4], label="a_b")
    axes.set_title("$x^2$")
    axes.legend()
    save(figure, [Path("out.png"), Path("out.svg")])
"""
BAD = "backend: nosuch\ntext.usetex: True\nfont.family: NoSuchFont\nfont.size: 40\nnonsense\nlines.linewidth: x\n"


def drawn(folder: Path, before: str = "", **environment: str) -> tuple[str, str, str]:
    """The digests of both images, and what was said, of a process of its own."""
    own = {**os.environ, "MPLCONFIGDIR": str(folder / "none"), **environment}
    done = subprocess.run(
        [sys.executable, "-c", before + DRAW], cwd=folder, env=own, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    images = [hashlib.sha256((folder / f"out.{end}").read_bytes()).hexdigest() for end in ("png", "svg")]
    return images[0], images[1], done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """As it comes where nothing is set."""
    return drawn(tmp_path_factory.mktemp("plain"))


def test_the_backend_of_a_notebook(plain: tuple[str, str, str], tmp_path: Path) -> None:
    assert drawn(tmp_path, MPLBACKEND="module://matplotlib_inline.backend_inline") == plain
    assert plain[2] == ""


@pytest.mark.parametrize(
    ("content", "backends"),
    [(BAD.encode(), ("", "", "")), (b"\xff\xfe\x00", ("module://no.such.module", "nosuch", "tkagg"))],
)
def test_any_settings_of_the_user(
    content: bytes, backends: tuple[str, str, str], plain: tuple[str, str, str], tmp_path: Path
) -> None:
    """In the working folder, where matplotlib looks first; named by the environment; in the user's own folder.

    Settings that name a backend stand alone, those that cannot be read beside a backend of the environment.
    """
    (tmp_path / "home").mkdir()
    places = (
        ("matplotlibrc", {}),
        ("named", {"MATPLOTLIBRC": str(tmp_path / "named")}),
        ("home/matplotlibrc", {"MPLCONFIGDIR": str(tmp_path / "home")}),
    )
    for (place, environment), backend in zip(places, backends, strict=True):
        (tmp_path / place).write_bytes(content)
        chosen = {"MPLBACKEND": backend} if backend else {}
        assert drawn(tmp_path, **environment, **chosen) == plain
        (tmp_path / place).unlink()


def test_settings_that_were_made_before(plain: tuple[str, str, str], tmp_path: Path) -> None:
    """A notebook has matplotlib loaded, and set up in its way, before dlspec draws."""
    before = (
        "import matplotlib\nmatplotlib.rcParams.update({'text.usetex': True, 'font.size': 40, 'axes.grid': False})\n"
    )
    assert drawn(tmp_path, before) == plain


def test_what_is_set_stays_set_for_others(tmp_path: Path) -> None:
    code = DRAW + "\nimport os\nassert os.environ['MPLBACKEND'] == 'svg' and os.path.exists('.')\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "MPLBACKEND": "svg"}, timeout=120
    )
    assert done.returncode == 0


def test_whoever_else_runs_meanwhile_sees_nothing_of_it(tmp_path: Path) -> None:
    """Neither other threads nor what is written in C, which reads the process's environment itself."""
    code = (
        "import ctypes, os, threading\nfrom dlspec.interpreter.figures import load_matplotlib\n"
        "get = ctypes.CDLL(None).getenv\nget.restype = ctypes.c_char_p\nseen = []\n"
        "def look():\n    seen.append((os.environ['MPLBACKEND'], os.path.exists('matplotlibrc'), get(b'MPLBACKEND')))\n"
        "    os.environ['SET_MEANWHILE'] = 'yes'\n"
        "with load_matplotlib._as_it_comes():\n"
        "    own = os.environ.get('MPLBACKEND'), os.environ['MATPLOTLIBRC'], os.path.exists('matplotlibrc')\n"
        "    thread = threading.Thread(target=look)\n    thread.start()\n    thread.join()\n"
        "assert own == (None, os.devnull, False), own\n"
        "assert seen == [('svg', True, b'svg')] and os.environ['SET_MEANWHILE'] == 'yes', seen\n"
        "look()\nassert seen[0] == seen[1] and 'MATPLOTLIBRC' not in os.environ\n"
    )
    (tmp_path / "matplotlibrc").touch()
    environment = {name: value for name, value in os.environ.items() if name != "MATPLOTLIBRC"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**environment, "MPLBACKEND": "svg"}, timeout=120
    )
    assert done.returncode == 0

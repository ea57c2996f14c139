"""Imports point one way: `spec/` starts without TensorFlow and the interpreter, which sees no YAML and no Lark."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "matplotlib", "rich", "typer", "dlspec.interpreter")
USE = f"""
from dlspec import spec
document = spec.load({str(ROOT / "examples/flat.yaml")!r})
assert spec.resolve(document).experiments[0].programs
spec.validate(document)
"""


def loaded(code: str) -> set[str]:
    """Which of the heavy packages are loaded in a fresh process once it has run some code."""
    report = f"import sys\n{code}\nprint('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    first, *names = done.stdout.splitlines()[-1].split()
    assert first == "loaded"
    return set(names)


def test_the_front_end_loads_nothing_heavy() -> None:
    assert loaded("import dlspec.spec") == set()
    assert (
        loaded(USE + "\nimport dlspec.spec.model.json_schema, dlspec.spec.model.reference, dlspec.spec.new_study")
        == set()
    )


def test_the_wall_can_fail() -> None:
    """The twin: a process that does load such packages is found out."""
    assert loaded("import matplotlib") == {"matplotlib"}
    assert {"dlspec.interpreter", "matplotlib"} <= loaded("import dlspec.interpreter.results.replicates, matplotlib")


def modules(folder: str) -> list[Path]:
    """The sources of a package."""
    return sorted((ROOT / folder).rglob("*.py"))


def imported(source: str, package: tuple[str, ...]) -> set[str]:
    """The full names of all modules that a source imports, wherever in it; `package` is the one that it lies in."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            lead = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*lead, *([node.module] if node.module else [])])
            found.update({module} | {f"{module}.{alias.name}" for alias in node.names})
    return found


def crossings(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    """Imports in a package of what it must not see."""
    found = []
    for path in modules(folder):
        package = ("dlspec", *path.relative_to(ROOT).parts[:-1])
        for name in sorted(imported(path.read_text("utf-8"), package)):
            if any(name == wall or name.startswith(wall + ".") for wall in forbidden):
                found.append(f"{path.relative_to(ROOT)} imports {name}")
    return found


def test_the_interpreter_never_sees_yaml_or_lark() -> None:
    assert len(modules("interpreter")) > 5
    assert (
        crossings("interpreter", ("yaml", "lark", "dlspec.spec.source.nodes", "dlspec.spec.expressions.parser")) == []
    )


def test_the_front_end_never_sees_the_interpreter() -> None:
    assert len(modules("spec")) > 20
    assert crossings("spec", ("dlspec.interpreter", "tensorflow", "keras", "matplotlib", "typer", "rich")) == []


def test_crossings_are_found() -> None:
    """The twin: `spec/` does import YAML and Lark, `interpreter/` the front end, and relative imports are followed."""
    assert any("imports yaml" in line for line in crossings("spec", ("yaml",)))
    assert any("imports lark" in line for line in crossings("spec", ("lark",)))
    assert crossings("interpreter", ("dlspec.spec",))
    assert "dlspec.interpreter.x" in imported("from ..interpreter import x", ("dlspec", "spec"))
    assert "dlspec.spec.x" in imported("def f():\n    from .. import x", ("dlspec", "spec", "check"))


ROOMS = sorted(path.parent for side in ("spec", "interpreter") for path in (ROOT / side).glob("*/__init__.py"))


def circle(folder: Path) -> list[str]:
    """Files of a room that import each other in a circle, those for type checkers included; none where there is none."""
    package = ("dlspec", *folder.relative_to(ROOT).parts)
    names = {".".join([*package, path.stem]): path for path in folder.glob("*.py") if path.stem != "__init__"}
    graph = {name: imported(path.read_text("utf-8"), package) & names.keys() for name, path in names.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name).removeprefix(".".join(package) + ".") for name in error.args[1]]
    return []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_no_files_of_a_room_import_each_other_in_a_circle(room: Path) -> None:
    assert circle(room) == []


def test_a_circle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    room = tmp_path / "spec" / "room"
    room.mkdir(parents=True)
    (room / "one.py").write_text("def f():\n    from .two import x\n")
    (room / "two.py").write_text("from dlspec.spec.room import three\n")
    (room / "three.py").write_text("")
    assert circle(room) == []
    (room / "three.py").write_text("if TYPE_CHECKING:\n    from .one import f\n")
    assert set(circle(room)) == {"one", "two", "three"}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


@pytest.mark.parametrize("folder", ["spec", "interpreter"])
def test_every_package_is_installed(folder: str) -> None:
    there = {".".join(("dlspec", *path.parent.relative_to(ROOT).parts)) for path in modules(folder)}
    listed = {name for name in PROJECT["packages"] if name.split(".")[1:2] == [folder]}
    assert there == listed
    assert PROJECT["package-dir"][f"dlspec.{folder}"] == folder


def test_the_module_of_public_names_is_installed_above_them() -> None:
    assert PROJECT["packages"][0] == "dlspec" and PROJECT["package-dir"]["dlspec"] == "python/dlspec"
    assert {path.name for path in (ROOT / "python" / "dlspec").iterdir() if path.is_file()} == {
        "__init__.py",
        "py.typed",
    }
    assert PROJECT["package-data"]["dlspec"] == ["py.typed"]


def test_files_that_are_not_python_are_installed() -> None:
    covered = {
        path
        for package, patterns in PROJECT["package-data"].items()
        for pattern in patterns
        for path in (ROOT / Path(*package.split(".")[1:])).glob(pattern)
    }
    data = {
        p
        for f in ("examples", "interpreter", "schemas", "spec")
        for p in (ROOT / f).rglob("*")
        if p.is_file() and p.suffix not in (".py", ".pyc", ".ipynb")
    }
    assert data, "the grammar at least"
    assert data == covered

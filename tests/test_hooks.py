"""The hooks of `check/.pre-commit-hooks.yaml`, run by the real pre-commit in a repository of their own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "check" / ".pre-commit-hooks.yaml"
HOOKS = yaml.safe_load(MANIFEST.read_text("utf-8"))
SMALL = tomllib.loads((ROOT / "check" / "pyproject.toml").read_text("utf-8"))
WHOLE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = SMALL["tool"]["setuptools"]["packages"]
LIBRARIES = {"lark", "numpy", "pydantic", "pydantic_core", "yaml"}
MESSY = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1+1}}}\n"
CLEAN = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1 + 1}}}\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1}}}\n"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(cwd.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    home = cwd.parent / "home"
    quiet = {
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_COLOR": "never",
    }
    people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, "PATH": path, **quiet, **people, "NO_COLOR": "1"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300)


def pre_commit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pre_commit", *arguments, cwd=cwd)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose hooks are the file's own entries, in the language `system`, with the command there already.

    A user's `language: python` differs only in that pre-commit installs it first, which takes a network.
    """
    command = tmp_path / "bin" / "dlspec-check"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlspec.interpreter.cli.check_command "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "repository"
    folder.mkdir()
    run("git", "init", "--quiet", cwd=folder)
    hooks: list[dict[str, Any]] = [{**hook, "language": "system", "additional_dependencies": []} for hook in HOOKS]
    configuration = {"repos": [{"repo": "local", "hooks": hooks}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "ci.yml").write_text("on:   push\n")
    run("git", "add", ".", cwd=folder)
    assert pre_commit("install", cwd=folder).returncode == 0
    return folder


def commit(folder: Path) -> subprocess.CompletedProcess[str]:
    run("git", "add", ".", cwd=folder)
    return run("git", "commit", "--message", "x", cwd=folder)


def test_the_file_is_a_manifest(tmp_path: Path) -> None:
    done = pre_commit("validate-manifest", str(MANIFEST), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [hook["id"] for hook in HOOKS] == ["dlspec-validate", "dlspec-fmt"]
    assert {hook["language"] for hook in HOOKS} == {"python"}
    assert {hook["entry"].split()[0] for hook in HOOKS} == set(SMALL["project"]["scripts"])


def test_a_valid_study_in_its_form_is_committed(repository: Path) -> None:
    (repository / "s.yaml").write_text(CLEAN)
    done = commit(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dlspec validate" in done.stderr and "Passed" in done.stderr


def test_a_study_that_is_wrong_is_held_back_with_the_place_and_told_once(repository: Path) -> None:
    (repository / "s.yaml").write_text(WRONG)
    done = commit(repository)
    said = done.stderr + done.stdout
    assert done.returncode == 1
    assert said.count("s.yaml:3:33: unknown name 'q'") == 1 and said.count("Failed") == 1
    assert (repository / "s.yaml").read_text() == WRONG


def test_a_study_out_of_form_is_put_into_it(repository: Path) -> None:
    (repository / "s.yaml").write_text(MESSY)
    done = commit(repository)
    assert done.returncode == 1 and "files were modified by this hook" in done.stderr + done.stdout
    assert (repository / "s.yaml").read_text() == CLEAN
    assert commit(repository).returncode == 0
    assert (repository / "ci.yml").read_text() == "on:   push\n"


# -- the small distribution ---------------------------------------------------------------------------------------------


def test_the_small_distribution_is_a_part_of_the_whole() -> None:
    assert SMALL["project"]["version"] == WHOLE["project"]["version"]
    assert SMALL["project"]["requires-python"] == WHOLE["project"]["requires-python"]
    assert set(SMALL["project"]["dependencies"]) < set(WHOLE["project"]["dependencies"])
    assert any(name.startswith("tensorflow>") for name in WHOLE["project"]["dependencies"])
    assert set(PACKAGES) < set(WHOLE["tool"]["setuptools"]["packages"])
    assert {name for name in WHOLE["tool"]["setuptools"]["packages"] if name.startswith("dlspec.spec")} < set(PACKAGES)
    assert not (ROOT / ".pre-commit-hooks.yaml").exists(), "pre-commit would install the whole, from the root"


def file_of(module: str) -> Path | None:
    """The file of one of dlspec's modules or packages."""
    place = ROOT.joinpath(*module.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def imports(module: str, path: Path) -> Iterator[str]:
    """All that a module imports, in its functions too: dlspec's modules whole, libraries by name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def test_all_that_the_hooks_and_the_action_can_import_is_small_and_is_there() -> None:
    """TensorFlow, Keras, scipy, typer and the rest stay out, also where a function imports late."""
    scripts = [*(ROOT / "check").glob("*.py")]
    waiting = ["dlspec.interpreter.cli.check_command", *(name for path in scripts for name in imports("", path))]
    waiting = [name for name in waiting if name.partition(".")[0] not in {path.stem for path in scripts}]
    seen, libraries = set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        top = module.partition(".")[0]
        if top != "dlspec":
            libraries.add(top)
        elif module not in seen and (path := file_of(module)) is not None:
            seen.add(module)
            waiting += [module.rpartition(".")[0], *imports(module, path)]
    assert {module if (ROOT.joinpath(*module.split(".")[1:]) / "__init__.py").is_file() else module.rpartition(".")[0]
            for module in seen} <= {"dlspec", *PACKAGES}  # fmt: skip
    assert libraries - set(sys.stdlib_module_names) - {"__future__"} <= LIBRARIES
    assert {"dlspec.spec.format", "dlspec.spec.check", "dlspec.spec.resolve"} <= seen


def test_the_module_of_the_small_distribution_checks_and_compares_and_says_what_it_has_not() -> None:
    """`import dlspec` with what `dlspec-check` holds alone: no other package of dlspec, and no other library."""
    packages = sorted(set(WHOLE["tool"]["setuptools"]["packages"]) - set(PACKAGES))
    libraries = [
        "filelock",
        "jinja2",
        "keras",
        "matplotlib",
        "pandas",
        "pyarrow",
        "rich",
        "scipy",
        "tensorflow",
        "typer",
    ]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({[*packages, *libraries]!r}))
import dlspec
study = dlspec.Study({CLEAN!r})
print(study.validate(), dlspec.diff(study, study).same, len(study.digest), "e" in study._repr_html_())
print(dlspec.diff(study, dlspec.Study(study.text.replace("1 + 1", "1 + 2"))))
for ask in (study.plan, lambda: dlspec.run, lambda: dlspec.runs, lambda: dlspec.open_run):
    try:
        ask()
    except dlspec.StudyError as error:
        print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    assert lines[0] == "study.yaml: valid True 16 True" and "1 + 1 → 1 + 2" in done.stdout, done.stderr
    assert [line.split()[0] for line in lines if "is not in dlspec-check" in line] == [
        "plan",
        "run",
        "runs",
        "open_run",
    ]


def test_the_mirror_holds_the_distribution_and_replaces_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    (folder / ".git").mkdir(parents=True)
    command = (sys.executable, str(ROOT / "check" / "mirror.py"), str(folder))
    assert run(*command, cwd=folder).returncode == 0
    (folder / "old").mkdir()
    (folder / "old.py").write_text("")
    done = run(*command, cwd=folder)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in folder.iterdir()}
    assert names == {
        ".git",
        ".pre-commit-hooks.yaml",
        "LICENSE",
        "README.md",
        "interpreter",
        "pyproject.toml",
        "python",
        "spec",
    }
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    places = project["tool"]["setuptools"]["package-dir"]
    assert places == {"dlspec": "python/dlspec", "dlspec.spec": "spec", "dlspec.interpreter": "interpreter"}
    for package in project["tool"]["setuptools"]["packages"]:
        assert folder.joinpath(*package.split(".")[1:]).is_dir(), package
    assert {path.name for path in (folder / "python/dlspec").iterdir()} == {"__init__.py", "py.typed"}
    assert (folder / "spec/expressions/grammar.lark").is_file()
    assert not (folder / "interpreter/program").exists()


def test_the_mirror_takes_no_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    done = run(sys.executable, str(ROOT / "check" / "mirror.py"), str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1 and "holds other files" in done.stderr and "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "pyproject.toml"}


@pytest.mark.slow
def test_the_hooks_are_installed_from_the_mirror_in_seconds_and_run(tmp_path: Path) -> None:
    """In a fresh repository with an empty home of pre-commit; takes a network. The room they take is 110 MB at most, most of it NumPy."""
    hooks, folder = tmp_path / "mirror", tmp_path / "repository"
    folder.mkdir()
    assert run(sys.executable, str(ROOT / "check" / "mirror.py"), str(hooks), cwd=folder).returncode == 0
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"], ["tag", "v1"]):
        assert run("git", *command, cwd=hooks).returncode == 0
    run("git", "init", "--quiet", cwd=folder)
    configuration = {"repos": [{"repo": str(hooks), "rev": "v1", "hooks": [{"id": hook["id"]} for hook in HOOKS]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "s.yaml").write_text(CLEAN)
    (folder / "wrong.yaml").write_text(WRONG)
    run("git", "add", ".", cwd=folder)
    start = time.monotonic()
    done = pre_commit("run", "--all-files", cwd=folder)
    print(f"installed and run in {time.monotonic() - start:.0f} s")
    assert done.returncode == 1 and done.stdout.count("unknown name 'q'") == 1, done.stdout + done.stderr
    size = sum(path.lstat().st_blocks * 512 for path in (tmp_path / "home/pre-commit").rglob("*"))
    assert size < 110e6, f"{size / 1e6:.0f} MB"
    assert not [*(tmp_path / "home/pre-commit").rglob("tensorflow*")]

"""The entry point: it runs the command, and what runs for long has Python's collector at work again."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120, stdin=subprocess.DEVNULL
    ).stdout


def test_the_installed_command_and_the_module_are_this_entry_point() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {"dlspec": "dlspec.interpreter.__main__:main"}
    command = [sys.executable, "-m", "dlspec.interpreter", "validate", str(ROOT / "examples" / "flat.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"{ROOT / 'examples' / 'flat.yaml'}: valid\n")


def test_short_commands_leave_the_collector_at_rest_and_training_and_a_server_do_not() -> None:
    def after(*command: str) -> str:
        return run(
            f"import gc, sys\nsys.argv = {['dlspec', *command]!r}\nfrom dlspec.interpreter.__main__ import main\n"
            "try: main()\nexcept SystemExit: pass\nprint(gc.isenabled(), gc.get_freeze_count() > 0)"
        ).splitlines()[-1]

    assert after("ops", "hinge") == "False True", "nor does it work at the end"
    assert after("lsp") == "True True", "it works again, and passes over what was loaded"
    long = (
        "import gc\ngc.disable()\nfrom dlspec.interpreter.backend.startup import start\nstart()\nprint(gc.isenabled())"
    )
    assert run(long).splitlines()[-1] == "True"


def test_libraries_start_as_a_short_command_needs_them_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = (
        "import os, sys\nsys.argv = ['dlspec', 'ops', 'hinge']\nfrom dlspec.interpreter.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\nprint(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert run(shown).splitlines()[-1] == "1"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert run(shown).splitlines()[-1] == "3"


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ("", "at the end"),
        ("threading.Thread(target=go.wait).start()\n", "beyond"),
        ("del sys.modules['tensorflow']\n", "beyond"),
    ],
)
def test_a_process_with_tensorflow_ends_without_taking_it_apart(more: str, last: str) -> None:
    """What is registered for the end is done; where a thread goes on, or TensorFlow is not there, Python ends it as ever."""
    code = (
        "import atexit, sys, threading\ngo = threading.Event()\nsys.argv = ['dlspec', 'ops', 'hinge']\nsys.modules['tensorflow'] = None\n"
        f"{more}atexit.register(lambda: go.is_set() or print('at the end'))\nfrom dlspec.interpreter.__main__ import main\n"
        "try: main()\nexcept SystemExit: go.set()\nprint('beyond')"
    )
    said = run(code).splitlines()
    assert said[-1] == last and said[0].startswith("hinge")


HEAVY = ("tensorflow", "keras", "matplotlib", "pyarrow", "jinja2", "pygls", "asyncio", "rich", "sqlite3")
"""What a check of a study has no use for: each takes long to load, or leads to what does."""


def loaded(*command: str) -> tuple[str, set[str]]:
    """The last line that a command prints, and which of the heavy packages a fresh process has loaded for it."""
    *said, names = run(
        f"import sys\nsys.argv = {['dlspec', *command]!r}\nfrom dlspec.interpreter.__main__ import main\n"
        f"try: main()\nexcept SystemExit: pass\nprint('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    ).splitlines()
    assert names.split()[0] == "loaded"
    return said[-1], set(names.split()[1:])


def test_a_check_loads_nothing_heavy_and_a_diff_no_more_than_it_prints_with(tmp_path: Path) -> None:
    before = ROOT / "examples" / "flat.yaml"
    assert loaded("validate", str(before)) == (f"{before}: valid", set())
    after = tmp_path / "after.yaml"
    after.write_text(before.read_text("utf-8").replace("batch: 256", "batch: 128"), "utf-8")
    for runs in (tmp_path, tmp_path / "none"):  # with a folder of runs beside it, and without
        said, found = loaded("diff", str(before), str(after), "--md", "--runs", str(runs))
        assert said
        assert not found & {"tensorflow", "keras", "matplotlib", "pyarrow", "asyncio", "rich"}
    said, found = loaded("diff", str(before), str(after), "--runs", str(tmp_path))
    assert said
    assert "rich" in found, "the twin: what is loaded is found"
    assert not found & {"tensorflow", "keras", "matplotlib", "pyarrow", "asyncio"}


FOR_OTHERS = (
    "typer", "dlspec.spec.diff", "dlspec.spec.editor", "dlspec.spec.format", "dlspec.spec.merge", "dlspec.spec.data_files.survey",
    "dlspec.spec.check.file_rows", "dlspec.spec.check.enumerated", "dlspec.spec.check.gradient_measures",
    "dlspec.spec.model.validation_errors", "dlspec.spec.model.other_keys", "dlspec.spec.resolve.partial_check",
    "dlspec.spec.source.yaml_errors", "dlspec.spec.tables.operations.other_names", "dlspec.spec.tables.layers.other_layers",
)  # fmt: skip
"""What the check of a valid study without files has no use for: other commands, readers of files, what is said of errors."""
MOST_MODULES = 225
"""How many modules of dlspec such a check loads at most: each costs half a millisecond or more. What few studies need is imported where it is used."""


def modules_of_a_check(study: Path) -> set[str]:
    """The modules that a fresh process has loaded once it has checked a study."""
    return set(
        run(
            f"import sys\nsys.argv = ['dlspec', 'validate', {str(study)!r}]\nfrom dlspec.interpreter.__main__ import main\n"
            "try: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
        )
        .splitlines()[-1]
        .split()
    )


def test_a_check_of_a_valid_study_loads_what_it_needs_and_no_more(tmp_path: Path) -> None:
    study = ROOT / "examples" / "flat.yaml"
    names = modules_of_a_check(study)
    assert names & set(FOR_OTHERS) == set()
    assert len([name for name in names if name.startswith("dlspec.")]) <= MOST_MODULES
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(study.read_text("utf-8").replace("batch: 256", "bach: 256"), "utf-8")
    assert "dlspec.spec.model.validation_errors" in modules_of_a_check(wrong), "the twin: what is loaded is found"

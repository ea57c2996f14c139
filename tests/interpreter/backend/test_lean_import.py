"""TensorFlow without what it takes along: what is refused, to whom, and that nothing is missing afterwards."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from dlspec.interpreter.backend import lean_import
from dlspec.interpreter.backend.lean_import import NOT_NEEDED, imported_without

STUDY = """
dlspec: 1
study: lean
experiments:
  e:
    task: {example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 2, batch_normalization, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {adamw: {learning_rate: 0.01, weight_decay: 0.1}}, batch: 4, steps: 2, evaluate: {every: 1}}
    measures: {error: "E((f - y)^2)"}
    figures: {error: {kind: curves, y: error}}
"""
PROGRAM = """
import sys
from pathlib import Path
from dlspec.interpreter.backend.lean_import import NOT_NEEDED
from dlspec.interpreter.backend.startup import start
start(own_process=True)
assert "tensorflow.python.keras" not in sys.modules, "nobody has asked for a name that needs it"
assert not any(name.startswith("tensorflow.lite.") for name in sys.modules), "nor for one that needs this"
assert "keras" in sys.modules and not any("lean_import" in type(finder).__module__ for finder in sys.meta_path)
print(*sorted(NOT_NEEDED & set(sys.modules)), ".")
from dlspec.interpreter.cli.app import main
def command(*words):
    sys.argv = ["dlspec", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
command("run", "lean.yaml", "--keep-weights", "--jit", "graph")
assert "pandas" not in sys.modules, "nothing that a run stores or draws needs it"
command("export", "lean.yaml", "--format", "saved_model", "--output", "out")
import keras, matplotlib.pyplot, pandas, tensorflow as tf
assert tf.compat.v1.get_variable and "Variable" in dir(tf.compat.v2) and not hasattr(tf.linalg, "nothing")
from tensorflow.feature_column import numeric_column
assert tf.lite.TFLiteConverter and tf.lite.OpsSet and tf.lite.experimental.authoring, "code below tensorflow/lite does not hide its names"
(weights,) = Path("runs").rglob("*.keras")
print(keras.saving.load_model(weights).count_params(), len(pandas.DataFrame({"a": [1, 2]})))
"""


def test_a_process_of_dlspec_s_own_starts_without_them_and_nothing_is_missing(tmp_path: Path) -> None:
    (tmp_path / "lean.yaml").write_text(STUDY, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert lines[0] == ".", "none of them is loaded"
    assert lines[-1] == "19 2"  # 3 · 2 + 2, four of each of the normalised two, 2 + 1
    assert "warning" not in done.stderr
    assert [path.name for path in tmp_path.glob("runs/lean-*/*.svg")] == ["e.error.svg"]
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two libraries of which nothing is loaded; one loads the other where it is there."""
    (tmp_path / "asked_for.py").write_text(
        "try:\n    import taken_along\nexcept ImportError:\n    taken_along = None\n"
    )
    (tmp_path / "taken_along").mkdir()
    (tmp_path / "taken_along" / "__init__.py").write_text("")
    (tmp_path / "taken_along" / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("asked_for", "taken_along", "taken_along.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "asked_for", "taken_along"


def test_they_are_missing_for_this_thread_and_meanwhile_alone(libraries: tuple[str, str]) -> None:
    asked_for, taken_along = libraries
    before = list(sys.meta_path)
    with pytest.raises(RuntimeError), imported_without({taken_along}):
        assert import_module(asked_for).taken_along is None
        with pytest.raises(ModuleNotFoundError, match=r"taken_along\.part|taken_along"):
            import_module("taken_along.part")
        thread = threading.Thread(target=import_module, args=("taken_along",))
        thread.start()
        thread.join()
        assert taken_along in sys.modules, "another thread has it"
        import_module("taken_along.part")  # what somebody has loaded is no longer refused, nor its parts
        raise RuntimeError
    assert sys.meta_path == before


def test_packages_of_names_alone_are_read_when_a_name_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "__init__.py": "from named.api import code, part, two",
        "two/__init__.py": "",
        "code/__init__.py": "",
        "code/below.py": "from math import inf",
        "api/code/__init__.py": "from named.code.below import inf",
        "api/__init__.py": "",
        "api/two/__init__.py": "from math import e",
        "api/part/__init__.py": "import time\nfrom named.api.part import below\ntime.sleep(0.05)\nfrom math import pi",
        "api/part/below.py": "from math import tau",
    }
    for name, text in files.items():
        (tmp_path / "named" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "named" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lean_import, "NAMES_ALONE", "named.api.")
    monkeypatch.setattr(lean_import, "NAMED_AS_CODE", {"code"})
    try:
        with imported_without():
            named = import_module("named")
        assert type(named.two) is ModuleType and named.two.e == math.e, "there is another package of its name"
        assert type(named.code).__name__ == "_Unread" and "named.code.below" not in sys.modules
        assert (
            named.code.inf == math.inf and named.code is sys.modules["named.api.code"] is not sys.modules["named.code"]
        )
        assert named.code.inf == math.inf, "code of its name has not taken its place"
        assert type(named.part).__name__ == "_Unread" and "named.api.part.below" not in sys.modules
        found: list[float] = []
        asks = [threading.Thread(target=lambda: found.append(named.part.pi + named.part.below.tau)) for _ in range(4)]
        for thread in asks:
            thread.start()
        for thread in asks:
            thread.join()
        assert found == [math.pi + math.tau] * 4, "threads that ask at once all have it"
        assert type(named.part) is ModuleType and "pi" in dir(named.part)
        with pytest.raises(AttributeError, match=r"'named\.api\.part' has no attribute 'nothing'"):
            named.part.nothing  # noqa: B018
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "named"]:
            del sys.modules[name]


def test_what_is_refused_is_nothing_that_dlspec_needs() -> None:
    assert not NOT_NEEDED & {"h5py", "scipy", "numpy", "requests", "absl", "pyarrow"}

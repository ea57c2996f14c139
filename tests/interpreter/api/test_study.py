"""A study in Python: its text, what is wrong with it, its plan; the same as the command line says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from html import unescape
from pathlib import Path

import dlspec
import numpy as np
import pytest

from tests import forked

ROOT = Path(__file__).parents[3]
GOOD = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1 + 1}}}\n"
DOUBTFUL = "dlspec: 1\nstudy: s\nexperiments: {e: {constants: {pi: 3}, measures: {m: pi}}}\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1, n: 1 +}}}\n"
SWEPT = """\
dlspec: 1
study: swept
title: A <script>alert(1)</script> & more
experiments:
  e:
    constants: {d: 1, r: 0.5}
    sweep: {d: [1, 2], r: [0.5, 1]}
    task: {example: {x: "normal([d])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: r * f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2)}
    replicates: 2
  other:
    constants: {steps: 3}
    sweep: {steps: [3, 4]}
    measures: {m: steps + 1}
profiles:
  quick: {experiments: {e: {training: {steps: 10}}}}
"""


COMMAND = "from dlspec.interpreter.cli.app import main; main()"


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line beside."""
    return forked.run([sys.executable, "-c", COMMAND, *arguments], light=True, cwd=cwd, capture_output=True, text=True)


def python(code: str, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that finds `dlspec` as it is installed, or would be."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), **variables}
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, env=environment)


def test_importing_it_loads_nothing_and_a_study_no_tensorflow() -> None:
    code = f"""
import sys
before = set(sys.modules)
import dlspec
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(loaded - set(sys.stdlib_module_names)))
print(dlspec.__version__, "pydantic" in sys.modules)
study = dlspec.Study({SWEPT!r})
study.validate(), study.plan("quick").rows
print(sorted({{"tensorflow", "keras", "pandas", "xarray", "matplotlib", "typer"}} & set(sys.modules)))
"""
    done = python(code)
    assert done.stderr == "" and done.stdout.splitlines()[0] == "['dlspec']"
    version, pydantic = done.stdout.splitlines()[1].split()
    assert version[0].isdigit() and pydantic == "False"
    assert done.stdout.splitlines()[2] == "[]"


def test_the_public_names_are_there_and_no_others() -> None:
    assert set(dlspec.__all__) <= set(dir(dlspec))
    for name in dlspec.__all__:
        assert getattr(dlspec, name).__doc__
    with pytest.raises(AttributeError, match="'dlspec' has no attribute 'laod'"):
        dlspec.laod  # noqa: B018
    assert (ROOT / "python" / "dlspec" / "py.typed").exists()


def test_problems_are_data_and_print_as_the_command_prints_them(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    found = dlspec.Study(WRONG, "wrong.yaml").validate()
    seen = [(problem.severity, problem.file, problem.line, problem.column, problem.message) for problem in found]
    assert seen == [
        ("error", "wrong.yaml", 3, 33, "unknown name 'q'"), ("error", "wrong.yaml", 3, 45, "the expression ends too early"),
    ]  # fmt: skip
    assert found[0].remedy and len(found) == len(found.errors) == 2 and not found.valid
    done = command("validate", "wrong.yaml", cwd=tmp_path)
    assert done.stderr == f"{found!r}\n\n2 errors.\n"
    doubtful = dlspec.Study(DOUBTFUL, "doubtful.yaml").validate()
    assert doubtful.valid and len(doubtful.warnings) == len(doubtful) == 1
    assert repr(doubtful).startswith("doubtful.yaml:3:") and repr(doubtful).endswith("\ndoubtful.yaml: valid")
    good = dlspec.Study(GOOD, "good.yaml").validate()
    assert not good and repr(good) == "good.yaml: valid"


def test_an_error_prints_as_the_command_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    study = dlspec.load("wrong.yaml")
    with pytest.raises(dlspec.StudyError) as caught:
        study.plan()
    assert str(caught.value) == repr(study.validate())
    assert command("plan", "wrong.yaml", cwd=tmp_path).stderr == f"{caught.value}\n\n2 errors.\n"
    assert "\n".join(caught.value._render_traceback_()) == str(caught.value)
    assert [problem.line for problem in caught.value.problems] == [3, 3]


def test_what_cannot_be_read_or_is_not_there_is_said(tmp_path: Path) -> None:
    study = dlspec.Study(SWEPT, "swept.yaml")
    cases = [
        (lambda: dlspec.load(tmp_path / "no.yaml"), "no.yaml: cannot be read: No such file", "Check the path"),
        (lambda: study.plan("quik"), "there is no profile 'quik'", "Did you mean 'quick'?"),
        (lambda: study.plan(overrides={"trainin.steps": 1}), "there is no path 'trainin.steps'", "Did you mean 'training'?"),
        (lambda: study.plan(overrides={"training.steps": float("nan")}), "override of `training.steps`", "finite"),
        (lambda: study.plan(overrides={"training.steps": object()}), "object is not a value of a study", "finite"),
        (lambda: study.plan(overrides="training.steps=1"), "is one text", "overrides={"),
        (lambda: study.plan(only="f"), "there is no experiment 'f'", "The experiments are e and other."),
        (lambda: study.plan(device="tpu"), "there is no device 'tpu'", "It is cpu or gpu."),
    ]  # fmt: skip
    for act, message, remedy in cases:
        with pytest.raises(dlspec.StudyError) as caught:
            act()
        assert message in str(caught.value) and remedy in str(caught.value)


def test_a_plan_is_what_the_command_plans(tmp_path: Path) -> None:
    (tmp_path / "swept.yaml").write_text(SWEPT)
    plan = dlspec.load(tmp_path / "swept.yaml").plan("quick", {"e.replicates": np.int64(3)}, runs=tmp_path / "runs")
    done = command("plan", "swept.yaml", "-p", "quick", "-o", "e.replicates=3", "--json", cwd=tmp_path)
    told, mine = json.loads(done.stdout), json.loads(json.dumps(plan.data()))
    for data in (told, mine):
        del data["flops_per_second"]
        for cell in data["cells"]:
            del cell["seconds"]
    assert told == mine
    cells = plan.cells
    assert cells["cell"].tolist()[:2] == ["e d=1 r=0.5", "e d=1 r=1"]
    swept = cells[cells.experiment == "e"]
    assert swept["d"].tolist() == [1, 1, 2, 2] and swept["r"].tolist() == [0.5, 1, 0.5, 1]
    assert str(cells["d"].dtype) == "Int64" and cells["d"].isna().sum() == 2 and str(cells["r"].dtype) == "float64"
    assert cells["steps"].tolist() == [10] * 4 + [0] * 2 and cells["axis.steps"].tolist()[4:] == [3, 4]
    assert cells["replicates"].tolist()[:4] == [3] * 4 and cells["stored"].sum() == 0
    assert cells["digest"].tolist() == [cell["digest"] for cell in told["cells"]]
    assert plan.memory == cells["memory"].max() and plan.seconds == pytest.approx(cells["seconds"].sum())


def test_what_does_not_fit_is_said_wherever_a_plan_is_shown() -> None:
    plan = dlspec.Study(SWEPT).plan(only="e", memory=0.5)
    assert len(plan.refused) == 4 and "Neither a batch of 1 nor one replicate would fit" in plan.refused[0]
    assert str(plan).endswith("\n".join(plan.refused)) and plan._repr_html_().count("is available") == 4


def test_a_notebook_is_told_what_the_text_of_a_plan_says_below_its_tables() -> None:
    """Phases, what is rounded, and warnings were in the text alone."""
    text = """\
dlspec: 1
study: s
experiments:
  e:
    weights: bfloat16
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 2]}}
    loss: {l: "sum(f^2) + squared_norm(gradient(f[0], f.weights))"}
    training: {optimizer: {sgd: 0.1}, batch: 4, phases: {a: {steps: 2}, b: {steps: 3}}}
    measures: {m: E(sum(f^2))}
    variants: {plain: {}, other: {training: {phases: {b: {batch: 8}}}}}
"""
    plan = dlspec.Study(text).plan()
    below = [
        line
        for line in str(plan).splitlines()
        if line.startswith(("phases: ", "numbers: ", "trained once", "warning: "))
    ]
    assert {line.split()[0] for line in below} == {"phases:", "numbers:", "trained", "warning:"}
    shown = unescape(plan._repr_html_())
    assert all(line in shown for line in below)


def test_digests_are_those_of_the_meaning() -> None:
    study = dlspec.Study(SWEPT)
    assert (
        study.digest
        == dlspec.Study("# the same\n" + SWEPT.replace("A <script>", "Another")).digest
        == study.plan().digest
    )
    assert study.digest != study.plan("quick").digest != study.plan(overrides={"e.seed": 1}).digest


def test_warnings_are_python_s_and_point_at_who_asked() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        dlspec.Study(DOUBTFUL, "doubtful.yaml").plan()
    assert [Path(item.filename) for item in seen] == [Path(__file__)]
    assert str(seen[0].message).startswith("doubtful.yaml:3:") and "hides" in str(seen[0].message)


def test_what_a_notebook_shows_is_escaped_and_small() -> None:
    study = dlspec.Study(SWEPT, "<b>.yaml")
    for shown in (
        study,
        study.validate(),
        study.plan(),
        dlspec.Study("<i>: 1", "<b>.yaml"),
        dlspec.Study(WRONG).validate(),
    ):
        text = shown._repr_html_()
        assert not any(tag in text for tag in ("<script", "<b>.yaml", "<i>")) and len(text) < 8000
    assert "&lt;script&gt;" in study._repr_html_()


def test_without_pandas_it_is_said_what_to_install() -> None:
    code = f"""
import sys
sys.modules["pandas"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "pandas" else find(name, *rest)
import dlspec
try:
    dlspec.Study({GOOD!r}).plan().cells
except dlspec.StudyError as error:
    print(error)
"""
    assert (
        python(code).stdout
        == "this needs pandas, which is not installed\n`pip install 'dlspec[notebook]'` installs it.\n"
    )

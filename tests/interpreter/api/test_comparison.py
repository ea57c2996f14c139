"""What changes between two studies, in Python: the same as the command line says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dlspec
import pytest

from tests import forked

COMMAND = "from dlspec.interpreter.cli.app import main; main()"
BEFORE = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 2}
    measures: {m: d + 1}
    claims: {c: {says: <b>Large</b>., check: final(m) > d}}
"""
AFTER = BEFORE.replace("d: 2", "d: 3").replace("> d", "> 1")


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return forked.run([sys.executable, "-c", COMMAND, *arguments], light=True, cwd=cwd, capture_output=True, text=True)


def test_a_diff_is_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(BEFORE)
    (tmp_path / "b.yaml").write_text(AFTER)
    monkeypatch.chdir(tmp_path)
    found = dlspec.diff("a.yaml", Path("b.yaml"))
    assert found and not found.same and "constant `d`" in found.headline
    assert command("diff", "a.yaml", "b.yaml", cwd=tmp_path).stdout == f"{found}\n"
    assert json.loads(command("diff", "a.yaml", "b.yaml", "--json", cwd=tmp_path).stdout) == json.loads(
        json.dumps(found.data())
    )
    assert command("diff", "a.yaml", "b.yaml", "--md", cwd=tmp_path).stdout == found.markdown()
    text = found._repr_html_()
    assert "<del><code>2</code></del>" in text and "<ins><code>3</code></ins>" in text and "<b>Large" not in text
    loaded = dlspec.diff(dlspec.load("a.yaml"), dlspec.Study(AFTER, "b.yaml"))
    assert loaded.data() == found.data()
    assert not dlspec.diff("a.yaml", dlspec.Study("# other words\n" + BEFORE))


def test_a_side_that_is_not_valid_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BEFORE)
    for side, message in (
        (dlspec.Study(BEFORE.replace("d + 1", "q + 1"), "b.yaml"), "b.yaml:6:19: unknown name 'q'"),
        (tmp_path / "no.yaml", "no.yaml: cannot be read"),
        (tmp_path, "is a directory"),
    ):
        with pytest.raises(dlspec.StudyError) as caught:
            dlspec.diff(tmp_path / "a.yaml", side)
        assert message in str(caught.value)

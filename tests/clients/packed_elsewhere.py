"""Packs a run in one environment, and takes it up in another, with another Python and nothing of the first: its report, its results, its citation.

python3.11 -m venv HERE && HERE/bin/pip install dist/dlspec-*.whl
python3.13 -m venv THERE && THERE/bin/pip install dist/dlspec-*.whl
python -m tests.clients.packed_elsewhere HERE THERE
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.clients.programs import of

STUDY = """\
dlspec: 1
study: small
source: {paper: "Someone 2020"}
experiments:
  line:
    task:
      data: {file: rows.csv, train: 40}
      example: {x: "rows[a:b]", y: rows.c}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 20, evaluate: {every: 10}}
    measures: {error: E((f - y)^2)}
    claims: {falls: {says: It falls., check: "final(error) < at(error, 0)"}}
    figures: {error: {kind: curves, y: error}}
    replicates: 3
"""

ARCHIVE = "small.zip"


def main(here: Path, there: Path) -> None:
    """Prints what both said; raises AssertionError where something is not as it should be."""
    with tempfile.TemporaryDirectory() as second:
        with tempfile.TemporaryDirectory() as first:
            name, finals = _packed(here, Path(first), Path(second))
        folder = Path(second)  # the author's is gone
        reader = of(there, folder)
        print(reader.said("dlspec", "report", ARCHIVE))
        (page,) = folder.glob("**/*.html")
        assert "It falls." in page.read_text("utf-8") and "Someone 2020" in page.read_text("utf-8")
        print(reader.said("dlspec", "unpack", ARCHIVE))
        own = folder / "runs" / name
        print((own / "CITATION.txt").read_text("utf-8"))
        for words in (
            ("run", f"runs/{name}/spec.yaml"),
            ("run", f"runs/{name}/spec.yaml", "--take", ARCHIVE, "--runs", "other"),
        ):
            said = reader.said("dlspec", *words)
            print(said)
            assert "stored" in said and "done in" not in said, said
        for root in ("runs", "other"):
            newest = json.loads(reader.done("dlspec", "runs", "--json", "--runs", root).stdout)["runs"][0]["run"]
            reader.said("dlspec", "runs", "export", newest, f"{root}.csv", "--finals", "--runs", root)
            assert (folder / f"{root}.csv").read_text("utf-8") == finals
    print("all as it should be")


def _packed(environment: Path, folder: Path, elsewhere: Path) -> tuple[str, str]:
    """Runs the study, packs the run, and takes the archive elsewhere; the run's name, and its finals."""
    rows = "".join(f"{i % 7 / 7},{i % 5 / 5},{i % 7 / 7 - i % 5 / 5}\n" for i in range(60))
    (folder / "rows.csv").write_text("a,b,c\n" + rows)
    (folder / "small.yaml").write_text(STUDY)
    author = of(environment, folder)
    print(author.said("dlspec", "run", "small.yaml", "--keep-weights"))
    (run,) = json.loads(author.done("dlspec", "runs", "--json").stdout)["runs"]
    told = author.said("dlspec", "pack", run["run"], "-o", ARCHIVE, "--weights", "--data", ".")
    print(told)
    assert "3 of 3 replicates" in told and "not in it" not in told
    author.said("dlspec", "runs", "export", run["run"], "finals.csv", "--finals")
    shutil.move(folder / ARCHIVE, elsewhere)
    return run["run"], (folder / "finals.csv").read_text("utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

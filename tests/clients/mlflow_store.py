"""Tells a real MLflow of a run, and holds what it keeps: ends, settings, infinities, tags of git and versions, a second run, a deleted experiment.

python3 -m venv ENV && ENV/bin/pip install dist/dlspec-*.whl mlflow
python -m tests.clients.mlflow_store ENV
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.programs import of

STUDY = """\
dlspec: 1
study: small
experiments:
  line:
    constants: {rate: 0.1}
    sweep: {rate: [0.1, 1e30]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - 1)^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E((f - 1)^2), least: log(0 * E(f^2))}
    variants: {plain: {}, wide: {training: {batch: 8}}}
"""
LOOK = """\
import mlflow, sys
client = mlflow.MlflowClient("sqlite:///mlflow.db")
(own,) = [one for one in client.search_experiments() if one.name == "small"]
runs = client.search_runs([own.experiment_id])
print(mlflow.__version__, len(runs), sorted(one.info.status for one in runs))
for one in runs:
    if one.info.status == "FAILED" or "wide" not in one.info.run_name:
        continue
    print(sorted(one.data.params.items()))
    print(sorted((key, value) for key, value in one.data.tags.items() if "inf" in value or "least" in key))
    print(sorted(key for key in one.data.tags if not key.startswith("mlflow.")))
    print(sorted(one.data.metrics.items()))
"""
TAGS = """\
import json, mlflow
from importlib.metadata import version
client = mlflow.MlflowClient("sqlite:///mlflow.db")
(own,) = [one for one in client.search_experiments() if one.name == "small"]
parents = [one for one in client.search_runs([own.experiment_id]) if "mlflow.parentRunId" not in one.data.tags]
tags = [one.data.tags for one in sorted(parents, key=lambda one: one.info.start_time)]
print(json.dumps([tags, {name: version(name) for name in ("dlspec", "tensorflow", "keras", "numpy")}]))
"""


def main(environment: Path) -> None:
    """Prints what MLflow keeps; raises AssertionError where it is not as it should be."""
    with tempfile.TemporaryDirectory() as here:
        (path := Path(here, "study.yaml")).write_text(STUDY)
        commit = _committed(path)
        programs = of(environment, Path(here), GIT_PYTHON_REFRESH="quiet")

        def looked(script: str) -> str:
            return programs.done("python", "-W", "ignore", "-c", script).stdout

        def parents() -> list[dict[str, str]]:
            """The tags of runs that are told as whole runs, which have those of git and versions right."""
            tags, versions = json.loads(looked(TAGS).splitlines()[-1])
            for one in tags:
                assert {name: one[f"dlspec.package.{name}"] for name in versions} == versions, one
                assert one["mlflow.source.git.commit"] == commit and one["mlflow.source.name"] == "study.yaml", one
                assert one["dlspec.command"].startswith("dlspec run study.yaml --mlflow sqlite:///mlflow.db"), one
            return list(tags)

        tell = ("dlspec", "run", "study.yaml", "--mlflow", "sqlite:///mlflow.db")
        print(programs.said(*tell))
        first = looked(LOOK)
        print(first)
        assert "FAILED" in first and "training.batch" in first, first
        (own,) = parents()
        print({name: value for name, value in own.items() if "git" in name or "package" in name or "command" in name})
        assert own["dlspec.git.dirty"] == "false", own
        programs.said(*tell)
        again = looked(LOOK)
        assert again == first, again
        print("run again: MLflow keeps the same")
        path.write_text(STUDY.replace("steps: 20", "steps: 40"))
        programs.said(*tell)
        assert [one["dlspec.git.dirty"] for one in parents()] == ["false", "true"]
        print("a study that was changed since its commit is told as such")
        gone = 'import mlflow; c = mlflow.MlflowClient("sqlite:///mlflow.db"); c.delete_experiment(c.get_experiment_by_name("small").experiment_id)'
        programs.said("python", "-W", "ignore", "-c", gone)
        said = programs.said(*tell, "--force")
        print("\n".join(line for line in said.splitlines() if "mlflow" in line.lower()))
        assert "deleted" in said and "Traceback" not in said, said
    print("all as it should be")


def _committed(path: Path) -> str:
    """Puts a file into a repository of its own; the commit."""

    def git(*words: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *own, *words], cwd=path.parent, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", path.name)
    git("commit", "-q", "-m", "a study")
    return git("rev-parse", "HEAD").strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

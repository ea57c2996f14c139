"""Tells a real MLflow of a run, and holds what it keeps: how replicates ended, settings, infinities, tags, and what a second run and a deleted experiment do.

python3 -m venv ENV && ENV/bin/pip install dist/dlspec-*.whl mlflow
python -m tests.clients.mlflow_store ENV
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

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


def main(environment: Path) -> None:
    """Prints what MLflow keeps; raises AssertionError where it is not as it should be."""
    programs = environment.resolve() / "bin"
    told = {**os.environ, "NO_COLOR": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "GIT_PYTHON_REFRESH": "quiet"}
    told.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as here:
        Path(here, "study.yaml").write_text(STUDY)

        def run(*words: str) -> str:
            done = subprocess.run(
                [programs / words[0], *words[1:]], cwd=here, env=told, text=True, capture_output=True, timeout=300
            )
            return done.stdout + done.stderr

        tell = ("dlspec", "run", "study.yaml", "--mlflow", "sqlite:///mlflow.db")
        print(run(*tell))
        first = run("python", "-W", "ignore", "-c", LOOK)
        print(first)
        assert "FAILED" in first and "training.batch" in first, first
        run(*tell)
        again = run("python", "-W", "ignore", "-c", LOOK)
        assert again == first, again
        print("run again: MLflow keeps the same")
        gone = 'import mlflow; c = mlflow.MlflowClient("sqlite:///mlflow.db"); c.delete_experiment(c.get_experiment_by_name("small").experiment_id)'
        run("python", "-W", "ignore", "-c", gone)
        said = run(*tell, "--force")
        print("\n".join(line for line in said.splitlines() if "mlflow" in line.lower()))
        assert "deleted" in said and "Traceback" not in said, said
    print("all as it should be")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What tests of the report share: a run's folder as `dlspec run` leaves it, with words that are hostile to HTML."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.figures import draw
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_list import RunRecord, read
from dlspec.interpreter.results.run_writer import RunFolder
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source

STUDY = """\
dlspec: 1
study: hostile
title: 'Words <script>alert("title")</script> & </title>'
source: {paper: "arXiv:1703.07950", section: "<b>5</b>"}
about: '</style></script><img src="https://example.org/x.png" onerror="alert(1)">'
experiments:
  e:
    about: "<iframe src='https://example.org'></iframe>"
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: size, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), pair: "E([f, f^2])"}
    replicates: 3
    seed: 7
    constants: {size: 4}
    sweep: {size: [4, 8]}
    variants: {plain: {}, deep: {loss: {l: f^4}}}
    claims:
      small: {says: 'It is <em onclick="alert(2)">small</em> & </li>.', check: final(error) < 1000}
      large: {says: It is large., check: final(error) > 1000}
    figures:
      fall: {kind: curves, y: error, title: 'Fall </figcaption><script>alert(3)</script>', caption: '"><svg onload=alert(4)>'}
      fit: {kind: function, x: "x[0]", y: {"<i>target</i>": "x[1]", learnt: f}, panel: variant}
      ends: {kind: bars, y: error}
"""


def run_in(folder: Path, text: str = STUDY, status: str = "done", message: str = "") -> RunRecord:
    """A run of the study in a folder, with numbers made by hand; its file lies in no repository."""
    plan = spec.resolve(spec.parse(Source("hostile.yaml", text)))
    (experiment,) = plan.experiments
    random = np.random.default_rng(0)
    replicates = []
    for program in experiment.programs:
        for number in range(program.replicates):
            replicate = Replicate(
                program.experiment,
                program.variant,
                dict(program.point),
                number,
                program.digest,
                key=f"{len(replicates):016x}",
            )
            for step in (0, 10, 20):
                replicate.record(step, {"error": (number + 1.0) / (step + 1), "pair": np.asarray([step, 0.5])})
            for probe in program.probes:
                replicate.sample(probe.figure, 20, {name: random.normal(size=1000) for name in probe.terms})
            replicates.append(replicate)
    replicates[-1].status, replicates[-1].message = status, message
    results = {"e": Results.of_plan(experiment, replicates)}
    made = RunFolder(folder / "runs", plan)
    made.write_results(
        plan, results, "cpu", ["run", "my studies/hostile.yaml", "-p", "x; rm -rf ~"], folder / "hostile.yaml"
    )
    verdicts = [judge(claim, results["e"]) for claim in experiment.claims]
    made.write_claims(verdicts)
    made.write_verdicts(verdicts)
    for figure in experiment.figures:
        assert draw(figure, results["e"], made.draft)
    return read(made.commit())


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunRecord]:
    return partial(run_in, tmp_path)

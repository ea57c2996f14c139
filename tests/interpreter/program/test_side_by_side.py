"""Cells side by side in one compiled program have the numbers that each has alone, wherever a swept number stands."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train, train_group
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store.checkpoints import Checkpoints
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.tables.optimizers import OPTIMIZERS

from tests.interpreter.silent import Silent

pytestmark = pytest.mark.usefixtures("traced_once")

HEAD = """
dlspec: 1
study: side_by_side
experiments:
  e:
    constants: {c: 1.5}
    sweep: {c: [0.5, 1.25, 2.5]}
    replicates: 2
"""
BODIES = {
    "draws, examples, distributions, and a start made of them": """
    task:
      draw: {w: "normal([3]) * c", b: "normal()"}
      example: {x: "normal(0, c, [3])", k: "bernoulli(c / 4, [2])", y: "dot(w, x) + b + uniform(-c, c) + sum(k)"}
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 4, activation: tanh, kernel_initializer: "w[0] + c", bias_initializer: "normal(0, c)"}
          - dense: 1
    loss: {l: (f - y)^2}
    training: {optimizer: {adam: 0.01}, batch: 8, steps: 3}
    measures: {error: "E((f - y)^2)", size: "E(sum(x^2)) / c", first: "f.dense_1.kernel[0, 0]", heads: "E(sum(k))"}
    """,
    "other weights, along an index too": """
    task: {draw: {v: "normal([16])"}, example: {x: "normal([2])", y: "x[0]"}}
    functions: {unit(v): v / norm(v), there(t): "with_weights((f - y)^2, f.weights, (1 - t) * f.weights + t * c * g.weights)"}
    architecture:
      f: {input: x, layers: [dense: {units: 3, activation: tanh, name: a}, dense: {units: 1, use_bias: false}, dense: {units: 4, use_bias: false}]}
      g: {input: x, layers: [dense: {units: 3, activation: tanh, name: a}, dense: {units: 1, use_bias: false}, dense: {units: 4, use_bias: false}]}
    outputs: {far: "with_weights(f, f.a.kernel, c * f.a.kernel)"}
    loss:
      sharp: "sum(with_weights((f - y)^2, f.weights, f.weights + c * unit(B(gradient(sum((f - y)^2), f.weights)))))"
      curve: "sum(mean([there(k / 3) for k < 4], axis=0)) + sum((far - y)^2)"
    training: {optimizer: {adam: 0.01}, batch: 8, steps: 3}
    measures: {curve: "[E(sum(there(k / 2 + c))) for k < 3]", noise: "E(with_weights(f, f.weights, f.weights + c * v))", error: "E((f - y)^2)"}
    """,
    "copies of a network": """
    functions: {keep(w): "clip(w, -c, c)"}
    task: {draw: {w: "normal([2, 3, 4])"}, example: {x: "normal([3])", y: "c * sum(x)"}}
    architecture:
      f:
        input: x
        copies: 2
        layers:
          - dense: {units: 4, kernel_initializer: "c * w", use_bias: false, kernel_constraint: keep}
          - dropout: 0.25
          - batch_normalization
          - dense: {units: 1, bias_initializer: "normal(0, c)"}
    loss: {l: "sum((f - y)^2)"}
    training: {optimizer: {adam: "0.01 * c"}, batch: 8, steps: 4}
    measures: {errors: "E((f - y)^2)", spread: E(std(f)), first: "f.dense_1.kernel[1, 0]"}
    """,
    "constraints by functions of draws and of what is swept": """
    functions: {keep(w): "clip(w, -c, c) * mask"}
    task: {draw: {mask: "bernoulli(c / 4, [3, 1])"}, example: {x: "normal([3])", y: "sum(x)"}}
    architecture:
      f: {input: x, layers: [dense: {units: 1, kernel_constraint: keep}]}
      p: {parameter: [3, 1], initializer: "normal(0, 1)", constraint: keep}
    loss: {l: (f + sum(p) - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1, use_ema: true, ema_momentum: 0.5}}, batch: 8, steps: 4}
    measures: {error: "E((f - y)^2)", size: sum(f.dense_1.kernel^2), now: sum(current(p)^2), then: sum(p^2)}
    """,
    "losses, their weights, and learning rates": """
    task: {example: {x: "normal([3])", y: "sign(x[0])"}}
    architecture: {f: {input: x, layers: [dense: 2, dense: 1]}, g: {input: x, layers: [dense: 1]}}
    loss: {hinge: "maximum(0, c - y * (f + g))", size: {of: f^2, weight: "0.1 * c / (1 + step)"}}
    training:
      optimizer: {f: {adamw: {learning_rate: 0.01 * c, weight_decay: 0.1}}, g: {sgd: "0.01 * c / (1 + step)"}}
      batch: 8
      steps: 4
    measures: {margin: "E(y * f < c)", hinge: "E(maximum(0, c - y * f))"}
    """,
    "functions, modes and layers of functions": """
    functions: {act(z): "tanh(c * z)", hard(z): "1 if z > c / 4 else 0"}
    gradient: {hard: {surrogate: "sigmoid(c * z)"}}
    task: {example: {x: "normal([3])", y: "sum([x[i] * c for i < 3])"}}
    architecture: {f: {input: x, layers: [dense: 4, apply: act, dense: 1]}}
    outputs: {o: hard(f)}
    loss: {l: (o - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 3}
    measures: {error: "E((o - y)^2)", gradient: "norm(E(gradient((f - c * y)^2, f.weights)))"}
    """,
    "finite data": """
    dtype: float64  # in a batch of 8, normalisation and dropout make more of float32's rounding than the tolerance
    task:
      data: {train: 24, test: 16}
      example: {x: "normal([3])", y: "x[0] * c"}
    architecture: {f: {input: x, layers: [dense: 4, batch_normalization, layer_normalization, dropout: 0.5, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {adam: 0.01}, batch: 8, steps: 5}
    measures: {error: "E((f - y)^2)", fitted: {of: "E((f - y)^2)", on: train}, as_trained: {of: "E((f - y)^2)", mode: training}}
    """,
    "enumerated data, and statistics of gradients": """
    task:
      data: {enumerate: x}
      draw: {w: "rademacher([3])"}
      example: {x: "rademacher([3])", y: "prod([w[i] * x[i] * c for i < 3])"}
    architecture: {f: {input: x, layers: [dense: 2, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, steps: 3}
    measures:
      error: "E((f - y)^2)"
      variance: {gradient_variance: {of: "(f - y)^2", weights: f.weights, over: w, draws: 8}}
    """,
    "numbers of optimisers": """
    task: {example: {x: "normal([3])", y: "sin(x[0])"}}
    architecture:
      s: {input: x, layers: [dense: 1]}
      a: {input: x, layers: [dense: 1]}
      w: {input: x, layers: [dense: 1]}
      r: {input: x, layers: [dense: 1]}
      d: {input: x, layers: [dense: 1]}
      m: {input: x, layers: [dense: 1]}
      l: {input: x, layers: [dense: 1]}
      g: {input: x, layers: [dense: 1]}
      n: {input: x, layers: [dense: 1]}
    loss: {l: "(s + a + w + r + d + m + l + g + n - y)^2"}
    training:
      optimizer:
        s: {sgd: {learning_rate: 0.01, momentum: c / 4, nesterov: true, weight_decay: c / 10}}
        a: {adam: {learning_rate: 0.01 * c, beta_1: c / 4, beta_2: 1 - c / 1000, epsilon: c / 1000}}
        w: {adamw: {learning_rate: 0.01 / (1 + step), weight_decay: c / 10}}
        r: {rmsprop: {learning_rate: 0.01, rho: 1 - c / 10, momentum: c / 4, epsilon: c / 1000}}
        d: {adadelta: {learning_rate: 0.1, rho: 1 - c / 10, epsilon: c / 1000}}
        m: {adamax: {learning_rate: 0.01, beta_1: c / 4, beta_2: 1 - c / 100, epsilon: c / 1000}}
        l: {lion: {learning_rate: 0.01, beta_1: c / 4, beta_2: 1 - c / 10}}
        g: {adagrad: {learning_rate: 0.1, epsilon: c / 10}}
        n: {nadam: {learning_rate: 0.01, epsilon: c / 10}}
      batch: 8
      steps: 5
    measures: {error: "E((s + a + w + r - y)^2)", moved: "sum(d.weights^2) + sum(m.weights^2)", others: "sum(l.weights^2) + sum(g.weights^2) + sum(n.weights^2)"}
    """,
    "time, players, and gradients by names": """
    task: {example: {x: "normal([2])", z: "normal([2])", y: "c * phase + 0.1 * step * x[0]"}}
    architecture:
      G: {input: z, layers: [dense: {units: 2, name: out}]}
      D: {input: x, layers: [dense: {units: 3, activation: tanh, name: hid}, dense: 1]}
    loss: {critic: "c * (norm(gradient(D(x), x)) - 1)^2 + (D - y)^2 + 0.1 * sum(fisher * D.hid.kernel^2)", fool: "D(G)^2 + c * sum(after(a, G.out)^2)"}
    training:
      optimizer: {adam: "0.01 * c / (1 + step)"}
      batch: 8
      phases: {a: {steps: 2, loss: {critic: "(D - c * y)^2", fool: "D(G)^2"}}, b: {steps: 1, times: 2, restart: [D.hid]}}
      updates: {D: {networks: [D], loss: [critic], times: 2}, G: {networks: [G], loss: [fool]}}
    estimates: {fisher: {after: a, of: "c * E(gradient(D^2, D.hid.kernel)^2)", examples: 48}}
    measures: {fish: sum(fisher), hid: "E(sum(D.hid))", moved: "norm(G.weights - initial(G.weights))", then: "E(sum(after(a, G)))", slope: "E(norm(gradient(c * D, x)))"}
    """,
    "measures at the start alone, of a whitened input, in float64": """
    dtype: float64
    task: {example: {x: "[normal() * c, normal()]"}}
    architecture:
      f: {input: x, layers: [whiten: {examples: 64}, dense: {units: 4, kernel_initializer: "normal(0, c)"}, dense: 1]}
      w: {parameter: [2], initializer: ones}
    measures: {size: "E(f^2) * c * sum(w)", noise: {gradient_noise: {of: f^2, weights: f.dense_1.kernel, examples: 128}}}
    """,
}


def cells(body: str) -> tuple[Program, ...]:
    plan = spec.resolve(spec.parse(Source("side_by_side.yaml", HEAD + body)))
    return plan.experiments[0].programs


def outcome(compiled: Compiled, steps: int) -> dict[str, Any]:
    compiled.train(steps)
    return compiled.evaluate()


@cache
def outcome_alone(place: str, number: int) -> tuple[dict[str, Any], list[Any], int]:
    """What the plain graph of one cell by itself measures, its state after training, and its steps."""
    program = cells(BODIES[place])[number]
    steps = program.training.steps if program.training else 0
    alone = Compiled(program, (0, 1), False)
    return outcome(alone, steps), alone.saved()[0], steps


GRAPHS = ("draws, examples, distributions, and a start made of them", "finite data")
"""Compiled as plain graphs, too."""


@pytest.mark.parametrize(
    ("place", "xla"), [*((place, True) for place in BODIES), *((place, False) for place in GRAPHS)]
)
def test_a_row_is_the_cell_alone(place: str, xla: bool) -> None:
    """The cell alone is a plain graph, whichever form the rows take."""
    programs = cells(BODIES[place])
    batch = merge_cells(programs)
    assert batch is not None
    number = 2
    measures, state, steps = outcome_alone(place, number)
    together = Compiled(batch, (0, 1), xla)
    found = outcome(together, steps)
    assert found.keys() == measures.keys() and len(found) > 0
    for name, value in measures.items():
        own = found[name].reshape(len(programs), 2, *value.shape[1:])[number]
        np.testing.assert_allclose(own, value, rtol=2e-5, atol=1e-6, err_msg=name)
    for own, value in zip(together.saved()[number], state, strict=True):
        assert own.shape == value.shape and own.dtype == value.dtype
        np.testing.assert_allclose(own, value, rtol=2e-4, atol=1e-6)


OPTIMISERS = """
    dtype: float64
    task: {{example: {{x: "normal([3])", y: "c * sum(x)"}}}}
    architecture: {{{networks}}}
    loss: {{{losses}}}
    training: {{optimizer: {{{optimizers}}}, batch: 8, steps: 4}}
    measures: {{m: "E(c * f_sgd)"}}
"""


def test_every_optimiser_changes_each_cell_as_it_does_alone() -> None:
    """A kernel and a bias each, so that what an optimiser keeps for all weights together is kept once a step."""
    names = [name for name, row in OPTIMIZERS.items() if row.elementwise]
    arguments = "{learning_rate: 0.0625 * c, weight_decay: 0.5, use_ema: true}"
    programs = cells(
        OPTIMISERS.format(
            networks=", ".join(f"f_{name}: {{input: x, layers: [dense: 1]}}" for name in names),
            losses=", ".join(f"l_{name}: (f_{name} - y)^2" for name in names),
            optimizers=", ".join(f"f_{name}: {{{name}: {arguments}}}" for name in names),
        )
    )
    batch = merge_cells(programs)
    assert batch is not None and not any(program.one_replicate_at_a_time for program in programs)
    together, alone = Compiled(batch, (0, 1), False), Compiled(programs[2], (0, 1), False)
    outcome(together, 4), outcome(alone, 4)
    labels = [variable.path for variable in [*alone.state.variables()]]
    for label, own, value in zip(labels, together.saved()[2], alone.saved()[0], strict=True):
        np.testing.assert_allclose(own, value, rtol=1e-9, atol=1e-12, err_msg=label)


# -- as jobs -------------------------------------------------------------------------------------------------------------

RATES = """
    task: {data: {train: 32, test: 16}, example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: {units: 4, activation: relu}, dense: 1]}}
    loss: {l: (f - y)^2}
    training:
      optimizer: {sgd: {learning_rate: "RATE", momentum: 0.9 - c / 1000}}
      batch: 8
      steps: 12
      evaluate: {every: 4}
      until: final(error) < 0.6
    measures: {error: "E((f - y)^2)", sure: "E(f > y)", scaled: "E(abs(f - y)) * c"}
"""
"""At the rates 0.005, 0.05 and 1e30: the last diverges, the second may stop early."""


class Heard(Silent):
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def compiling(self, job: Job) -> None:
        self.told.append(("compiling", job.number))

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        assert all(len(value) == len(job.batch.numbers) for value in measures.values())
        self.told.append(("evaluated", job.number))


def jobs_of(programs: Sequence[Program], folder: Path | None = None, wide: int = 0) -> list[Job]:
    batches = [ReplicateBatch(CellRequest.of(one, "cpu"), (0, 1), wide) for one in programs]
    made_by = {"test": "side by side"}
    kept = [Checkpoints(folder / f"{n}.ckpt", made_by, 0.0) if folder else None for n in range(len(batches))]
    return [Job(n, batch, "xla", checkpoints) for n, (batch, checkpoints) in enumerate(zip(batches, kept, strict=True))]


def group_of(programs: Sequence[Program], folder: Path | None = None, wide: int = 0) -> JobGroup:
    batch = merge_cells(programs)
    assert batch is not None
    return JobGroup(tuple(jobs_of(programs, folder, wide)), batch)


def assert_same(found: Replicate, expected: Replicate) -> None:
    assert (found.key, found.status, found.steps, found.end) == (
        expected.key, expected.status, expected.steps, expected.end,
    )  # fmt: skip
    for name in ("error", "scaled"):
        np.testing.assert_allclose(found.curves[name], expected.curves[name], rtol=1e-4)
    assert np.array_equal(found.curves["sure"], expected.curves["sure"])


@pytest.fixture(scope="module")
def rates() -> tuple[Program, ...]:
    text = RATES.replace("RATE", "0.005 if c < 1 else (0.05 if c < 2 else 1e30)")
    return cells(text)


@pytest.fixture(scope="module")
def alone(rates: tuple[Program, ...]) -> list[list[Replicate]]:
    return [train(job, Silent(), threading.Event()) for job in jobs_of(rates)]


def test_jobs_side_by_side_are_compiled_once_and_neither_stop_nor_change_each_other(
    rates: tuple[Program, ...], alone: list[list[Replicate]]
) -> None:
    """Compiled for three replicates each, of which there are two."""
    heard, forms = Heard(), ProgramCache()
    found = train_group(group_of(rates, wide=3), heard, threading.Event(), forms)
    assert forms.compiled == 1 and heard.told.count(("compiling", 0)) == 1
    assert {replicate.status for replicate in found[2]} == {"diverged"}
    assert {replicate.status for replicate in (*found[0], *found[1])} == {"done"}
    assert found[0][0].steps == [0, 4, 8, 12] and min(len(one.steps) for one in found[1]) < 4
    for own, expected in zip(found, alone, strict=True):
        for replicate, other in zip(own, expected, strict=True):
            assert_same(replicate, other)


def test_cells_one_after_the_other_go_through_what_was_compiled_once(
    rates: tuple[Program, ...], alone: list[list[Replicate]]
) -> None:
    forms, group = ProgramCache(), group_of(rates)
    for place, expected in enumerate(alone):
        (found,) = train_group(group.only([place]), Silent(), threading.Event(), forms)
        for replicate, other in zip(found, expected, strict=True):
            assert_same(replicate, other)
    assert forms.compiled == 1


@pytest.mark.parametrize("first", ["together", "alone"])
def test_a_checkpoint_is_that_of_a_cell_whoever_was_beside_it(
    rates: tuple[Program, ...], alone: list[list[Replicate]], tmp_path: Path, first: str
) -> None:
    """Stopped after four steps side by side and gone on with alone, and the other way round."""
    some = rates[:2]
    stop = threading.Event()
    stop.set()
    ways = {
        "together": lambda stop: train_group(group_of(some, tmp_path, wide=3), Silent(), stop),
        "alone": lambda stop: [train(job, Silent(), stop) for job in jobs_of(some, tmp_path)],
    }
    before = ways.pop(first)(stop)
    assert {replicate.status for one in before for replicate in one} == {"interrupted"}
    (after,) = ways.values()
    for own, expected in zip(after(threading.Event()), alone, strict=False):
        for replicate, other in zip(own, expected, strict=True):
            assert_same(replicate, other)


def test_a_fault_beside_others_ends_none_of_them(rates: tuple[Program, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for several at once, as for want of memory, is run again one after the other."""
    take = ProgramCache.take

    def fails(self: ProgramCache, given: Any, *more: Any) -> Compiled:
        if len(given.programs) > 1:
            raise MemoryError("too large")
        return take(self, given, *more)

    monkeypatch.setattr(ProgramCache, "take", fails)
    found = train_group(group_of(rates[:2]), Silent(), threading.Event())
    assert {replicate.status for one in found for replicate in one} == {"done"}


def test_a_checkpoint_that_cannot_be_put_away_ends_its_own_job_alone(
    rates: tuple[Program, ...], tmp_path: Path
) -> None:
    """A folder where the file should be: it can neither be read nor removed."""
    group = group_of(rates[:2], tmp_path)
    (tmp_path / "0.ckpt").mkdir()
    failed, done = train_group(group, Silent(), threading.Event())
    assert {replicate.status for replicate in failed} == {"failed"} and "0.ckpt" in failed[0].message
    assert {replicate.status for replicate in done} == {"done"}


# -- what is not merged --------------------------------------------------------------------------------------------------

APART = {
    "a shape": ('example: {x: "normal([3])"', 'example: {x: "normal([2 + (1 if c > 1 else 0)])"'),
    "a number of steps": ("steps: 3", "steps: 2 + (1 if c > 1 else 0)"),
    "a batch": ("batch: 8", "batch: 8 + (1 if c > 1 else 0)"),
    "an exponent": ("(f - y)^2}", "abs(f - y)^c}"),
    "an argument of a layer": ("dense: 2", "dense: 2, dropout: c / 4"),
    "a number of an optimiser that is 0": (
        "{sgd: 0.1}",
        "{sgd: {learning_rate: 0.1, momentum: 'c / 4 if c > 1 else 0'}}",
    ),
    "a number that all weights share": ("{sgd: 0.1}", "{nadam: {learning_rate: 0.1, beta_1: c / 4}}"),
    "an argument of an optimiser": ("{sgd: 0.1}", "{sgd: {learning_rate: 0.1, clipvalue: c / 4}}"),
    "other terms": ("sum(x)", "sum(x) if c > 1 else max(x)"),
}
BASE = """
    task: {example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 2, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 3}
    measures: {size: "E(f^2) * c"}
"""


@pytest.mark.parametrize("what", APART)
def test_what_differs_in_more_than_numbers_stays_apart(what: str) -> None:
    assert merge_cells(cells(BASE)) is not None
    assert BASE.count(APART[what][0]) == 1
    assert merge_cells(cells(BASE.replace(*APART[what]))) is None

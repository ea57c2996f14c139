"""Cells of one form share a compiled program, and their numbers are those of programs of their own.

That every optimiser starts anew is held by `test_state`, with programs that go on, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import MAX_IDLE, ProgramCache
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program

from tests.interpreter.conftest import Silent

BODY = """
constants: {scale: 1.5}
seed: 3
task: {draw: {v: "scale * normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}}
architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh, bias_initializer: 0.1}, LAYER, dense: 1]}}
loss: {squared: (f - y)^2}
training: {optimizer: OPTIMIZER, batch: 8, steps: 12, evaluate: {every: 4, examples: 64}}
measures: {error: E((f - y)^2), size: sum(f.weights^2), noise: {gradient_noise: {of: (f - y)^2, weights: f.weights, examples: 64}}}
figures: {g: {kind: images, image: "outer(x, x)", count: 3}}
replicates: 2
"""


def body(optimizer: str = "{adam: {learning_rate: 0.05}}", layer: str = "batch_normalization: {}") -> str:
    return BODY.replace("OPTIMIZER", optimizer).replace("LAYER", layer)


def numbers(compiled: Compiled) -> dict[str, bytes]:
    """All that comes out of twelve steps, to the bit."""
    compiled.train(12)
    found = compiled.evaluate()
    for plan in compiled.program.probes:
        found |= compiled.probe(plan)
    found.update({f"state {place}": value for place, value in enumerate(compiled.saved()[0])})
    return {name: value.tobytes() for name, value in found.items()}


def traces(compiled: Compiled) -> int:
    """How often the functions of a compiled program were traced."""
    measured = compiled.measuring.at(12)
    functions = [compiled.train_step.loop, measured.evaluation._compiled, *measured._shown.values()]
    functions += [statistic._compiled for statistic in measured.statistics]
    return sum(function.function.experimental_get_tracing_count() for function in functions)


CHANGES = {
    "another seed": ("seed: 3", "seed: 4"),
    "another constant in a draw": ("scale: 1.5", "scale: 2.5"),
    "another draw": ("scale * normal([3])", "uniform(-1, scale, [3])"),
    "another learning rate": ("learning_rate: 0.05", "learning_rate: 0.005"),
    "another start": ("bias_initializer: 0.1", 'bias_initializer: "normal(0, 1)"'),
    "other steps": ("steps: 12, evaluate: {every: 4", "steps: 20, evaluate: {every: 5"),
}
"""What is no part of a compiled program."""


@pytest.mark.parametrize("xla", [False, True])
def test_seeds_draws_starts_and_rates_are_inputs(program: Callable[[str], Program], xla: bool) -> None:
    """Each alone takes up the same program and changes its numbers, all together give those of a program of its own."""
    first = program(body())
    forms = ProgramCache()
    compiled = forms.take(first, (0, 1), xla)
    before = numbers(compiled)
    traced = traces(compiled)
    assert traced == 4
    forms.leave(compiled)
    together = body()
    for name, (old, new) in CHANGES.items():
        assert old in together
        together = together.replace(old, new)
        again = forms.take(program(body().replace(old, new)), (0, 1), xla)
        assert again is compiled, name
        changed = {key for key, value in numbers(again).items() if value != before[key]}
        assert bool(changed) == (name != "other steps"), name
        forms.leave(again)
    made = program(together)
    again = forms.take(made, (4, 2), xla)
    assert again is compiled
    assert numbers(again) == numbers(Compiled(made, (4, 2), xla))
    assert traces(again) == traced, "nothing is compiled"
    forms.leave(again)
    assert forms.compiled == 1
    assert numbers(forms.take(first, (0, 1), xla)) == before, "and back, as if nothing had been between"


WHITENED = "whiten: {examples: 64}, dropout: 0.5"


@pytest.mark.parametrize(
    ("layer", "more"),
    [
        (WHITENED, ""),
        ("batch_normalization: {}", "\ndata: {train: 50, test: 40}"),
    ],
)
def test_what_is_made_of_examples_is_made_anew(layer: str, more: str, program: Callable[[str], Program]) -> None:
    text = body("{adam: {use_ema: true, ema_momentum: 0.9}}", layer)
    text = text.replace("task: {", f"task: {{{more.strip()}, ") if more else text
    text = text.replace(", examples: 64}}", "}}") if more else text
    forms = ProgramCache()
    compiled = forms.take(program(text), (0, 1), False)
    numbers(compiled)
    forms.leave(compiled)
    other = program(text.replace("seed: 3", "seed: 5"))
    again = forms.take(other, (0, 1), False)
    assert again is compiled
    assert numbers(again) == numbers(Compiled(other, (0, 1), False))


def test_what_is_compiled_in_is_not_shared(program: Callable[[str], Program]) -> None:
    forms = ProgramCache()
    forms.leave(forms.take(program(body()), (0, 1), False))
    apart = {
        "the loss": body().replace("squared: (f - y)^2", "squared: abs(f - y)"),
        "a measure": body().replace("sum(f.weights^2)", "sum(abs(f.weights))"),
        "the batch": body().replace("batch: 8", "batch: 9"),
        "a rate in the step": body("{adam: {learning_rate: 0.05 / (1 + step)}}"),
        "a moment's decay": body("{adam: {learning_rate: 0.05, beta_1: 0.8}}"),
        "a layer": body(layer="dense: 4"),
    }
    for place, (name, text) in enumerate(apart.items()):
        forms.leave(forms.take(program(text), (0, 1), False))
        assert forms.compiled == place + 2, name
    forms.take(program(body()), (0, 1, 2), False)
    forms.take(program(body()), (0, 1), True)
    assert forms.compiled == len(apart) + 3, "another number of replicates, and the other compiled form"


def test_two_at_once_have_one_each_and_few_are_kept(program: Callable[[str], Program]) -> None:
    forms, made = ProgramCache(), program(body())
    taken = [forms.take(made, (0,), False) for _ in range(MAX_IDLE + 2)]
    assert len({id(one) for one in taken}) == MAX_IDLE + 2
    with pytest.raises(ValueError, match="compiled for 1 replicates side by side, not 2"):
        taken[0].begin(made, (0, 1))
    for one in taken:
        forms.leave(one)
    assert forms.idle == taken[2:], "those left last"


@pytest.mark.parametrize("xla", [False, True])
def test_two_threads_have_one_compilation_and_numbers_of_their_own(
    program: Callable[[str], Program], xla: bool
) -> None:
    """Of another seed and rate each, one with a replicate fewer than is compiled: all is traced for whichever comes first."""
    text = body("{adamw: {learning_rate: 0.01, weight_decay: 0.1, use_ema: true}}", "dropout: 0.5")
    first, second = program(text), program(text.replace("seed: 3", "seed: 4").replace("scale: 1.5", "scale: 2.5"))
    forms, told = ProgramCache(), []
    one = forms.take(first, (0, 1), xla, lambda: told.append("one"), 2)
    two = forms.take(second, (3,), xla, lambda: told.append("two"), 2)
    assert one is not two and told == ["one"] and forms.compiled == 1
    assert two.beside and not one.beside, "the second compiles training first, and changes nothing by it"
    two.compile_training()
    assert two.step == 0 and traces(one) + traces(two) == 1
    found: dict[str, dict[str, bytes]] = {}
    threads = [
        threading.Thread(target=lambda name=name, own=own: found.update({name: numbers(own)}))
        for name, own in {"one": one, "two": two}.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert traces(one) + traces(two) == 4
    alone = Compiled(second, (3,), xla)
    for name, value in numbers(alone).items():
        kind = np.float64 if name in ("error", "size", "noise") else np.float32
        own, expected = np.frombuffer(found["two"][name], kind), np.frombuffer(value, kind)
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-6, err_msg=name)
    assert one.signature == two.signature and found["one"].keys() == found["two"].keys()
    assert all(
        found["one"][name] != value for name, value in found["two"].items() if name in ("error", "size", "noise")
    )
    assert [value.shape for value in two.saved()[0]] == [value.shape for value in alone.saved()[0]]
    two.restore(12, alone.saved())
    for own, value in zip(two.saved()[0], alone.saved()[0], strict=True):
        assert np.array_equal(own, value)


def test_a_second_cell_of_the_same_shapes_compiles_nothing(program: Callable[[str], Program]) -> None:
    told: list[int] = []

    class Told(Silent):
        def compiling(self, job: Job) -> None:
            told.append(job.number)

    forms = ProgramCache()
    for number, rate in enumerate((0.05, 0.02, 0.01)):
        made = program(body(f"{{adam: {{learning_rate: {rate}}}}}"))
        (batch,) = split_into_batches(CellRequest.of(made, "cpu"), range(2))
        cells: list[Any] = train(Job(number, batch, "xla"), Told(), threading.Event(), forms)
        assert [cell.status for cell in cells] == ["done", "done"], cells[0].message
    assert told == [0]


NAMED = """
dlspec: 1
study: t
experiments:
  e:
    task: {data: {files: {a_: x.npy, b_: y.npy}, train: 20, test: 10}, example: {x: a_, y: b_}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.001}, batch: 4, steps: 3}
    measures: {m: "E((f - y)^2)"}
"""


def test_the_same_files_under_other_names_are_another_program(tmp_path: Path) -> None:
    """What is compiled asks for columns by their names: the numbers are the same, and so is the digest of the form."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 3)).astype("f4"))
    np.save(tmp_path / "y.npy", np.arange(30, dtype="f4"))
    forms, found = ProgramCache(), []
    for text in (NAMED, NAMED.replace("a_", "c_").replace("b_", "d_")):
        source = Source(str(tmp_path / "t.yaml"), text)
        taken = forms.take(spec.resolve(spec.parse(source)).experiments[0].programs[0], (0,), False)
        taken.train(3)
        found.append((taken.signature, taken.evaluate()["m"]))
        forms.leave(taken)
    assert found[0] == found[1]

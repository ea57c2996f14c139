"""Programs that are trained in other ways and measured alike compile their measures once, and have the numbers of programs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from dlspec.interpreter.program import shared_functions
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.signature_digests import measured_digest, signature_digest

BODY = """
constants: {d: 3}
functions: {step(r): "floor(r)", soft(r): "sigmoid(4 * r)", inner(r): r^2}
task: {draw: {v: "normal([d])"}, example: {x: "normal([d])", y: "step(dot(v, x))"}}
architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh}, dense: 1]}}
outputs: {guess: step(f)}
loss: {squared: (guess - y)^2}
training: {optimizer: {adam: {learning_rate: 0.05}}, batch: 8, steps: 4, evaluate: {every: 2, examples: 32}}
measures: {error: E((guess - y)^2), MEASURE}
figures: {g: {kind: function, x: "x[0]", y: {guess: guess}}}
replicates: 2
variants:
  forward_only: {gradient: {step: forward_only}}
  surrogate: {gradient: {step: {surrogate: soft(r)}}, training: {batch: 4}}
  directly: {loss: {squared: (f - y)^2}, training: {optimizer: {sgd: {learning_rate: 0.1}}}}
"""
VALUES = "wrong: E(guess != y)"
DERIVATIVE = "steep: 'E(norm(gradient(guess, x)))'"


@pytest.fixture
def alike() -> Iterator[list[tuple[str, bool]]]:
    """The functions that are traced, by their beginnings, and whether another was there that computes the same."""
    found: list[tuple[str, bool]] = []
    first_alike = shared_functions._first_alike

    def noted(concrete: Any) -> Any:
        first = first_alike(concrete)
        found.append((concrete.name.decode().removeprefix("__inference_").partition("_")[0], first is not concrete))
        return first

    shared_functions._BY_DIGEST.clear()
    with mock.patch.object(shared_functions, "_first_alike", noted):
        yield found


def numbers(program: Program, xla: bool, cache: ProgramCache) -> dict[str, bytes]:
    """What is measured and shown at the start and after four steps, and the weights, to the bit."""
    compiled: Compiled = cache.take(program, range(2), xla)
    found: dict[str, Any] = {}
    for step in (0, 4):
        if step:
            compiled.train(step)
        for name, value in (compiled.evaluate() | compiled.probe(program.probes[0])).items():
            found[f"{name} {step}"] = value.tobytes()
    found |= {f"state {place}": value.tobytes() for place, value in enumerate(compiled.saved()[0])}
    cache.leave(compiled)
    return found


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_measures_and_figures_are_compiled_once_and_no_number_differs(
    xla: bool, programs: Callable[[str], dict[str, Program]], alike: list[tuple[str, bool]]
) -> None:
    every = programs(BODY.replace("MEASURE", VALUES))
    assert len({signature_digest(program) for program in every.values()}) == 3
    assert len({measured_digest(program) for program in every.values()}) == 1
    cache = ProgramCache()
    together = {name: numbers(program, xla, cache) for name, program in every.items()}
    again = {kind: [shared for name, shared in alike if name == kind] for kind in ("evaluate", "values", "train")}
    assert again["evaluate"] == again["values"] == [False, True, True]
    assert again["train"] == [False, False, False]
    for name, program in every.items():
        shared_functions._BY_DIGEST.clear()
        assert numbers(program, xla, ProgramCache()) == together[name], name
    assert together["forward_only"] != together["directly"], "they are trained in other ways"


def test_measures_that_take_derivatives_keep_the_modes_that_these_hang_on(
    programs: Callable[[str], dict[str, Program]], alike: list[tuple[str, bool]]
) -> None:
    every = programs(BODY.replace("MEASURE", DERIVATIVE))
    assert len({measured_digest(program) for program in every.values()}) == 3
    cache = ProgramCache()
    found = {name: numbers(program, False, cache) for name, program in every.items()}
    assert [shared for name, shared in alike if name == "evaluate"] == [False, False, False]
    assert len({found[name]["steep 0"] for name in every}) == 3, "one of them is 0: the derivative of a step"

"""An update goes on, in a later phase, with what the optimiser of its name kept; digests say so where names are no matter otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import Digests, training_digest
from dlspec.spec.passes.shared_borders import borders
from dlspec.spec.passes.signature_digests import signature_digest
from dlspec.spec.passes.training_digests import stored_meaning

BODY = """
dtype: float64
task: {data: {enumerate: k}, example: {k: integer(2)}}
architecture: {u: {parameter: [], initializer: 3.0}, v: {parameter: [], initializer: -2.0}}
loss: {first: 0.5 * (u - 1)^2, second: 0.5 * (v + 1)^2}
training:
  optimizer: {OPTIMIZER}
  phases:
    a: {steps: 3, updates: {U: {networks: [u], loss: [first], times: 2}, V: {networks: [v], loss: [second]}}}
    b: {steps: 2, updates: {OF_U: {networks: [u], loss: [first], times: 2}, OF_V: {networks: [v], loss: [second]}}}
    c: {steps: 1}
measures: {u: u, v: v}
"""
MOMENTUM = "sgd: {learning_rate: 0.1, momentum: 0.9}"


def body(of_u: str, of_v: str, optimizer: str = MOMENTUM) -> str:
    return BODY.replace("OF_U", of_u).replace("OF_V", of_v).replace("OPTIMIZER", optimizer)


@pytest.mark.parametrize(
    "names", [("U", "V"), ("W", "V"), ("W", "X"), ("V", "U")], ids=["same", "one", "both", "swapped"]
)
def test_momentum_is_that_of_the_update_of_the_name(compiled: Callable[..., Compiled], names: tuple[str, str]) -> None:
    """Beside NumPy; one that is called as the other before it is of other weights, and begins anew."""
    made = compiled(body(*names))
    made.train(5)
    found = made.evaluate()
    for weight, target, start, times, goes_on in (
        ("u", 1.0, 3.0, 2, names[0] == "U"),
        ("v", -1.0, -2.0, 1, names[1] == "V"),
    ):
        value, moved = start, 0.0
        for update in range(5 * times):
            if update == 3 * times and not goes_on:
                moved = 0.0
            moved = 0.9 * moved - 0.1 * (value - target)
            value += moved
        np.testing.assert_allclose(found[weight], value, rtol=1e-12, err_msg=weight)


def test_equal_digests_give_equal_numbers_whatever_updates_are_called(program: Callable[[str], Program]) -> None:
    def digests(of_u: str, of_v: str, optimizer: str = MOMENTUM) -> tuple[str, ...]:
        made = program(body(of_u, of_v, optimizer))
        return training_digest(made), signature_digest(made), *(one.key for one in borders(made, Digests())[1:])

    same, *others = (digests(*names) for names in (("U", "V"), ("W", "V"), ("W", "X"), ("V", "U")))
    for place, kinds in enumerate(zip(same, *others, strict=True)):
        assert len(set(kinds)) == 4, f"digest {place}"
    both = program(body("P", "Q").replace("U: {", "P: {").replace("V: {", "Q: {"))
    assert training_digest(both) == same[0]  # called otherwise in every phase
    plain = "sgd: {learning_rate: 0.1}"
    assert digests("U", "V", plain)[0] == digests("W", "X", plain)[0]  # nothing is kept


BETWEEN = """
    b: {steps: 2, restart: [optimizer], gradient: {v: freeze}, updates: {U: {networks: [u], loss: [first]}}, loss: {first: 0.5 * (u - 1)^2}}
    c: {steps: 2, gradient: {v: exact}, OF_C updates: {U: {networks: [u], loss: [first]}, V: {networks: [v], loss: [second]}}}
measures:"""


@pytest.mark.parametrize("again", ["", "optimizer: {sgd: {momentum: 0.9}}, "], ids=["the same", "said again"])
def test_optimisers_that_a_phase_restarts_begin_anew_where_it_has_no_update_of_them(
    compiled: Callable[..., Compiled], again: str
) -> None:
    """Also where phases before and behind it share what they keep: equal programs, and equal numbers."""
    before, _ = body("U", "V").split("    b:")
    text = before + BETWEEN.replace("OF_C ", again).lstrip("\n") + " {u: u, v: v}"
    made = compiled(text)
    v, moved = -2.0, 0.0
    for phase in "aaabbcc":
        made.train(1)
        if phase == "b":
            moved = 0.0
        else:
            moved = 0.9 * moved - 0.1 * (v + 1)
            v += moved
        np.testing.assert_allclose(made.evaluate()["v"], v, rtol=1e-12)
    assert "kept by phases" in stored_meaning(made.program)
    assert training_digest(made.program) == training_digest(compiled(text.replace(again, "")).program)


RATES = """
dtype: float64
task: {data: {enumerate: k}, example: {k: integer(2)}}
architecture: {u: {parameter: [], initializer: 3.0}}
loss: {l: 0.5 * (u - 1)^2}
training:
  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.5}}
  phases: {a: {steps: 2}, b: {steps: 2}, c: {steps: 2}}
measures: {u: u}
"""


@pytest.mark.parametrize("first", [(0.1, 0.1, 0.1), (0.1, 0.05, 0.1)], ids=["one", "two"])
def test_what_is_compiled_serves_learning_rates_of_phases_that_share_their_optimisers_alike(
    program: Callable[[str], Program], first: tuple[float, ...]
) -> None:
    """One that is compiled for an optimiser of all phases, begun with another rate in one of them, took that of the last in all."""

    def of(rates: tuple[float, ...]) -> Program:
        text = RATES
        for phase, rate in zip("abc", rates, strict=True):
            if rate != 0.1:
                own = f"{phase}: {{steps: 2, optimizer: {{sgd: {{learning_rate: {rate}}}}}}}"
                text = text.replace(f"{phase}: {{steps: 2}}", own)
        return program(text)

    made, served = Compiled(of(first), (0,), False), 0
    for rates in ((0.1, 0.1, 0.1), (0.1, 0.05, 0.1), (0.1, 0.2, 0.1), (0.1, 0.05, 0.02), (0.1, 0.1, 0.3)):
        if signature_digest(of(rates)) != made.signature:
            continue
        served += 1
        made.begin(of(rates), (0,))
        u, moved = 3.0, 0.0
        for rate in np.repeat(rates, 2):
            made.train(1)
            moved = 0.5 * moved - rate * (u - 1)
            u += moved
            np.testing.assert_allclose(made.evaluate()["u"], u, rtol=1e-12, err_msg=str(rates))
    assert served == (1 if first[1] == 0.1 else 2)

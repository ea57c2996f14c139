"""Random courses of training beside NumPy: free parameters go down sums of squares, in phases or updates, and optimisers keep their state or begin anew."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source

NAMES = ("a", "b", "c")
COURSES = 10
QUICK = (0, 2, 5, 8)
"""Which have all parts among them: the others are run with the slow tests."""
XLA = (0, 5)
ADAM = {"beta_1": 0.8, "beta_2": 0.999, "epsilon": 1e-7}

Values = dict[str, float]
Rate = float | str


@dataclass
class Term:
    """A term of a loss, as it is written and by its gradient at values and a step."""

    written: Any
    gradient: Callable[[Values, int], Values]
    names: set[str]


def scheduled(rate: Rate, step: int) -> float:
    """A number, or an expression in the step."""
    return float(eval(rate, {"step": step})) if isinstance(rate, str) else rate


def made_term(pick: random.Random, names: list[str]) -> Term:
    """A weighted sum of squares, some with a product of two parameters."""
    sizes = {name: round(pick.uniform(0.2, 1.5), 2) for name in names}
    places = {name: round(pick.uniform(-1, 1), 2) for name in names}
    coupled = round(pick.uniform(-0.3, 0.3), 2) if len(names) > 1 else 0.0
    first, second = names[0], names[-1]
    weight = pick.choice([1.0, 0.5, "1 / (step + 1)", "(step + 1) / 10"])
    text = (
        " + ".join(f"{sizes[n]} * ({n} - ({places[n]}))^2 / 2" for n in names) + f" + ({coupled}) * {first} * {second}"
    )

    def gradient(x: Values, step: int) -> Values:
        found = {n: sizes[n] * (x[n] - places[n]) for n in names}
        if len(names) > 1:
            found[first] += coupled * x[second]
            found[second] += coupled * x[first]
        return {n: scheduled(weight, step) * value for n, value in found.items()}

    if len(names) == 1:
        text = text.rpartition(" + ")[0]
    return Term({"of": text, "weight": weight}, gradient, set(names))


@dataclass
class Optimizer:
    """SGD, with momentum or Nesterov's, or Adam, as Keras has them."""

    kind: str
    rate: Rate
    count: int = 0
    first: Values = field(default_factory=dict)
    second: Values = field(default_factory=dict)

    def written(self, **more: Any) -> dict[str, Any]:
        """As a spec says it."""
        if self.kind == "adam":
            return {"adam": {"learning_rate": self.rate, **ADAM, **more}}
        momentum = {} if self.kind == "sgd" else {"momentum": 0.9, "nesterov": self.kind == "nesterov"}
        return {"sgd": {"learning_rate": self.rate, **momentum, **more}}

    def begin(self) -> None:
        """Forgets all that it keeps."""
        self.count, self.first, self.second = 0, {}, {}

    def apply(self, x: Values, gradient: Values, step: int) -> None:
        """One update, in place."""
        self.count += 1
        rate, one, two = scheduled(self.rate, step), ADAM["beta_1"], ADAM["beta_2"]
        for name, g in gradient.items():
            m, v = self.first.get(name, 0.0), self.second.get(name, 0.0)
            if self.kind == "adam":
                m, v = one * m + (1 - one) * g, two * v + (1 - two) * g**2
                corrected = rate * np.sqrt(1 - two**self.count) / (1 - one**self.count)
                x[name] -= corrected * m / (np.sqrt(v) + ADAM["epsilon"])
            elif self.kind == "sgd":
                x[name] -= rate * g
            else:
                m = 0.9 * m - rate * g
                x[name] += m if self.kind == "momentum" else 0.9 * m - rate * g
            self.first[name], self.second[name] = m, v


def made_optimizer(pick: random.Random) -> Optimizer:
    return Optimizer(pick.choice(["sgd", "momentum", "nesterov", "adam"]), pick.choice([0.1, 0.05, "0.2 / (1 + step)"]))


@dataclass
class Round:
    """An update: which parameters go down which terms, how often, by which optimiser."""

    names: tuple[str, ...]
    terms: list[str]
    optimizer: Optimizer
    times: int = 1


@dataclass
class Stretch:
    """A phase: its steps and passes, the terms in force, another rate, and whether optimisers begin anew."""

    steps: int
    times: int = 1
    terms: list[str] | None = None
    rate: float | None = None
    restart: bool = False


@dataclass
class Course:
    """A whole training, as it is written and as it is made here."""

    written: dict[str, Any]
    initial: Values
    terms: Mapping[str, Term]
    rounds: list[Round]
    stretches: list[Stretch]

    def values(self) -> list[dict[str, float]]:
        """What is measured before the first step and after each."""
        x, step, number, kept = dict(self.initial), 0, 0, float("nan")
        found = [self._measured(x, step, number, kept)]
        rates = [own.optimizer.rate for own in self.rounds]
        for stretch in self.stretches:
            for own, rate in zip(self.rounds, rates, strict=True):
                own.optimizer.rate = rate if stretch.rate is None else stretch.rate
            for _ in range(stretch.times):
                for own in self.rounds if stretch.restart else ():
                    own.optimizer.begin()
                for _ in range(stretch.steps):
                    self._step(x, step, stretch)
                    step += 1
                    found.append(self._measured(x, step, number, kept))
                if stretch is self.stretches[0]:
                    kept = x["b"]
                number += 1
        return found

    def _step(self, x: Values, step: int, stretch: Stretch) -> None:
        for own in self.rounds:
            for _ in range(own.times):
                gradient: Values = {}
                for term in stretch.terms or own.terms:
                    for name, value in self.terms[term].gradient(x, step).items():
                        gradient[name] = gradient.get(name, 0.0) + value
                own.optimizer.apply(x, {name: gradient[name] for name in own.names if name in gradient}, step)

    def _measured(self, x: Values, step: int, number: int, kept: float) -> dict[str, float]:
        return {**x, "moved": x["a"] - self.initial["a"], "at": step, "pass": number, "since": x["b"] - kept}


def made_course(seed: int) -> Course:
    """A random course."""
    pick = random.Random(seed)
    initial = {name: round(pick.uniform(-1, 1), 2) for name in NAMES}
    groups = [pick.sample(NAMES, pick.randint(1, 3)) for _ in range(pick.randint(1, 2))] + [list(NAMES)]
    terms = {f"t{place}": made_term(pick, names) for place, names in enumerate(groups)}
    main = made_optimizer(pick)
    training: dict[str, Any] = {"optimizer": main.written(), "batch": 2}
    rounds = [Round(NAMES, list(terms), main)]
    if in_updates := pick.random() < 0.5:
        cut = pick.randint(1, 2)
        last = list(terms)[-1]  # all parameters are in it
        rounds = [Round(NAMES[:cut], list(terms), Optimizer(main.kind, main.rate), pick.randint(1, 3))]
        rounds.append(Round(NAMES[cut:], [last], made_optimizer(pick), pick.randint(1, 2)))
        training["updates"] = {
            "one": {"networks": list(rounds[0].names), "loss": rounds[0].terms, "times": rounds[0].times},
            "two": {
                "networks": list(rounds[1].names), "loss": [last], "times": rounds[1].times,
                "optimizer": rounds[1].optimizer.written(),
            },
        }  # fmt: skip
    stretches, phases = [Stretch(pick.randint(1, 4))], {}
    for _ in range(pick.randint(0, 2)):
        own = Stretch(pick.randint(1, 4), pick.randint(1, 3), restart=pick.random() < 0.4)
        if not in_updates:
            own.terms = pick.sample(sorted(terms), pick.randint(1, len(terms))) if pick.random() < 0.5 else None
            own.rate = pick.choice([None, 0.03, 0.2])
        stretches.append(own)
    for place, own in enumerate(stretches):
        phases[f"p{place}"] = {
            "steps": own.steps, "times": own.times,
            **({"loss": {name: terms[name].written for name in own.terms}} if own.terms else {}),
            **({"optimizer": {next(iter(main.written())): {"learning_rate": own.rate}}} if own.rate else {}),
            **({"restart": ["optimizer"]} if own.restart else {}),
        }  # fmt: skip
    training["phases"] = phases
    training["evaluate"] = {"every": 1}
    measures = {**{name: name for name in NAMES}, "moved": "a - initial(a)", "at": "step", "pass": "phase"}
    written = {
        "task": {"example": {"x": "normal()"}},
        "architecture": {name: {"parameter": [], "initializer": value} for name, value in initial.items()},
        "loss": {name: term.written for name, term in terms.items()},
        "training": training,
        "measures": {**measures, "since": "b - after(p0, b)"},
        "replicates": 2,
        "dtype": "float64",
    }
    return Course(written, initial, terms, rounds, stretches)


@pytest.mark.parametrize(
    ("seed", "xla"),
    [
        pytest.param(seed, xla, marks=[] if seed in (XLA if xla else QUICK) else pytest.mark.slow)
        for seed in range(COURSES)
        for xla in (False, True)
        if not xla or seed in XLA or seed % 3 == 0
    ],
)
def test_a_course_is_numpys(seed: int, xla: bool) -> None:
    course = made_course(seed)
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": course.written}}, indent=1)
    (program,) = spec.resolve(spec.parse(Source("course.yaml", text))).experiments[0].programs
    compiled = Compiled(program, (0, 1), xla)
    for step, expected in enumerate(course.values()):
        if step:
            compiled.train(1)
        found = compiled.evaluate()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-11, atol=1e-12, err_msg=f"{name} at {step}")


def test_the_courses_have_all_parts() -> None:
    courses = [made_course(seed) for seed in QUICK]
    assert {own.optimizer.kind for course in courses for own in course.rounds} == {
        "sgd",
        "momentum",
        "nesterov",
        "adam",
    }
    assert any(len(course.rounds) > 1 and len(course.stretches) > 1 for course in courses)
    for part in ("terms", "rate", "restart"):
        assert any(getattr(own, part) for course in courses for own in course.stretches), part

"""Points of a sweep take up what they have in common: the plan is the one that each point gives when it is checked alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.check import memo as sharing
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program, StudyPlan
from dlspec.spec.passes.digests import measure_digest

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml"))
STUDY = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 3, twice: 2 * n, rate: 0.1, other: 4}
    functions: {scaled(r): r * twice, plain(r): r * other}
    task: {draw: {v: "normal([n])", w: normal()}, example: {x: "normal([n])", z: normal(), y: "dot(v, x)"}}
    architecture:
      f: {input: x, layers: [dense: twice]}
      g: {input: "[z]", layers: [dense: 1]}
    outputs: {out: scaled(g), same: plain(g)}
    loss: {l: "sum(f)^2", m: "(out - z)^2", p: "(same - w)^2"}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 4, steps: 10}
    measures: {shared: E(same^2), size: "E(sum(f))", weights: sum(g.dense.kernel), floor: {gradient_snr: {of: "(same - w)^2", weights: g.weights, examples: 64}}}
    sweep: {n: [2, 3], rate: [0.1, 0.2]}
"""
EVERY = {"x", "y", "z", "f", "g", "l", "m", "p", "shared", "size", "weights", "floor", "floor_floor"}


def resolved(text: str) -> StudyPlan:
    return spec.resolve(spec.parse(Source("s.yaml", text)))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes every point be checked for itself."""

    def made() -> None:
        monkeypatch.setattr(sharing.Shared, "find", lambda self, part, answer: None)
        monkeypatch.setattr(sharing.Shared, "note", lambda self, part, told, found: None)

    return made


def meanings(plan: StudyPlan) -> list[Any]:
    programs = [program for each in plan.experiments for program in each.programs]
    return [
        (program.name, program.digest, {measure.name: measure_digest(program, measure) for measure in program.measures})
        for program in programs
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_studies_mean_the_same(path: Path, alone: Callable[[], None]) -> None:
    document = spec.load(str(path))
    together = [meanings(spec.resolve(document, profile)) for profile in (None, *document.study.profiles)]
    alone()
    assert together == [meanings(spec.resolve(document, profile)) for profile in (None, *document.study.profiles)]


def in_common(one: Program, other: Program) -> set[str]:
    """The parts that two programs share."""
    named = [(item.name, item.term, own.term) for item, own in zip(one.examples, other.examples, strict=True)]
    for group in ("networks", "loss", "measures"):
        named += [(a.name, a, b) for a, b in zip(getattr(one, group), getattr(other, group), strict=True)]
    return {name for name, a, b in named if a is b}


def test_a_part_is_checked_once_for_all_points_that_tell_it_the_same(alone: Callable[[], None]) -> None:
    plan = resolved(STUDY)
    (small, other_rate, large, large_other_rate) = plan.experiments[0].programs
    assert in_common(small, other_rate) == EVERY, "a learning rate is no part of any of these"
    assert in_common(large, large_other_rate) == EVERY
    assert in_common(small, large) == EVERY - {"x", "y", "f", "l", "size"}, "not what is told another number or shape"
    assert small.training is not None and other_rate.training is not None
    assert small.training.phases[0].optimizers != other_rate.training.phases[0].optimizers
    sizes = [program.networks[0].leaves()[0].weights["kernel"] for program in plan.experiments[0].programs]
    assert sizes == [(2, 4), (2, 4), (3, 6), (3, 6)]
    together = meanings(plan)
    alone()
    assert meanings(resolved(STUDY)) == together


def test_what_follows_a_value_of_the_same_type_is_shared(alone: Callable[[], None]) -> None:
    """A swept factor changes the example that it stands in, and no type: all that uses the example is as it was."""
    text = STUDY.replace('x: "normal([n])"', 'x: "rate * normal([n])"')
    first, second, *_ = resolved(text).experiments[0].programs
    assert in_common(first, second) == EVERY - {"x"}
    assert first.digest != second.digest
    together = meanings(resolved(text))
    assert len({measures["size"] for _, _, measures in together}) == 4, "the measure is over other examples"
    alone()
    assert meanings(resolved(text)) == together


def test_a_network_that_looks_at_how_many_examples_there_are(alone: Callable[[], None]) -> None:
    """Whitening takes no more examples than there are in the training set, which the network does not name."""
    text = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 100}
    task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}, data: {train: n, test: 50}}
    architecture: {f: {input: x, layers: [whiten: {}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 10}
    measures: {error: E((f - y)^2)}
    sweep: {n: [100, 200]}
"""
    plan = resolved(text)
    assert [program.networks[0].layers[0].examples for program in plan.experiments[0].programs] == [100, 200]
    together = meanings(plan)
    alone()
    assert meanings(resolved(text)) == together


def test_a_warning_of_a_shared_part_is_told_of_every_point() -> None:
    text = STUDY.replace("steps: 10}", "steps: 10, evaluate: {at: [5, 50]}}")
    assert ["step 50 comes after the last" in problem.message for problem in resolved(text).warnings] == [True]


def test_an_error_at_one_point_is_found_there() -> None:
    text = STUDY.replace('y: "dot(v, x)"', 'y: "dot(v, x) + x[2]"')
    with pytest.raises(spec.StudyError) as caught:
        resolved(text)
    assert "n = 2" in spec.render(caught.value.problems)


@pytest.mark.parametrize("given", ["hot", '"one_hot(i, 5)"'])
def test_a_network_that_looks_rows_up_by_an_index_of_the_same_type(given: str, alone: Callable[[], None]) -> None:
    """Whether a one-hot vector is one for certain hangs on how many values its index has, which no type tells."""
    text = f"""\
dlspec: 1
study: s
experiments:
  e:
    constants: {{n: 2}}
    task: {{example: {{i: integer(n), hot: "one_hot(i, 5)"}}}}
    architecture: {{f: {{input: {given}, layers: [dense: 1]}}}}
    measures: {{size: E(f)}}
    sweep: {{n: [2, 5, 6]}}
"""
    together = [program.networks[0].index is not None for program in resolved(text).experiments[0].programs]
    assert together == [True, True, False]
    alone()
    assert [program.networks[0].index is not None for program in resolved(text).experiments[0].programs] == together


VARIANTS = """\
    variants:
      plain: {}
      faster: {training: {optimizer: {sgd: {learning_rate: 0.3}}}}
      larger: {constants: {n: 4}}
      wider: {architecture: {f: {layers: {dense: {units: 9}}}}}
      other: {functions: {plain(r): r - other}}
      double: {dtype: float64}
"""


def variants(text: str) -> dict[str, Program]:
    return {program.variant: program for program in resolved(text).experiments[0].programs}


def test_variants_share_what_none_of_them_changes(alone: Callable[[], None]) -> None:
    text = STUDY.replace("    sweep: {n: [2, 3], rate: [0.1, 0.2]}\n", VARIANTS)
    by_name = variants(text)
    shares = {name: in_common(by_name["plain"], program) for name, program in by_name.items() if name != "plain"}
    assert shares == {
        "faster": EVERY,
        "larger": EVERY - {"x", "y", "f", "l", "size"},
        "wider": EVERY - {"f", "l", "size"},
        "other": EVERY,
        "double": set(),
    }
    assert by_name["wider"].networks[0].output.shape == (9,)
    together = meanings(resolved(text))
    alone()
    assert meanings(resolved(text)) == together


def test_what_uses_an_output_hangs_on_its_type_alone(alone: Callable[[], None]) -> None:
    """`guess` is made otherwise in each variant: measures are the same but where one has no value per example, or another type."""
    text = """\
dlspec: 1
study: s
experiments:
  e:
    functions: {soft(r): tanh(r), hard(r): 1 if r > 0 else -1}
    task: {draw: {w: normal()}, example: {x: "normal([3])", y: sum(x)}}
    architecture: {f: {input: x, layers: [dense: 1]}, g: {input: x, layers: [dense: 2]}}
    outputs: {guess: f}
    loss: {square: (guess - y)^2, more: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 10}
    measures: {bare: guess, own: E(soft(guess) * y), noise: {gradient_noise: {of: f * y, weights: f.weights}}}
    variants:
      plain: {}
      soft: {outputs: {guess: soft(f) + 1}}
      first: {outputs: {guess: "g[0]"}}
      hard: {outputs: {guess: hard(f)}}
      drawn: {outputs: {guess: w}}
"""
    found = []
    for after in ("plain", "soft", "first"):
        by_name = variants(
            text.replace("      hard: {outputs: {guess: hard(f)}}\n      drawn: {outputs: {guess: w}}\n", "")
        )
        found.append(in_common(by_name["plain"], by_name[after]))
    assert found == [{"x", "y", "f", "g", "square", "more", "bare", "own", "noise"}] * 3
    text = text.replace("{square: (guess - y)^2, more: (f - y)^2}", "{more: (f - y)^2}")
    by_name = variants(text)
    assert in_common(by_name["plain"], by_name["hard"]) == {"x", "y", "f", "g", "more", "noise"}, (
        "an int is another type"
    )
    assert in_common(by_name["plain"], by_name["drawn"]) == {"x", "y", "f", "g", "more", "noise"}, (
        "`own` has an argument that is not trained"
    )
    together = meanings(resolved(text))
    assert len({measures["own"] for _, _, measures in together}) == 5, "each is over what its output is made of"
    alone()
    assert meanings(resolved(text)) == together


@pytest.mark.parametrize(
    ("guess", "message"),
    [("w", "depends on no network"), ("hard(f)", "reaches no weights"), ("nosuch", "unknown name")],
)
def test_a_loss_that_is_sound_in_one_variant_is_refused_in_another(guess: str, message: str) -> None:
    text = f"""\
dlspec: 1
study: s
experiments:
  e:
    functions: {{hard(r): 1.0 if r > 0 else -1.0}}
    gradient: {{}}
    task: {{draw: {{w: normal()}}, example: {{x: "normal([3])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{guess: f}}
    loss: {{square: (guess - y)^2}}
    training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch: 4, steps: 10}}
    measures: {{own: E(guess * y)}}
    variants: {{a: {{}}, b: {{outputs: {{guess: {guess}}}}}}}
"""
    with pytest.raises(spec.StudyError, match=message):
        resolved(text)


def test_a_measure_of_ints_that_fit_in_one_variant_alone() -> None:
    """The measure is the same in both, and its ints leave their range in one of them."""
    text = """\
dlspec: 1
study: s
experiments:
  e:
    task: {example: {k: integer(1000)}}
    outputs: {two: k}
    measures: {square: E(two * two), more: E(two)}
    variants: {a: {}, b: {outputs: {two: k + 1}}, c: {outputs: {two: 1000 * k}}}
"""
    with pytest.raises(spec.StudyError) as caught:
        resolved(text)
    assert [
        problem.message.startswith("`*` of ints may reach 998,001,000,000") for problem in caught.value.problems
    ] == [True]


OUTPUTS = """\
dlspec: 1
study: s
experiments:
  e:
    task: {{draw: {{w: normal()}}, example: {{x: normal()}}}}
    outputs: {{one: {one}, two: one * 2}}
    measures: {{size: {measure}}}
    variants: {{a: {{}}, b: {{outputs: {{one: {other}}}}}}}
"""


def test_a_measure_of_an_output_looks_at_what_that_is_made_from(alone: Callable[[], None]) -> None:
    """`two` reads the same in both variants, and has one value per example in one of them alone."""
    text = OUTPUTS.format(one="x", measure="two", other="w")
    found = {name: type(program.measures[0].term).__name__ for name, program in variants(text).items()}
    assert found == {"a": "Expectation", "b": "Reference"}
    together = meanings(resolved(text))
    alone()
    assert meanings(resolved(text)) == together


def test_a_measure_of_an_output_is_no_larger_than_that_lets_it_be() -> None:
    """The measure reads the same in both variants, and is too deep in one of them alone."""
    text = OUTPUTS.format(one="x", measure=f"E(two{' * x' * 105})", other=f"x{' + x' * 105}")
    with pytest.raises(spec.StudyError, match="nested more than 200 deep"):
        resolved(text)


def test_functions_that_nothing_calls_are_looked_through_once_for_all_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlspec.spec.check import experiment

    calls = []
    unused = experiment.unused
    monkeypatch.setattr(experiment, "unused", lambda *given: calls.append(given) or unused(*given))
    more = "".join(f"      v{number}: {{constants: {{other: {number}}}}}\n" for number in range(5, 25))
    text = STUDY.replace("    sweep: {n: [2, 3], rate: [0.1, 0.2]}\n", f"    variants:\n{more}")
    resolved(text.replace("plain(r):", "idle(r): r, plain(r):"))
    assert len(calls) == 1


def test_a_warning_of_weights_that_no_gradient_reaches_is_told_of_all_points() -> None:
    text = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {c: 1}
    functions: {hard(r): 1 if r > 0 else -1}
    task: {example: {x: "normal([3])", y: sum(x)}}
    architecture: {f: {input: x, layers: [dense: 1]}, g: {input: x, layers: [dense: 1]}}
    loss: {both: (f + hard(g) - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1 * c}}, batch: 4, steps: 10}
    measures: {error: E((f - y)^2)}
"""
    for more in ("", "    sweep: {c: [1, 2, 3]}\n", "    variants: {a: {}, b: {constants: {c: 2}}}\n"):
        assert ["'g' is not trained" in problem.message for problem in resolved(text + more).warnings] == [True]


def test_experiments_share_what_they_have_from_their_base() -> None:
    text = STUDY.replace("    sweep: {n: [2, 3], rate: [0.1, 0.2]}\n", "  other: {base: e, training: {steps: 20}}\n")
    first, second = (experiment.programs[0] for experiment in resolved(text).experiments)
    assert in_common(first, second) == EVERY
    assert first.training is not None and second.training is not None
    assert (first.training.steps, second.training.steps) == (10, 20)


def test_a_function_that_one_experiment_calls_is_looked_through_in_one_that_does_not() -> None:
    text = STUDY.replace(
        "    sweep: {n: [2, 3], rate: [0.1, 0.2]}\n",
        "  other: {base: e, functions: {plain(r): r, idle(r): r * nosuch}}\n",
    )
    text = text.replace("plain(r): r * other", "plain(r): r * other, idle(r): r").replace(
        'size: "E(sum(f))"', 'size: "E(idle(sum(f)))"'
    )
    text = text.replace("idle(r): r * nosuch}}", 'idle(r): r * nosuch}, measures: {size: "E(sum(f))"}}')
    with pytest.raises(spec.StudyError, match="unknown name 'nosuch'"):
        resolved(text)


def test_what_uses_a_network_on_its_own_input_hangs_on_its_output_alone(alone: Callable[[], None]) -> None:
    text = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 3}
    task: {example: {x: "normal([n])", y: sum(x)}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {own: "(f - y)^2", another: "f([1.0 for i < n])^2"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 10}
    measures: {error: "E((f - y)^2)"}
    sweep: {n: [2, 3]}
"""
    plan = resolved(text)
    one, other = plan.experiments[0].programs
    assert one.loss[0].term is other.loss[0].term and one.measures[0].term is other.measures[0].term
    assert one.loss[1].term is not other.loss[1].term and one.digest != other.digest
    alone()
    assert meanings(resolved(text)) == meanings(plan)

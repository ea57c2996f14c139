"""What stands under several names is checked once, told of each, and means under each what it means alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dlspec import spec
from dlspec.spec.check.expressions import Checker
from dlspec.spec.check.memo import Common
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import measure_digest, training_digest
from dlspec.spec.resolve.resolve import in_every_profile

STUDY = """dlspec: 1
study: again
experiments:
  e:
    constants: {d: 3}
    sweep: {d: [2, 3, 5, 9]}
    functions:
      side(z): "1 if z > 0 else -1"
    task:
      data: {enumerate: x}
      draw:
        v: normal([d])
      example:
        x: rademacher([d])
        y: prod(x)
    architecture:
      f: {input: x, layers: [{dense: {units: 2 * d, activation: relu}}, {dense: 1}]}
    outputs:
      score: f
    loss:
      squared: (f - y)^2
    training: {optimizer: {sgd: 0.1}, steps: 10}
    measures:
      error: E((f - y)^2)
"""
PLACES = {
    "v: normal": "z<i>: uniform(0, 1, [d])",
    "y: prod": "y<i>: prod(x * x) + norm(x)",
    "score: f": "s<i>: tanh(f) * norm(x)",
    "squared:": "l<i>: abs(f - y)",
    "error:": "m<i>: E(squared_norm(gradient((f - y)^2, f.weights))) / 2^d",
}
"""Expressions of each stage, behind the line that begins so."""


def _with(begin: str, line: str, count: int, text: str = STUDY) -> str:
    """The study with a line so many times over under new names, behind the line that begins so."""
    lines = text.splitlines()
    place = 1 + next(place for place, other in enumerate(lines) if other.strip().startswith(begin))
    more = [" " * (len(lines[place - 1]) - len(lines[place - 1].lstrip())) + line.replace("<i>", str(i)) for i in range(count)]  # fmt: skip
    return "\n".join([*lines[:place], *more, *lines[place:], ""])


def _document(text: str) -> spec.Document:
    return spec.parse(spec.decode(text.encode(), "again.yaml"))


def _programs(text: str, run: bool) -> Iterator[Program]:
    """The programs of a study, as they are run or as they are checked alone."""
    (found,) = in_every_profile(_document(text), lambda plan: plan.experiments[0].programs, common=Common(run=run))
    yield from found


def _counted_terms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts in its last entry how many terms are checked."""
    counts: list[int] = []
    term = Checker.term

    def counted(*given: object) -> object:
        counts[-1] += 1
        return term(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Checker, "term", counted)
    return counts


@pytest.mark.parametrize("begin", PLACES)
def test_more_names_for_the_same_are_no_more_to_check(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _counted_terms(monkeypatch)
    for names in (2, 4, 40):
        document = _document(_with(begin, PLACES[begin], names))
        counts.append(0)
        spec.validate(document)
    assert counts[0] == counts[1] == counts[2] > 0


def test_it_is_told_of_each() -> None:
    text = _with("error:", "m<i>: E(f == y)", 3)
    found = spec.validate(_document(text))
    assert [problem.line for problem in found] == [1 + text.splitlines().index(f"      m{i}: E(f == y)") for i in range(3)]  # fmt: skip
    text = _with("error:", "m<i>: E(f * unknown)", 3)
    with pytest.raises(spec.StudyError) as error:
        spec.validate(_document(text))
    assert len({problem.line for problem in error.value.problems}) == len(error.value.problems) == 3


def test_cells_of_which_the_same_is_told_are_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty draws beside an enumerated input are told of, of one of them, in each cell; and so is a comparison that says nothing, of each."""
    counts = _counted_terms(monkeypatch)
    for begin, line, told in (("x: rade", "z<i>: uniform(0, 1, [d])", 1), ("error:", "m<i>: E(f == y)", 20)):
        for sizes in ("[3, 4]", "[3, 4, 5, 6, 7, 8]"):
            document = _document(_with(begin, line, 20).replace("[2, 3, 5, 9]", sizes))
            counts.append(0)
            try:
                found = spec.resolve(document).warnings
            except spec.StudyError as error:
                found = error.problems
            assert len(found) == told
    assert max(counts[1] - counts[0], counts[3] - counts[2]) < 6 * 20, "four cells more, and not all twenty in each"


def test_so_is_what_is_told_of_the_whole_program() -> None:
    """Here of a gradient that ends in the sides of a score: once of each measure that takes it, in a function's text too."""
    for line in (
        "m<i>: E(norm(gradient(side(f), f.weights)))",
        "m<i>: E(norm(gradient(1 if f > 0 else -1, f.weights)))",
    ):
        alone = [_told(_with("error:", line.replace("<i>", name), 1)) for name in "abc"]
        assert all(alone), line
        together = _told(_with("error:", line, 3))
        assert len(together) == 3 if "side" not in line else len(together) >= 1


def _told(text: str) -> tuple[spec.Problem, ...]:
    try:
        return spec.validate(_document(text))
    except spec.StudyError as error:
        return error.problems


def test_draws_are_by_their_names() -> None:
    text = _with("v: normal", PLACES["v: normal"], 3, STUDY)
    for run in (True, False):
        for program in _programs(text, run):
            paths = [item.term.path for item in program.draws if isinstance(item.term, t.Sample)]
            assert paths == [("value", name, f"{row}#0") for name, row in (("v", "normal"), *((f"z{i}", "uniform") for i in range(3)))]  # fmt: skip


def test_what_is_run_has_terms_of_its_own_but_for_measures() -> None:
    """The sum of a gradient hangs on whether a term stands in it once, with a factor, or twice."""
    text = STUDY
    for begin, line in PLACES.items():
        text = _with(begin, line, 2, text)
    for run in (True, False):
        for program in _programs(text, run):
            pairs = [
                [item.term for item in items if item.name[0] == letter and item.name[1:] in ("0", "1")]
                for letter, items in (("y", program.examples), ("s", program.outputs), ("l", program.loss))
            ]
            assert all((one is other) is not run for one, other in pairs)
            one, other = (measure for measure in program.measures if measure.name in ("m0", "m1"))
            assert one.term is other.term
            assert (one.name, other.name) == ("m0", "m1")


def test_equal_digests_however_it_is_checked() -> None:
    text = STUDY
    for begin, line in PLACES.items():
        text = _with(begin, line, 3, text)
    checked, run = ([_meaning(program) for program in _programs(text, run)] for run in (False, True))
    assert checked == run


def _meaning(program: Program) -> list[str]:
    return [training_digest(program), *(measure_digest(program, measure) for measure in program.measures)]

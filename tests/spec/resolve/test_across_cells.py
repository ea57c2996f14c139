"""What the cells of an experiment complain of: once for each cause, and nothing lost."""

from __future__ import annotations

from dlspec.spec.diagnostics.problems import Problem, Source, Span
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.resolve.across_cells import Findings
from dlspec.spec.source import nodes as yaml

TEXT = "sweep: {d: [1, 2, 3]}\nmeasures: {m: E(x)}\n"
SOURCE = Source("study.yaml", TEXT)
PLACE, ELSEWHERE = Span(SOURCE, 2, 15, 2, 19), Span(SOURCE, 2, 12, 2, 13)


def told(*cells: list[Problem]) -> list[tuple[str, str]]:
    findings = Findings()
    for d, problems in enumerate(cells, start=1):
        findings.add({"d": d}, problems, [])
    experiment = Experiment.from_node(yaml.parse(SOURCE))
    return [(problem.message, problem.hint) for problem in findings.problems(experiment)]


def test_what_differs_in_numbers_alone_is_one_problem() -> None:
    cells = [[Problem(f"the shape [{d}] is not [4]", PLACE, f"Write {d}.")] for d in (1, 2, 3)]
    assert told(*cells) == [("the shape [1] is not [4]", "Write 1.  This arises with d = 1, and at 2 more points.")]
    assert told(*cells[:2], []) == [
        ("the shape [1] is not [4]", "Write 1.  This arises with d = 1, and at 1 more point.")
    ]


def test_what_all_cells_say_in_the_same_words_is_plain() -> None:
    problem = Problem("x is unknown", PLACE)
    assert told([problem], [problem], [problem]) == [("x is unknown", "")]
    assert told([problem], [problem], []) == [("x is unknown", "This arises with d = 1.")]


def test_two_problems_of_one_cell_stay_two() -> None:
    both = [Problem("layer 1 is wrong", PLACE), Problem("layer 2 is wrong", PLACE)]
    assert [message for message, _ in told(both, both)] == ["layer 1 is wrong", "layer 2 is wrong"]
    apart = [Problem("layer 1 is wrong", PLACE), Problem("layer 1 is wrong", ELSEWHERE)]
    assert len(told(apart, apart)) == 2
    others = [Problem("layer 1 is wrong", PLACE), Problem("layer 1 is missing", PLACE)]
    assert len(told(others[:1], others[1:])) == 2

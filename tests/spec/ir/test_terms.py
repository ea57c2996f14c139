"""What a term says of the classes that stand in it is what a walk through it finds."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, Span
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.types import Type
from dlspec.spec.passes.program_roots import written

ROOT = Path(__file__).parents[3]
KINDS = sorted({getattr(t, kind.__name__) for kind in t.Term.__subclasses__()}, key=lambda kind: kind.__name__)


def _programs() -> list[Program]:
    """The first program of each experiment of the examples."""
    found = []
    for path in sorted((ROOT / "examples").glob("*.yaml"))[:14]:
        plan = spec.resolve(spec.parse(Source(path.name, path.read_text("utf-8"), str(path.parent))))
        found += [experiment.programs[0] for experiment in plan.experiments]
    return found


def test_it_is_what_a_walk_finds() -> None:
    looked, seen = 0, set()
    for program in _programs():
        for root in written(program):
            for item in (root, *t.children(root)):
                every = list(t.walk(item))
                seen |= {type(one) for one in every}
                for kind in KINDS:
                    those = [one for one in every if isinstance(one, kind)]
                    assert [id(one) for one in t.within(item, kind)] == [id(one) for one in those]
                    assert t.has(item, kind) == bool(those)
                assert t.has_only(item, *{type(one) for one in every})
                assert not t.has_only(item, *({type(one) for one in every} - {type(every[-1])}))
                looked += 1
    assert looked > 100
    assert len(seen) > 12


def test_a_copy_at_another_place_differs_in_its_place_alone() -> None:
    here, there = (Span(Source("s.yaml", "a + b"), 1, column, 1, column + 1) for column in (1, 5))
    below = t.Reference("x", "example", type=Type("real"), span=here)
    for term in (below, t.Operate("negative", (below,), {}, type=Type("real", (2,)), span=here)):
        other = t.placed(term, there)
        same = [item.name for item in fields(term) if getattr(other, item.name) is getattr(term, item.name)]
        assert set(same) == {item.name for item in fields(term)} - {"span"}
        assert (term.span, other.span, other.held) == (here, there, term.held)


def test_it_is_kept_by_pickle() -> None:
    below = t.StepNumber(type=Type("int"))
    term = pickle.loads(pickle.dumps(t.Operate("negative", (below,), {}, type=Type("int"))))
    assert t.has(term, t.StepNumber)
    assert not t.has(term, t.Reference)


ELSEWHERE = """
import gc, pickle, sys
gc.set_threshold({threshold})
from dlspec.spec.ir import terms as t
term = pickle.load(sys.stdin.buffer)
print([t.has(term, kind) for kind in (t.StepNumber, t.IndexVariable, t.Operate)], [type(one).__name__ for one in t.within(term, t.StepNumber)])
"""


@pytest.mark.parametrize("threshold", [0, 10])
def test_another_process_knows_what_stands_in_a_term(threshold: int) -> None:
    """A class with slots is made twice. Whether the first is still there when classes are numbered hangs on when garbage was collected."""
    below = t.StepNumber(type=Type("int"))
    term = t.Operate("negative", (below,), {}, type=Type("int"))
    assert t.within(term, t.StepNumber) == [below]
    told = subprocess.run(
        [sys.executable, "-c", ELSEWHERE.format(threshold=threshold)],
        input=pickle.dumps(term),
        capture_output=True,
        check=True,
    )
    assert told.stdout.decode().split("] [") == ["[True, False, True", "'StepNumber']\n"]

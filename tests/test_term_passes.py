"""Every pass over terms knows every class of terms: none is printed as another, or costs nothing, by accident."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import dlspec.interpreter.lower
import dlspec.spec
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import InternalError, Source
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.term_pass import PASSES, TermPass
from dlspec.spec.ir.types import Type
from dlspec.spec.passes.digests import CANONICAL, term_meaning
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.print_term import spell

ROOT = Path(__file__).parents[1]
for package in (dlspec.spec, dlspec.interpreter.lower):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

CLASSES = {kind.__name__: kind for kind in t.Term.__subclasses__()}
LOADED = sorted(PASSES)
STUDY = """
dlspec: 1
study: every_class
experiments:
  e:
    weights: float16
    loss_scale: 1024
    constants: {d: 3, c: 0.5}
    sweep: {c: [0.5, 1.5]}
    functions: {g(a): a * a, h(a): a / 2}
    task:
      data: {file: rows.csv, train: 1}
      draw: {w: "normal([d])"}
      example: {x: "normal([d])", y: "[x[k] for k < d]", z: "[w[0], x[1]]", s: "x[0:2]", v: "iterate(h, x, 2)", r: rows.b}
    architecture: {f: {input: x, layers: [dense: 1]}}
    outputs: {o: f + sum(y)}
    loss: {l: {of: "g(o - z[0]) * stop(s[1]) + B(o)", weight: c + step}}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
    measures:
      mean: E(o)
      skipped: left_out
      each: E(gradient(o, f.dense_1.kernel))
      moved: norm(f.weights - initial(f.weights))
      other: "E(with_weights(o, f.weights, 2 * f.weights))"
      slope: E(norm(gradient(o, x)))
      turned: E(directional(o, x, w))
      snr: {gradient_snr: {of: o, weights: f.weights}}
"""


def program(folder: Path) -> Program:
    (folder / "rows.csv").write_text("a,b\n" + "1,2.5\n" * 70)
    batch = merge_cells(
        spec.resolve(spec.parse(Source(str(folder / "every_class.yaml"), STUDY))).experiments[0].programs
    )
    assert batch is not None
    return batch.program


def terms_of(plan: Program) -> dict[str, t.Term]:
    """One term of each class that the programs of two cells, merged, hold."""
    named = [item.term for item in (*plan.draws, *plan.examples, *plan.outputs, *plan.measures)]
    roots = [*named, *(term for loss in plan.loss for term in (loss.term, loss.weight))]
    return {type(term).__name__: term for root in roots for term in t.walk(root)}


@pytest.mark.parametrize("name", LOADED)
def test_a_pass_has_a_case_for_every_class_or_says_why_none_comes_to_it(name: str) -> None:
    one = PASSES[name]
    assert {kind.__name__ for kind in one.cases} == set(CLASSES)
    for kind, why in one.excluded.items():
        with pytest.raises(InternalError, match=f"no {name} of {kind.__name__}: {why}"):
            one.cases[kind](object.__new__(kind))


@pytest.mark.parametrize("name", LOADED)
def test_a_term_of_a_class_that_a_pass_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(InternalError, match=f"no {name} of Term"):
        PASSES[name].of(t.Term(type=Type("real")))


def test_the_passes_are_there() -> None:
    assert {"text", "meaning", "cost", "range", "value in NumPy", "tensor", "way of a gradient"} <= set(LOADED)


def test_every_class_has_a_text_and_a_meaning_of_its_own(tmp_path: Path) -> None:
    plan = program(tmp_path)
    terms = terms_of(plan)
    assert set(terms) == set(CLASSES)
    texts = {name: spell(term) for name, term in terms.items()}
    assert len(set(texts.values())) == len(texts), texts
    meanings = {name: CANONICAL.encode(term_meaning(plan, term)) for name, term in terms.items()}
    assert len(set(meanings.values())) == len(meanings), meanings


def test_a_class_has_one_case_in_a_pass_and_a_pass_one_name() -> None:
    one: TermPass[[], str] = TermPass("trial")
    del PASSES["trial"]
    one.case(t.Stop)(lambda term: "stop")
    with pytest.raises(ValueError, match="'trial' has two cases for Stop"):
        one.exclude("never", t.Stop)
    with pytest.raises(ValueError, match="two passes 'text'"):
        TermPass("text")


def matched_classes(text: str) -> Iterator[tuple[int, str]]:
    """The classes of terms that a module matches on, with their lines: a `match` has a silent default."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Attribute):
            owner = node.cls.value
            if isinstance(owner, ast.Name) and owner.id in ("t", "terms") and node.cls.attr in CLASSES:
                yield node.lineno, node.cls.attr


def test_nothing_but_a_pass_tells_all_classes_of_terms_apart() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for side in ("spec", "interpreter")
        for path in sorted((ROOT / side).glob("**/*.py"))
        for line, name in matched_classes(path.read_text("utf-8"))
    ]
    assert found == []
    assert list(matched_classes("match x:\n    case t.Stop(y): pass\n    case u.Stop(): pass\n")) == [(2, "Stop")]

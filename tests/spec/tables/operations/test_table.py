"""The tables: every row says what it means, its example is so, and no name stands for two things."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dlspec.spec.check.context import Context
from dlspec.spec.check.expressions import Checker
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.types import KINDS, ShapeProblem, Type
from dlspec.spec.passes import evaluate
from dlspec.spec.source import nodes as yaml
from dlspec.spec.source.names import KEYWORDS, is_name
from dlspec.spec.tables import operations
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import ACTIVATIONS, Parameter, named
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import CLAIM_FORMS, FORMS, OPERATIONS, OPERATORS
from dlspec.spec.tables.operations.table import Argument, Operation, parse_signature, result_type, table
from dlspec.spec.tables.optimizers import OPTIMIZERS


def closed(text: str) -> t.Term:
    """The term of an expression that uses no name of an experiment."""
    nothing: Any = SimpleNamespace(
        term=lambda *given: None,
        function=lambda name: None,
        network=lambda *given: None,
        vocabulary=SimpleNamespace(known=set),
        trained=lambda term: False,
        files={},
        failed=set(),
    )
    node = yaml.Scalar(text, text, False, yaml.Span(Source("example", f'"{text}"'), 1, 1, 1, len(text) + 3))
    return Checker(nothing).value(node, Context("constants", ()))


def value(text: str) -> Any:
    """The value of a closed expression."""
    return evaluate.evaluate(closed(text))


# -- every row ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_example_is_so(name: str) -> None:
    row = OPERATIONS[name]
    written, result = row.example
    assert name in written or row.operator in written
    found, said = closed(written), closed(result)
    assert isinstance(found, t.Literal) and isinstance(said, t.Literal)
    np.testing.assert_array_equal(found.value, said.value)
    assert found.type == said.type, "1.0 is a real, 1 an int"


def test_a_wrong_example_would_be_found() -> None:
    """The twin: values and kinds of examples do differ."""
    assert value("floor(2.5)") == 2.0
    assert closed("floor(2.5)").type != closed("2").type
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(value("sort([3, 1])"), value("[3, 1]"))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_row_says_what_it_means(name: str) -> None:
    row = OPERATIONS[name]
    assert len(row.meaning) > 1 and row.meaning == row.meaning.strip() and not row.meaning.endswith(".")
    assert row.family
    assert row.name == name and is_name(name)
    arguments, result = parse_signature(row.signature)
    assert (arguments, result) == (row.arguments, row.result), "the signature is what was read of it"
    names = [argument.name for argument in arguments]
    assert len(set(names)) == len(names)
    known = {*KINDS, "number", "size", "shape", "axis", "integer"}
    assert {argument.kind for argument in arguments} | {result.kind} <= known
    assert all(not argument.variadic for argument in arguments[:-1])
    optional = [argument.optional for argument in arguments]
    assert optional == sorted(optional), "what may be left out comes last"


def test_every_operator_of_the_grammar_has_a_row() -> None:
    words = {"+", "-", "*", "/", "//", "%", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not"}
    assert set(OPERATORS) == words
    for word, row in OPERATORS.items():
        assert OPERATIONS[row.name] is row and len(row.arguments) == (1 if word == "not" else 2)
        text = f"{row.name}({'true' if word == 'not' else 'true, false' if word in ('and', 'or') else '2, 3'})"
        infix = "not true" if word == "not" else f"true {word} false" if word in ("and", "or") else f"2 {word} 3"
        assert value(text) == value(infix)


def test_no_word_calls_two_things() -> None:
    callable_ = (OPERATIONS, FORMS, DISTRIBUTIONS, dict.fromkeys(KEYWORDS), {"pi": None})
    for first, second in itertools.combinations(callable_, 2):
        assert not set(first) & set(second)
    assert not set(CLAIM_FORMS) & {name for name, row in OPERATIONS.items() if row.elementwise}


def test_no_word_of_a_layer_is_that_of_another_thing_in_its_place() -> None:
    """In a list of layers stand layers, `repeat`, and operations of one argument as a word."""
    assert "repeat" not in LAYERS
    needless = {name for name, row in LAYERS.items() if not any(p.required for p in row.parameters.values())}
    one = {name for name, row in OPERATIONS.items() if sum(not a.optional for a in row.arguments) == 1}
    assert not needless & one, "a word alone is a layer or an operation, never both"
    assert not set(INITIALIZERS) & set(DISTRIBUTIONS)
    assert not set(OPTIMIZERS) & {"every", "at", "log"}


TABLES: dict[str, Any] = {
    "forms": FORMS,
    "claim forms": CLAIM_FORMS,
    "distributions": DISTRIBUTIONS,
    "layers": LAYERS,
    "optimisers": OPTIMIZERS,
    "initialisers": INITIALIZERS,
    "gradient modes": GRADIENT_MODES,
}


@pytest.mark.parametrize("family", TABLES)
def test_every_row_of_the_other_tables_says_what_it_means(family: str) -> None:
    rows = TABLES[family]
    assert rows
    for name, row in rows.items():
        assert row.name == name and is_name(name)
        assert len(row.meaning) > 1 and row.meaning == row.meaning.strip()
        parameters = getattr(row, "parameters", {})
        for parameter in parameters.values() if hasattr(parameters, "values") else ():
            assert parameter.meaning, f"{name}.{parameter.name}"


def test_activations_say_what_they_are() -> None:
    assert all(ACTIVATIONS.values())


# -- signatures --------------------------------------------------------------------------------------------------------


def test_signatures_are_read() -> None:
    arguments, result = parse_signature("(x: number[*s], axis: axis = none, *more: int[n, 3]) -> real[*s, n]")
    assert arguments == (
        Argument("x", "number", ("*s",)),
        Argument("axis", "axis", None, optional=True),
        Argument("more", "int", ("n", "3"), variadic=True),
    )
    assert result == Argument("result", "real", ("*s", "n"))
    assert [argument.static for argument in arguments] == [False, True, False]
    assert parse_signature("(x: real[]) -> real[]")[0][0].shape == ()


@pytest.mark.parametrize(
    "text", ["", "x: real[]", "(x) -> real[]", "(x: real[])", "(x: real[] = 1) -> real[]", "(x real) -> real[]"]
)
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_signature(text)


def row(name: str, signature: str = "(x: real[...]) -> real[...]") -> Operation:
    """A row for the tests."""
    return Operation(name, signature, "a meaning", np.sqrt)


def test_duplicates_are_refused() -> None:
    assert list(table("t", [row("a"), row("b")])) == ["a", "b"]
    with pytest.raises(ValueError, match="'a' is declared twice"):
        table("t", [row("a"), row("b"), row("a")])
    with pytest.raises(ValueError, match="'a' is declared twice"):
        operations._united(table("t", [row("a")]), table("u", [row("a")]))
    with pytest.raises(ValueError, match="'len' is declared twice"):
        operations._united(table("t", [row("len")]))
    with pytest.raises(ValueError, match="'units' is declared twice"):
        named(Parameter("units", "size", "how many"), Parameter("units", "size", "how many"))


def test_a_table_keeps_every_field_of_its_rows() -> None:
    given = Operation(
        "a",
        "(x: real[n]) -> real[]",
        "m",
        np.sqrt,
        "source",
        "+",
        ("e", "f"),
        lambda types, static: (types[0], static),
        True,
    )
    (made,) = table("family", [given]).values()
    for name in ("name", "signature", "meaning", "numpy", "source", "operator", "example", "rule", "constant"):
        assert getattr(made, name) == getattr(given, name)
    assert made.family == "family" and made.arguments == (Argument("x", "real", ("n",)),)


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        OPERATIONS["new"] = row("new")  # type: ignore[index]


@pytest.mark.parametrize(
    ("signature", "types", "static", "result"),
    [
        ("(a: real[...], b: real[...]) -> real[...]", ["int[3, 1]", "real[4]"], {}, "real[3, 4]"),
        ("(a: number[...], b: number[...]) -> number[...]", ["int[3]", "bool"], {}, "int[3]"),
        ("(a: number[...]) -> number[...]", ["bool[2]"], {}, "int[2]"),
        ("(a: number[n], b: number[n]) -> number[]", ["int[3]", "real[3]"], {}, "real"),
        ("(x: number[*s]) -> number[*s, 2]", ["real[3, 4]"], {}, "real[3, 4, 2]"),
        ("(x: real[*s, n], y: int[n]) -> real[*s]", ["real[5, 3]", "int[3]"], {}, "real[5]"),
        ("(x: real[n], size: size) -> int[size, n]", ["real[3]"], {"size": 7}, "int[7, 3]"),
        ("(*x: real[n]) -> real[n]", ["real[3]", "real[3]", "real[3]"], {}, "real[3]"),
    ],
)
def test_types_follow_from_signatures(signature: str, types: list[str], static: dict[str, Any], result: str) -> None:
    (made,) = table("t", [row("a", signature)]).values()
    assert str(result_type(made, [read(text) for text in types], static)[0]) == result


@pytest.mark.parametrize(
    ("signature", "types", "said"),
    [
        ("(a: real[...], b: real[...]) -> real[...]", ["int[3]", "real[4]"], "broadcast"),
        ("(a: real[n], b: real[n]) -> real[]", ["real[3]", "real[4]"], "n is 3"),
        ("(a: real[n]) -> real[]", ["real"], "a single number"),
        ("(a: real[]) -> real[]", ["real[3]"], "a single number"),
        ("(a: real[3]) -> real[]", ["real[4]"], "3"),
        ("(x: real[*s, n]) -> real[*s]", ["real"], "a single number"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(signature: str, types: list[str], said: str) -> None:
    (made,) = table("t", [row("a", signature)]).values()
    with pytest.raises(ShapeProblem, match=said):
        result_type(made, [read(text) for text in types], {})


def read(text: str) -> Type:
    """`real[3, 2]` as a type."""
    kind, _, shape = text.rstrip("]").partition("[")
    return Type(kind, tuple(map(int, shape.split(","))) if shape else ())

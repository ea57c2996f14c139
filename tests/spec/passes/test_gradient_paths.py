"""Ints and bools end a gradient: where every way leads through them it is an error, and a mode makes ints real."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError
from dlspec.spec.ir import terms as t
from dlspec.spec.passes.evaluate import Value, evaluate_batched
from dlspec.spec.passes.trained_weights import trained

BASE: dict[str, Any] = {
    "functions": {"binary(z)": "1 if z >= 0 else -1", "hard(z)": "1.0 if z >= 0 else -1.0", "positive(z)": "z > 0"},
    "task": {"example": {"x": "rademacher([4])", "y": "prod(x)"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": 4}]}, "g": {"input": "x", "layers": [{"dense": 1}]}},
    "loss": {"l": "(dot(binary(f), x) / 2 - y)^2"},
    "training": {"optimizer": "sgd", "batch": 4, "steps": 2},
    "measures": {"m": "E((g - y)^2)"},
}


def checked(**parts: Any) -> tuple[spec.Program | None, list[Problem]]:
    """The program of the base with parts of it put otherwise, or what is wrong with it."""
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": {**BASE, **parts}}})
    try:
        return spec.resolve(spec.parse(Source("paths.yaml", text))).experiments[0].programs[0], []
    except StudyError as error:
        return None, list(error.problems)


@pytest.mark.parametrize(
    "loss",
    [
        "(dot(binary(f), x) / 2 - y)^2", "(argmax(f) - y)^2", "(1 if g > y else 0) + 0.0 * y", "dot(hard(f), x)", "sum([binary(f[0]), y] * 0.5)",
        "mean(argsort(f) * x)", "x[argmax(f)] * 1.0", "sum(one_hot(argmax(f), 4) * x)", "1.0 * (positive(g) == (y > 0))",
    ],
)  # fmt: skip
def test_a_loss_behind_ints_alone_is_an_error(loss: str) -> None:
    _, found = checked(loss={"l": loss})
    assert len(found) == 1 and "the gradient of the loss 'l' reaches no weights" in found[0].message
    assert found[0].span is not None and "forward_only" in found[0].hint


@pytest.mark.parametrize(
    "loss",
    [
        "(dot(f, x) - y)^2", "(f[0] if f[0] > 0 else 0)", "g * binary(g)", "cross_entropy(f, argmax(f))", "sum(sign(f) * x)", "stop(g)^2 + g",
        "floor(g)", "f[argmax(f)]", "sum([f[i] * i for i < 4])", "max([g, 0])", "squared_norm(f.weights)",
    ],
)  # fmt: skip
def test_one_way_through_real_numbers_is_enough(loss: str) -> None:
    assert checked(loss={"l": loss})[1] == []


@pytest.mark.parametrize("mode", ["forward_only", {"surrogate": "tanh(z)"}])
def test_a_mode_that_carries_a_gradient_makes_ints_real(mode: Any) -> None:
    program, found = checked(gradient={"binary": mode})
    assert found == [] and program is not None
    (call,) = [item for item in t.walk(program.loss[0].term) if isinstance(item, t.Invoke)]
    assert str(call.type) == "real[4]" and str(call.body.type) == "int[4]"
    names = {call.parameters[0]: Value(np.array([-1.0, 0.0, 2.0, -3.0]))}
    value = evaluate_batched(t.Invoke("", (), (), call.body, type=call.type), names)
    assert value.array.dtype == np.float64 and value.array.tolist() == [-1, 1, 1, -1]
    program, _ = checked(gradient={"binary": "exact"}, loss={"l": "g"})
    assert program is not None


def test_modes_that_find_no_gradient_are_errors() -> None:
    for mode in ({"scale": 2}, {"clip": 1}):
        assert "the gradient of the loss 'l' reaches no weights" in checked(gradient={"binary": mode})[1][0].message
    _, found = checked(gradient={"binary": {"surrogate": "z > 0"}})
    assert "has no gradient" in found[0].message
    _, found = checked(gradient={"binary": "forward_only"}, loss={"l": "dot(binary(argmax(f) * [1, 1, 1, 1]), x)"})
    assert "no gradient passes through it" in found[0].message
    assert checked(gradient={"binary": "stop"}, loss={"l": "dot(binary(f), x) + g"})[1] == []


def network(*layers: Any) -> dict[str, Any]:
    return {"architecture": {"f": {"input": "x", "layers": [{"dense": 4}, *layers]}}, "measures": {"m": "E(sum(f))"}}


def test_a_function_as_a_layer() -> None:
    loss = {"loss": {"l": "sum(f)^2"}}
    assert checked(**network("tanh"), **loss)[1] == []
    _, found = checked(**network("binary"), **loss)
    assert "reaches no weights" in found[0].message
    assert checked(**network("binary"), **loss, gradient={"binary": "forward_only"})[1] == []
    _, found = checked(**network("binary"), **loss, gradient={"f.binary": "forward_only"})
    assert found


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        ("v if v > 0 else 0.1 * v", True), ("v if v > 0 else 1.0", True), ("v * (1.0 if v > 0 else 0.5)", True), ("positive(v) * v", True),
        ("v - stop(v)", True), ("sign(v)", True), ("v + binary(v)", True), ("leaky(leaky(v))", True), ("1.0 if v > 0 else -1.0", False),
        ("hard(v) + binary(v)", False), ("stop(v)", False), ("stop(v) if v > 0 else 1.0", False),
    ],
)  # fmt: skip
def test_what_stands_before_a_function_is_trained_where_a_gradient_passes_it(body: str, passes: bool) -> None:
    functions = {**BASE["functions"], "leaky(v)": "v if v > 0 else 0.1 * v", "bent(v)": body}
    program, problems = checked(**network("bent", {"dense": 1}), loss={"l": "f^2"}, functions=functions)
    assert program is not None and problems == []
    assert {layer for _, layer, _ in trained(program)} == ({"dense_1", "dense_2"} if passes else {"dense_2"})


def test_gradients_as_values() -> None:
    _, found = checked(loss={"l": "g"}, measures={"m": "norm(E(gradient((dot(binary(f), x) - y)^2, f.weights)))"})
    assert "the gradient in 'm' reaches no weights: `binary(f)` is an int" in found[0].message
    assert checked(loss={"l": "g"}, measures={"m": "E(norm(gradient(g + binary(g), g.weights)))"})[1] == []
    behind = network("binary", {"dense": 1})
    behind["loss"] = {"l": "f^2"}
    behind["measures"] = {"m": "E(norm(gradient(f, f.dense_1.kernel)))"}
    _, found = checked(**behind)
    assert len(found) == 1 and "'m'" in found[0].message
    behind["measures"] = {"m": "E(norm(gradient(f, f.dense_2.kernel)))"}
    assert checked(**behind)[1] == []


def warnings(**parts: Any) -> list[str]:
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": {**BASE, **parts}}})
    return [item.message for item in spec.resolve(spec.parse(Source("paths.yaml", text))).warnings]


def test_what_is_not_trained_beside_what_is_warns() -> None:
    (found,) = warnings(loss={"l": "cross_entropy(f, argmax([g, 0, 0, 0]))"})
    assert "'g' is not trained" in found and "argmax" in found
    assert warnings(loss={"l": "cross_entropy(f, argmax([stop(g), 0, 0, 0]))"}) == []
    assert warnings(loss={"l": "cross_entropy(f, argmax([g, 0, 0, 0]))"}, gradient={"g": "freeze"}) == []
    assert warnings(loss={"l": "cross_entropy(f, argmax([g, 0, 0, 0]))", "m": "(g - y)^2"}) == []
    behind = network("binary", {"dense": 1})
    (found,) = warnings(**behind, loss={"l": "f^2"})
    assert "'f.dense_1' is not trained" in found and "binary" in found
    assert warnings(**behind, loss={"l": "f^2"}, gradient={"binary": "forward_only"}) == []


@pytest.mark.parametrize(
    ("measure", "weights", "known"),
    [
        ("E(sum(gradient(g, f.weights)))", "f.weights", "Name weights that it depends on: g.weights."),
        ("norm(E(gradient(y, f.dense.kernel)))", "f.dense_1.kernel", "It depends on no weights"),
        ("norm(E(gradient(norm(f.dense.bias), f.dense.kernel)))", "f.dense_1.kernel", "Name weights that it depends on: f.dense_1.bias."),
        ({"gradient_noise": {"of": "g^2", "weights": "f.weights", "examples": 128}}, "f.weights", "Name weights that it depends on: g.weights."),
        ({"gradient_snr": {"of": "g^2", "weights": "f.weights", "examples": 128}}, "f.weights", "Name weights that it depends on: g.weights."),
    ],
)  # fmt: skip
def test_a_gradient_by_weights_that_the_value_does_not_depend_on_is_an_error(
    measure: Any, weights: str, known: str
) -> None:
    _, found = checked(loss={"l": "g + sum(f)"}, measures={"m": measure})
    assert len(found) == 1 and found[0].span is not None
    assert found[0].message.startswith("the gradient in 'm' is 0: ")
    assert found[0].message.endswith(f"does not depend on `{weights}`") and found[0].hint.startswith(known)


@pytest.mark.parametrize(
    "of", ["g + sum(f)", "stop(sum(f)) + g", "h(sum(f))", "f[0] if g > 0 else 0", "norm(f.weights)"]
)
def test_a_gradient_by_weights_that_the_value_is_made_with_is_none(of: str) -> None:
    found = checked(
        functions={"h(z)": "tanh(z)"}, loss={"l": "g + sum(f)"}, measures={"m": f"norm(E(gradient({of}, f.weights)))"}
    )[1]
    assert found == []
    nested = {"f": {"input": "x", "layers": [{"dense": 4}]}, "g": {"input": "f", "layers": [{"dense": 1}]}}
    parts = {"architecture": nested, "loss": {"l": "g^2"}, "functions": {}}
    assert checked(**parts, measures={"m": "norm(E(gradient(g, f.weights)))"})[1] == []


def test_weights_below_forward_only_are_not_reached() -> None:
    """A network whose upstream gradient is passed on as it is trains nothing: beside it, a loss behind ints reaches no weights."""
    nets = {"f": {"input": "x", "layers": [{"dense": 4}]}, "g": {"input": "x", "layers": [{"dense": 1}]}}
    parts = {"architecture": nets, "functions": {}, "measures": {"m": "E(g)"}}
    loss = {"l": "sum(f) + (1 if g > 0 else 0) * 1.0"}
    assert checked(**parts, loss=loss)[1] == []
    (problem,) = checked(**parts, loss=loss, gradient={"f": "forward_only"})[1]
    assert "the gradient of the loss 'l' reaches no weights" in problem.message


@pytest.mark.parametrize(
    ("mode", "warned"), [({"scale": 2}, True), ({"clip": 1}, True), ("freeze", False), ("stop", False)]
)
def test_a_mode_that_lets_gradients_through_hides_no_warning(mode: Any, warned: bool) -> None:
    text = {
        **BASE,
        "functions": {},
        "loss": {"l": "g + mean(1.0 * argmax(f) * x)"},
        "gradient": {"f": mode},
        "measures": {"m": "E(g)"},
    }
    document = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": text}})
    warnings = spec.validate(spec.parse(Source("paths.yaml", document)))
    assert [problem.message.startswith("'f' is not trained") for problem in warnings] == [True] * warned

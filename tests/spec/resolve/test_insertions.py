"""Patches that put a layer at a place: where it lands, what stays as it was, and what diff and merge make of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.diff import compare
from dlspec.spec.ir.plan import Program
from dlspec.spec.merge import merged

BODY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {"bend(a)": a + tanh(a)}
    task: {example: {x: "normal([4])", y: sum(x)}}
    architecture:
      f: {input: x, layers: [{dense: {units: 8, name: hidden}}, relu, {repeat: {name: b, times: 2, layers: [tanh, {dense: 8}]}}, {dense: {units: 1, name: last}}]}
    loss: {l: (f - y)^2}
    training: {optimizer: sgd, batch: 8, steps: 10}
    measures: {m: E(f)}
    variants: {plain: {}, new: {architecture: {f: {layers: PATCH}}}}
"""


def programs(patch: str, body: str = BODY) -> Mapping[str, Program]:
    plan = spec.resolve(spec.parse(Source("s.yaml", body.replace("PATCH", patch))))
    return {one.variant: one for one in plan.experiments[0].programs}


def keys(patch: str) -> list[str]:
    (network,) = programs(patch)["new"].networks
    return [layer.key for layer in network.layers]


@pytest.mark.parametrize(
    ("patch", "order"),
    [
        ("{n: {layer_normalization: {}, after: hidden}}", "hidden n apply_1 b last"),
        ("{n: {layer_normalization: , before: hidden}}", "n hidden apply_1 b last"),
        ("{n: {dropout: 0.1, after: relu}}", "hidden apply_1 n b last"),
        ("{n: {activation: bend, before: last}}", "hidden apply_1 b n last"),
        ("{n: {dense: {units: 8, use_bias: false}, before: b}}", "hidden apply_1 n b last"),
        ("{n: {repeat: {times: 1, layers: [dense: 8]}, after: hidden}}", "hidden n apply_1 b last"),
        (
            "{n: {dense: 8, before: b}, m: {dropout: 0.1, before: n}, k: {dropout: 0.1, after: n}}",
            "hidden apply_1 m n k b last",
        ),
        ("{hidden: , n: {dense: 8, before: relu}}", "n apply_1 b last"),
        ("{n: {dense: 8, after: hidden}, hidden: , b: , relu: }", "n last"),
    ],
)
def test_a_layer_goes_where_the_patch_says(patch: str, order: str) -> None:
    assert [key.removesuffix("_1") if key == "n_1" else key for key in keys(patch)] == order.split()


def test_inside_a_block_each_repetition_has_it() -> None:
    (network,) = programs("{b: {layers: {n: {layer_normalization: {}, after: dense}}}}")["new"].networks
    assert [layer.key for layer in network.applied()] == [
        "hidden", "apply_1", "b[0].apply_1", "b[0].dense_1", "b[0].n", "b[1].apply_1", "b[1].dense_1", "b[1].n", "last",
    ]  # fmt: skip


def test_it_is_the_same_as_written_out() -> None:
    body = BODY.replace(
        "{dense: {units: 8, name: hidden}},", "{dense: {units: 8, name: hidden}}, {layer_normalization: {name: n}},"
    )
    written = programs("{hidden: {units: 9}}", body)["plain"]
    assert programs("{n: {layer_normalization: {}, after: hidden}}")["new"].digest == written.digest


SAID = {
    "a place that is none": ("{n: {dense: 8, after: hiden}}", "no layer 'hiden' here to go after"),
    "both": ("{n: {dense: 8, after: hidden, before: last}}", "`before` one layer and `after` another"),
    "no layer": ("{n: {after: hidden}}", "takes its kind, and"),
    "two layers": ("{n: {dense: 8, dropout: 0.1, after: hidden}}", "takes its kind, and"),
    "an unknown kind": ("{n: {desne: 8, after: hidden}}", "takes its kind, and"),
    "a second name": ("{n: {dense: {units: 8, name: m}, after: hidden}}", "its name, 'n', from its key"),
    "a name that is taken": ("{last: {dense: 8, after: hidden}}", "a layer 'last' exists here already"),
    "another's place": ("{b: {layers: {n: {dense: 8, before: dense}}}}", "has no name: its position would change"),
    "no place": ("{n: {dense: 8}}", "no layer 'n' here"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_no_place_for_a_layer(name: str) -> None:
    patch, said = SAID[name]
    with pytest.raises(StudyError) as caught:
        programs(patch)
    (problem,) = caught.value.problems
    assert said in problem.message and problem.hint and problem.span is not None


def test_a_profile_adds_none() -> None:
    body = BODY + "profiles: {p: {experiments: {e: {architecture: {f: {layers: {n: {dense: 8, after: hidden}}}}}}}}\n"
    with pytest.raises(StudyError, match="no 'n' under"):
        spec.resolve(spec.parse(Source("s.yaml", body.replace("PATCH", "{hidden: {units: 9}}"))), "p")


def test_a_diff_tells_of_an_inserted_layer_and_of_one_that_moved() -> None:
    norm = "n: {layer_normalization: {}, after: hidden}, "
    texts = [
        BODY.replace("PATCH", f"{{{new}b: {{times: 1}}}}")
        for new in ("", norm, norm.replace("after: hidden", "before: last"))
    ]
    documents = [spec.parse(Source("s.yaml", text)) for text in texts]
    added, moved = compare(documents[0], documents[1]), compare(documents[1], documents[2])
    (change,) = added.changes
    assert (change.action, change.path[-1], change.after) == ("added", "n", "layer_normalization")
    (change,) = moved.changes
    assert (change.before, change.after) == ("behind `hidden`", "behind `b`")


def test_a_merge_takes_both_sides_layers_and_refuses_a_place_that_went() -> None:
    base = BODY.replace(
        "    variants: {plain: {}, new: {architecture: {f: {layers: PATCH}}}}", "    variants:\n      plain: {}"
    )
    new = "      new: {architecture: {f: {layers: {n: {layer_normalization: {}, after: hidden}}}}}\n"
    other = base.replace(
        "      plain: {}\n", "      plain: {}\n      wide: {architecture: {f: {layers: {hidden: {units: 9}}}}}\n"
    )
    both = merged(base, other, base + new)
    assert both.text == other + new
    plan = spec.resolve(spec.parse(Source("s.yaml", both.text)))
    assert [len(one.networks[0].layers) for one in plan.experiments[0].programs] == [4, 4, 5]
    renamed = merged(base, base.replace("name: hidden", "name: first"), base + new)
    with pytest.raises(StudyError, match="no layer 'hidden' here to go after"):
        spec.resolve(spec.parse(Source("s.yaml", renamed.text)))

"""`-o path=a,b`: several values make an axis, whose cells are those of the values given alone."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.resolve.overrides import Override

STUDY = """\
dlspec: 1
study: small
experiments:
  line:
    constants: {d: 3, w: [1, 2]}
    task: {draw: {v: "normal([d])"}, example: {x: "normal([d])", y: "dot(v, x) + w[0]"}}
    architecture: {f: {input: x, layers: [dense: {units: 4, activation: relu}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 8, steps: 20}
    measures: {error: E((f - y)^2)}
    replicates: 2
    claims: {learns: {says: it learns, check: final(error) < 10}}
VARIANTS
profiles:
  quick: {experiments: {line: {training: {batch: 4}}}}
"""


def programs(*overrides: str, profile: str | None = None, variants: str = "") -> tuple[Program, ...]:
    text = STUDY.replace("VARIANTS", f"    variants: {variants}" if variants else "")
    document = spec.parse(Source("small.yaml", text))
    return spec.resolve(document, profile, [Override.read(text) for text in overrides]).experiments[0].programs


@pytest.mark.parametrize(
    ("override", "axis", "values"),
    [
        ("training.batch=8,32", "batch", (8, 32)),
        ("line.training.steps=10, 20", "steps", (10, 20)),
        ("experiments.line.training.batch=16,32", "batch", (16, 32)),
        ("training.optimizer.sgd.learning_rate=0.1,1e-2", "learning_rate", (0.1, 0.01)),
        ("architecture.f.layers.dense_1.units=4,8", "units", (4, 8)),
        ("constants.d=2,3", "d", (2, 3)),
        ("constants.w=[1, 2],[3, 4]", "w", ((1, 2), (3, 4))),
        ("training.optimizer=sgd,adam", "optimizer", ("sgd", "adam")),
        ("training.optimizer={sgd: {learning_rate: 0.1}},{adam: {learning_rate: 0.1}}", "optimizer", ("sgd", "adam")),
        ("architecture.f.layers.dense_1.activation=relu,tanh", "activation", ("relu", "tanh")),
        ("task.example.y=dot(v, x),sum(x)", "example_y", ("dot_v_x", "sum_x")),
        ("loss.squared=(f - y)^2,abs(f - y)", "loss_squared", ("f_y_2", "abs_f_y")),
        ("seed=1,2", "seed", ("seed_1", "seed_2")),
    ],
)  # fmt: skip
def test_several_values_make_an_axis_of_the_cells_of_each_alone(
    override: str, axis: str, values: tuple[object, ...]
) -> None:
    cells = programs(override)
    assert [cell.point for cell in cells] == [{axis: value} for value in values]
    path, _, text = override.partition("=")
    each = {
        "constants.w=[1, 2],[3, 4]": ("[1, 2]", "[3, 4]"), "task.example.y=dot(v, x),sum(x)": ("dot(v, x)", "sum(x)"),
    }.get(override, text.split("},{")) if "[" in text or "(v" in text else text.split(",")  # fmt: skip
    if "{" in text:
        each = [part for part in text.replace("},{", "}|{").split("|")]
    assert [cell.digest for cell in cells] == [programs(f"{path}={one.strip()}")[0].digest for one in each]


def test_axes_of_several_overrides_multiply_and_go_with_variants() -> None:
    cells = programs("training.batch=8,16", "constants.d=2,3", variants="{a: {}, b: {training: {steps: 10}}}")
    assert len(cells) == 8
    assert {(cell.variant, *cell.point.values()) for cell in cells} == {
        (v, b, d) for v in "ab" for b in (8, 16) for d in (2, 3)
    }


def test_the_profile_lies_under_it() -> None:
    cells = programs("training.steps=10,20", profile="quick")
    assert [(cell.training.phases[0].batch, cell.training.steps) for cell in cells if cell.training] == [
        (4, 10),
        (4, 20),
    ]


@pytest.mark.parametrize(
    "override", ["line.about='one, two'", "about=one, two", "claims.learns.says=it learns, and well"]
)
def test_a_text_keeps_its_commas(override: str) -> None:
    assert len(programs(override)) == 1


@pytest.mark.parametrize(
    ("override", "said", "profile", "variants"),
    [
        ("training.batch=8,8", "'batch' has the value 8 twice", None, ""),
        ("training.bach=8,9", "Did you mean 'batch'?", None, ""),
        ("variants.a=1,2", "'variants.a' is the same in all cells, and takes one value", None, "{a: {}}"),
        ("training.batch=8,16", "the profile changes 'training.batch', too", "quick", ""),
        (
            "training.batch=8,16",
            "the axis 'variant' changes 'training.batch', too",
            None,
            "{a: {}, b: {training: {batch: 9}}}",
        ),
        ("training.optimizer=sgd,adm", "Did you mean 'adam'?", None, ""),
        ("constants.e=1,2", "'e'", None, ""),
    ],
)
def test_what_makes_no_axis_is_said(override: str, said: str, profile: str | None, variants: str) -> None:
    with pytest.raises(spec.StudyError) as error:
        programs(override, profile=profile, variants=variants)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "later", ["training.batch=16", "training={batch: 3}", "training.batch=3,4", "line.training.batch=16"]
)
def test_what_has_several_values_takes_no_other_later(later: str) -> None:
    with pytest.raises(spec.StudyError, match=r"has values already, from `-o training\.batch=8,32`"):
        programs("training.batch=8,32", later)
    with pytest.raises(spec.StudyError, match="has values already"):
        programs("training.batch=8,32", "variants.a.training.batch=16", variants="{a: {}, b: {seed: 1}}")
    path, _, _ = later.partition("=")
    if path == "training.batch" and "," not in later:
        assert [cell.point for cell in programs(later, "training.batch=8,32")] == [{"batch": 8}, {"batch": 32}]


def test_one_value_of_a_constant_goes_over_several() -> None:
    assert [cell.point for cell in programs("constants.d=2,3", "constants.d=5")] == [{"d": 5}]

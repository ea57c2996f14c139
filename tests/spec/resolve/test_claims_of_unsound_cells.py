"""Claims are checked as far as they can be where no cell of their experiment is sound."""

import pytest
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.resolve.load import parse
from dlspec.spec.resolve.resolve import validate

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    constants: {d: 1, limit: 3}
    sweep: {d: [1, 2]}
    task: {example: {x: "normal(0, 1, [d])", y: sum(unknown)}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    measures: {loss: E(sum(x)), big: E(x), ratio: {gradient_snr: {of: "sum(x)", weights: f.weights}}}
    claims:
      c: {says: s, check: "CHECK"}
"""


def messages(check: str) -> list[str]:
    with pytest.raises(StudyError) as refused:
        validate(parse(Source("t.yaml", STUDY.replace("CHECK", check))))
    return [problem.message for problem in refused.value.problems]


@pytest.mark.parametrize(
    "check, message",
    [
        ("final(lossy) < 1", "`final` takes the name of a measure"),
        ("final(big_floor) < 1", "`final` takes the name of a measure"),
        ("final(loss, dd == 1) < 1", "there is no axis 'dd'"),
        ("final(loss, d == 7) < 1", "no value of 'd' fits: it has 1 and 2"),
        ("final(loss) < lim", "unknown name 'lim'"),
        ("final(loss)", "a claim is a condition, and this is a number"),
    ],
)
def test_a_claim_is_wrong_by_itself(check: str, message: str) -> None:
    assert messages(check) == ["unknown name 'unknown'", message]


@pytest.mark.parametrize(
    "check",
    [
        "final(loss) < limit",
        "final(loss, d == limit) < 1",
        "final(big[3]) < 1",
        "final(ratio_floor) < 1",
        "slope(final(loss), d) < 0",
    ],
)
def test_nothing_is_said_of_what_only_a_cell_could_tell(check: str) -> None:
    assert messages(check) == ["unknown name 'unknown'"]

"""What constants take on the way is bounded before any of it is made."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.check import constant_limits as bounds
from dlspec.spec.diagnostics.problems import Source

TOO_LARGE = {
    "nested index notation": "[sum([i * j for j < 100000]) for i < 100000]",
    "a look-up table": "[floor_to(1.0 * i, range(1, 100000)) for i < 100000]",
    "places of steps": "sum(step_of(1.0 * range(100000), range(100000)))",
    "scattered": "sum(scatter(range(100000), range(100000), 100000))",
    "vectors within": "[sum([a * b * i for a < 3000, b < 3000]) for i < 1000]",
    "an argument": "[sum(long(i)) for i < 100000]",
    "a product of vectors": "sum(outer(1.0 * range(100000), 1.0 * range(100000)))",
    "a product of matrices": "sum(matmul(ones([5000, 5000]), ones([5000, 5000])))",
    "integer matrices": "sum(matmul([i * j for i < 2000, j < 2000], [i - j for i < 2000, j < 2000]))",
    "an inverse": "sum(inverse([sin(i * j) for i < 2000, j < 2000]))",
    "singular values": "sum(singular_values([sin(i * j) for i < 1500, j < 1500]))",
    "sizes in a row": "range(0, 1e300, 1e-300)",
    "axes": "[1 for " + ", ".join(f"i{place} < 1" for place in range(70)) + "]",
}


def constant(text: str) -> np.ndarray:  # type: ignore[type-arg]
    functions = 'functions: {long(a): "[a * j for j < 100000]"}'
    lines = ["dlspec: 1", "study: s", "experiments:", "  e:", f'    constants: {{c: "{text}"}}', f"    {functions}"]
    lines += ["    task: {example: {x: normal()}}", "    measures: {m: E(x)}"]
    plan = spec.resolve(spec.parse(Source("case.yaml", "\n".join(lines))))
    return plan.experiments[0].programs[0].constants["c"]


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_what_is_too_large_on_the_way_is_refused_before_it_is_made(text: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(spec.StudyError) as caught:
        constant(text)
    (problem,) = caught.value.problems
    assert "the limit is" in problem.message and problem.span is not None and problem.hint
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 * 1024


def test_what_fits_is_computed_as_before() -> None:
    assert constant("[sum([i * j for j < 300]) for i < 200]").tolist() == [i * 44850 for i in range(200)]
    assert constant("sum(floor_to(1.0 * range(300), range(100)))") == sum(min(i, 99) for i in range(300))


def test_all_constants_together_are_bounded() -> None:
    many = ", ".join(f'c{place}: "ones([2000, 2000])"' for place in range(20))
    lines = [
        "dlspec: 1",
        "study: s",
        "experiments:",
        f"  e: {{constants: {{{many}}}, task: {{example: {{x: normal()}}}},",
    ]
    lines += ["    measures: {m: E(x)}}"]
    with pytest.raises(spec.StudyError, match=f"more than {bounds.MAX_TOTAL_BYTES // 2**20} MiB"):
        spec.resolve(spec.parse(Source("case.yaml", "\n".join(lines))))

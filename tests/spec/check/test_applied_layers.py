"""`apply` takes functions: a layer under it is refused with how it is written, whether or not it needs arguments."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.tables.layers import LAYERS

TEXT = """\
dlspec: 1
study: applied
experiments:
  e:
    task: {{example: {{x: "normal([3])"}}}}
    architecture: {{f: {{input: x, layers: [{{apply: {word}}}]}}}}
    measures: {{m: E(sum(f))}}
"""


@pytest.mark.parametrize("word", LAYERS)
def test_a_layer_is_no_function_to_apply(word: str) -> None:
    with pytest.raises(StudyError) as caught:
        spec.validate(spec.parse(Source("applied.yaml", TEXT.format(word=word))))
    (problem,) = caught.value.problems
    needs = any(parameter.required for parameter in LAYERS[word].parameters.values())
    assert problem.message.startswith(f"the layer '{word}' needs" if needs else f"'{word}' is a layer")
    assert problem.span is not None and (problem.span.line, problem.span.column) == (6, 43)

"""What is said to be untrained has no gradient: those of a first batch, by all weights, beside what the passes over terms say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.passes.gradient_paths import Paths

from tests.fuzz.checks import untouched
from tests.fuzz.outcome import Wrong

BODIES = {
    "leaky": "v if v > 0 else 0.1 * v", "bent": "v if v > 0 else 1.0", "scaled": "v * (1.0 if v > 0 else 0.5)",
    "through": "v - stop(v) + 1.0", "jump": "1.0 if v > 0 else -1.0", "halted": "stop(v)", "mixed": "tanh(v) if v > 0 else stop(v)",
    "whole": "v + (1 if v > 0 else 0)", "nested": "leaky(scaled(v))", "looped": "iterate(leaky, v, 3)", "other": "stop(v) * w",
}  # fmt: skip
STUDY = """
functions: {{{functions}}}
task: {{example: {{x: "normal([3])", y: "normal()"}}}}
architecture:
  w: {{parameter: [], initializer: ones}}
{networks}
loss: {{l: "{loss} + y * w"}}
training: {{optimizer: {{sgd: 0.1}}, batch: 8, steps: 1}}
measures: {{m: "E(y)"}}
"""


@pytest.fixture(scope="module")
def study() -> str:
    """A network for each function, which stands between two layers."""
    functions = ", ".join(f'{name}(v): "{body}"' for name, body in BODIES.items())
    layers = '  {0}_net: {{input: x, layers: [dense: {{units: 3, activation: {0}, bias_initializer: "normal(0, 1)"}}, dense: 1]}}'
    return STUDY.format(
        functions=functions,
        networks="\n".join(layers.format(name) for name in BODIES),
        loss=" + ".join(f"{name}_net" for name in BODIES),
    )


def test_untrained_weights_have_no_gradient(compiled: Callable[..., Compiled], study: str) -> None:
    made = compiled(study)
    untouched(made)
    made.train(1)


def test_a_gradient_that_is_said_not_to_be_there_is_found(
    compiled: Callable[..., Compiled], study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was: a function with a comparison in it was taken for the end of every gradient."""
    made = compiled(study)
    monkeypatch.setattr(Paths, "_through_function", lambda *_: (False, True))
    with pytest.raises(Wrong, match="is said not to train leaky_net"):
        untouched(made)

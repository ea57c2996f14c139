"""What is said to be untrained has no gradient: those of a first batch, by all weights, beside what the passes over terms say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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


WITHIN = """
{modes}
task: {{example: {{x: "normal([3])", y: "normal()"}}}}
architecture:
  g: {{input: x, layers: [dense: {{units: 3, kernel_initializer: 0.3}}]}}
  f:
    input: "{given}"
    {each}
    layers: [dense: {{units: {size}, kernel_initializer: 0.2, name: own}}, batch_normalization, dense: {{units: {size}, kernel_initializer: 0.1, name: last}}]
loss: {{l: "{loss}", other: "(g[0] - y)^2"}}
training: {{optimizer: {{sgd: 0.1}}, batch: 8, steps: 2}}
measures: {{g: g.dense_1.kernel, own: f.own.kernel, last: f.last.kernel}}
"""


@pytest.mark.parametrize("each", [False, True], ids=["whole", "each"])
def test_modes_of_a_network_and_what_its_layers_give(compiled: Callable[..., Compiled], each: bool) -> None:
    """`stop` lets nothing pass, from within neither; one that passes the network by is of its output, and a layer's is as without."""

    own = {"given": "[[g[0], g[1]], [g[1], g[2]], [g[2], g[0]]]", "each": "each: 3", "size": 2}
    own = own if each else {"given": "g", "each": "", "size": 3}

    def weights(modes: str, loss: str = "(sum(f.own) - y)^2") -> dict[str, np.ndarray[Any, Any]]:
        made = compiled(WITHIN.format(modes=modes, loss=loss, **own))
        untouched(made)
        made.train(2)
        return made.evaluate()

    exact, passed, stopped = weights(""), weights("gradient: {f: forward_only}"), weights("gradient: {f: stop}")
    assert all(np.array_equal(exact[name], passed[name]) for name in exact)
    assert np.all(stopped["own"] == np.float32(0.2)) and not np.array_equal(exact["own"], stopped["own"])
    alone = weights("gradient: {f: stop}", "0 * sum(f.own)")
    assert np.array_equal(stopped["g"], alone["g"]) and not np.array_equal(exact["g"], stopped["g"])

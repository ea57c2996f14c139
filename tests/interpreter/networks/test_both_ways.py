"""Arguments reach the weights of every layer: both ways of a recurrent one, kernels of attention, activations, starts by a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.ir.plan import VALUE
from dlspec.spec.tables.layers import LAYERS

from tests.interpreter.networks.written_layers import written_layer

LAYER = (
    "{bidirectional: {name: both, layer: {lstm: {units: 3, kernel_initializer: 0.25, recurrent_initializer: normal(), "
    "bias_constraint: {max_norm: 1}}}}}"
)
BODY = f"""
dtype: float64
task: {{data: {{test: 6}}, example: {{x: "normal([5, 2])"}}}}
architecture: {{f: {{input: x, layers: [{LAYER}]}}}}
loss: {{l: "sum((f - 1)^2)"}}
training: {{optimizer: {{sgd: 0.5}}, batch: 4, steps: 2}}
measures: {{m: E(f)}}
"""


def test_both_ways_have_weights_of_their_own(compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    held = compiled(BODY, 2)
    w = {name: variable.numpy() for (_, name), variable in held.networks["f"].weights.items()}
    for way in ("forward", "backward"):
        assert (w[f"{way}_kernel"] == 0.25).all()
        np.testing.assert_array_equal(w[f"{way}_bias"], [[0] * 3 + [1] * 3 + [0] * 6] * 2)
    assert not np.allclose(w["forward_recurrent_kernel"], w["backward_recurrent_kernel"])
    assert not np.allclose(w["forward_recurrent_kernel"][0], w["forward_recurrent_kernel"][1])
    assert held.train(2) == [None, None]
    for way in ("forward", "backward"):
        norms = np.linalg.norm(held.networks["f"].weights["both", f"{way}_bias"].numpy(), axis=-1)
        assert (norms <= 1 + 1e-9).all() and (norms > 0.9).all()
    write(held, 1, tmp_path / "kept")
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(6, dtype=tf.int64), 6, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()[1]
    model = keras.saving.load_model(tmp_path / "kept" / "f.keras")
    np.testing.assert_allclose(held.evaluate()["m"][1], np.mean(model(x), axis=0), rtol=1e-9)


# -- what may stand in an argument, over all rows --------------------------------------------------------------------------


def written(row: str, more: str) -> tuple[str, str]:
    """A network that ends in a layer, and its example."""
    layer, example = written_layer(row, more)
    return f"{row}_net: {{input: x_{row}, layers: [{{{layer}}}]}}", f"x_{row}: '{example}'"


WITH_ACTIVATION = [row.name for row in LAYERS.values() if "activation" in row.parameters and not row.loops]
WITH_INITIALIZER = [
    (row.name, name) for row in LAYERS.values() for name, p in row.parameters.items() if p.kind == "initializer"
]


def test_a_function_is_an_activation_of_every_layer_that_has_one(compiled: Callable[..., Compiled]) -> None:
    """One program has each layer twice: with the function, and with Keras' activation of the same values."""
    parts = [written(row, f"activation: {word}") for row in WITH_ACTIVATION for word in ("bend", "elu")]
    networks = [text.replace("_net", f"_{'ab'[place % 2]}", 1) for place, (text, _) in enumerate(parts)]
    text = (
        'dtype: float64\nfunctions: {"bend(a)": "a if a > 0 else expm1(a)"}\n'
        f"task: {{data: {{test: 4}}, example: {{{', '.join(dict.fromkeys(example for _, example in parts))}}}}}\n"
        f"architecture: {{{', '.join(networks)}}}\n"
        f"measures: {{{', '.join(f'{row}_{n}: E({row}_{n})' for row in WITH_ACTIVATION for n in 'ab')}}}\n"
    )
    held = compiled(text, 2)
    for row in WITH_ACTIVATION:
        for (_, name), variable in held.networks[f"{row}_a"].weights.items():
            held.networks[f"{row}_b"].weights[f"{row}_1", name].assign(variable.numpy())
    found = held.evaluate()
    assert len(WITH_ACTIVATION) >= 8
    for row in WITH_ACTIVATION:
        np.testing.assert_allclose(found[f"{row}_a"], found[f"{row}_b"], rtol=1e-10, err_msg=row)


def test_a_draw_and_a_constant_start_every_weight(compiled: Callable[..., Compiled]) -> None:
    """By their names; an array of the weight's last axes stands for all that it broadcasts to."""
    shown = [(row, argument, start) for row, argument in WITH_INITIALIZER for start in ("drawn", "fixed")]
    parts = [written(row, f"{argument}: {start}") for row, argument, start in shown]
    networks = [text.replace("_net", f"_{place}", 1) for place, (text, _) in enumerate(parts)]
    text = (
        "dtype: float64\nconstants: {fixed: 0.125}\n"
        f"task: {{draw: {{drawn: normal()}}, example: {{{', '.join(dict.fromkeys(example for _, example in parts))}}}}}\n"
        f"architecture: {{{', '.join(networks)}}}\nmeasures: {{m: E(1)}}\n"
    )
    held = compiled(text, 2)
    drawn = held.seeds.draws["drawn"].numpy()
    for place, (row, argument, start) in enumerate(shown):
        (leaf,) = held.networks[f"{row}_{place}"].plan.leaves()
        names = [name for name in leaf.weights if f"{LAYERS[row].argument_of(name)}_initializer" == argument]
        assert names, (row, argument)
        for name in names:
            value = held.networks[f"{row}_{place}"].weights[leaf.key, name].numpy()
            if LAYERS[row].ones_at_start is not None and name == "bias":
                value = value[:, :2]
            for r in range(2):
                np.testing.assert_array_equal(
                    value[r], drawn[r] if start == "drawn" else 0.125, err_msg=f"{row}.{name}"
                )


def test_a_layer_that_is_patched_keeps_how_it_starts(programs: Callable[[str], dict[str, spec.Program]]) -> None:
    text = """
task: {draw: {start: "normal([4, 8])"}, example: {x: "normal([5, 4])"}}
architecture: {f: {input: x, layers: [{dense: {units: 8, kernel_initializer: start, name: h}}]}}
measures: {m: E(sum(f))}
variants: {plain: {}, bent: {architecture: {f: {layers: {h: {activation: tanh}}}}}}
"""
    for one in programs(text).values():
        assert one.networks[0].layers[0].initializers["kernel"].keras == VALUE


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("{dense: 3}", "recurrent layer"), ("lstm: 3, gru: 3", "recurrent layer"), ("{lstm: {units: 3, activation: bend}}", "one of Keras' activations"),
        ("{lstm: 0}", "at least 1"), ("{lstm: {units: 3, name: a}}", "unknown key 'name'"),
    ],
)  # fmt: skip
def test_what_goes_no_two_ways(program: Callable[[str], spec.Program], layer: str, said: str) -> None:
    inner = layer if layer.startswith("{") else f"{{{layer}}}"
    text = BODY.replace(LAYER, f"{{bidirectional: {{layer: {inner}}}}}") + 'functions: {"bend(a)": 2 * a}\n'
    with pytest.raises(StudyError) as caught:
        program(text)
    assert said in caught.value.problems[0].message

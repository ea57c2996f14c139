"""Final weights in Keras' format: what Keras loads computes what dlspec measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

BODY = """
functions: {twice(a): 2 * a}
task: {example: {x: "normal([4])", y: "sum(x)"}}
architecture: {f: {input: x, layers: LAYERS}}
loss: {squared: "sum((f - y)^2)"}
training: {optimizer: OPTIMIZER, batch: 8, steps: 10, evaluate: {every: 10, examples: 64}}
measures: {error: "E(sum((f - y)^2))"}
figures: {fit: {kind: function, x: "x[0]", y: {f: "sum(f)", x1: "x[1]", x2: "x[2]", x3: "x[3]"}}}
replicates: 2
"""


def trained(program: Callable[[str], Program], layers: str, optimizer: str = "{adam: {}}") -> Compiled:
    compiled = Compiled(program(BODY.replace("LAYERS", layers).replace("OPTIMIZER", optimizer)), [0, 1], False)
    compiled.train(10)
    return compiled


@pytest.mark.parametrize(
    ("layers", "optimizer"),
    [
        ("[dense: {units: 5, activation: relu}, dense: 1]", "{adam: {}}"),
        ("[dense: 5, batch_normalization: {}, dropout: 0.5, dense: 2]", "{adam: {}}"),
        ("[whiten: {examples: 64}, dense: 1]", "{adam: {}}"),
        (
            "[dense: {units: 4, name: block_0_a}, repeat: {name: block, times: 1, layers: [dense: {units: 4, name: a}]}, "
            "dense: {units: 3, name: last_}, dense: {units: 1, name: last}]",
            "{sgd: {}}",
        ),
        ("[dense: 1]", "{adam: {use_ema: true, ema_momentum: 0.9}}"),
        ("[repeat: {name: block, times: 3, layers: [dense: {units: 4, activation: tanh}], skip: true}, dense: 1]", "{sgd: {}}"),
        ("[repeat: {name: block, times: 3, layers: [dense: {units: 4, activation: tanh}], share: true}, dense: 1]", "{sgd: {}}"),
    ],
)  # fmt: skip
def test_keras_loads_a_model_that_computes_the_same(
    layers: str, optimizer: str, program: Callable[[str], Program], tmp_path: Path
) -> None:
    compiled = trained(program, layers, optimizer)
    values = compiled.probe(compiled.program.probes[0])
    for replicate in (0, 1):
        write(compiled, replicate, tmp_path / str(replicate))
        model = keras.saving.load_model(tmp_path / str(replicate) / "f.keras")
        x = np.stack([values[name][replicate] for name in ("x", "y:x1", "y:x2", "y:x3")], axis=1)
        np.testing.assert_allclose(
            np.sum(model(x), axis=-1), values["y:f"][replicate], rtol=1e-5, atol=1e-6
        )  # fmt: skip
    assert not np.allclose(values["y:f"][0], values["y:f"][1])


def test_layers_of_the_language_leave_weights_alone(program: Callable[[str], Program], tmp_path: Path) -> None:
    compiled = trained(program, "[dense: 3, twice, dense: 1]")
    write(compiled, 1, tmp_path / "cell")
    write(compiled, 1, tmp_path / "cell")
    assert [path.name for path in tmp_path.iterdir()] == ["cell"]
    found: list[tuple[int, ...]] = []
    with h5py.File(tmp_path / "cell" / "f.weights.h5") as held:
        held.visititems(lambda _, item: found.append(item.shape) if isinstance(item, h5py.Dataset) else None)
    assert sorted(found) == [(1,), (3,), (3, 1), (4, 3)]


def test_a_network_without_layers_is_one_of_what_each_application_is_given(
    program: Callable[[str], Program], tmp_path: Path
) -> None:
    """Neither copies nor what `each` goes over are axes of the file's model."""
    body = """
task: {example: {x: "normal([3, 4])"}}
architecture: {f: {input: x, each: 3, layers: []}, g: {input: x, copies: 2, layers: []}}
measures: {f: E(sum(f)), g: E(sum(g))}
"""
    write(Compiled(program(body), [0], False), 0, tmp_path / "0")
    for name, shape in (("f", (None, 4)), ("g[1]", (None, 3, 4))):
        model = keras.saving.load_model(tmp_path / "0" / f"{name}.keras")
        assert model.input_shape == model.output_shape == shape

"""Exported programs do what the program here does: loaded again by TensorFlow, and by JAX where that is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.export import _names, _state, export
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.results.errors import StoreError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost

ROOT = Path(__file__).parents[3]
BODY = """
task: {DATAdraw: {v: "normal([4])"}, example: {x: "normal([4])", y: "dot(v, x)"}}
architecture: {f: {input: INPUT, layers: LAYERS}}
loss: {squared: (f - y)^2}
training: {optimizer: OPTIMIZER, batch: 8, steps: 12}
measures: {error: E((f - y)^2)}
replicates: 2
"""
DENSE = "[dense: {units: 6, activation: tanh}, dense: 1]"
TWO = """
task: {example: {x: "normal([3])", y: "sum(x)"}}
architecture: {f: {input: x, layers: [dense: 1]}, g: {input: x, layers: [dense: 4, dense: 1]}}
loss: {squared: (f + g - y)^2}
training: {optimizer: {f: {adam: {}}, g: {sgd: {momentum: 0.9}}}, batch: 8, steps: 12}
measures: {error: E(f - y)}
"""


def body(
    optimizer: str = "{adam: {learning_rate: 0.05}}", layers: str = DENSE, given: str = "x", data: str = ""
) -> str:
    text = BODY.replace("OPTIMIZER", optimizer).replace("LAYERS", layers).replace("INPUT", given)
    return text.replace("DATA", f"data: {data}, " if data else "")


DERIVED = """
task: {example: {x: "normal([3])", e: "normal([3])", y: "sum(x)"}}
architecture: {f: {input: x, layers: [dense: {units: 5, activation: tanh, name: a}, dense: 1]}, g: {input: x, layers: [dense: {units: 10, activation: tanh}]}}
outputs: {slope: "gradient(f, x)", s: "sum(g)"}
loss:
  penalty: "(f - y)^2 + (norm(slope) - 1)^2 + squared_norm(B(gradient((f - y)^2, f.weights)))"
  sharp: "with_weights((f - y)^2, f.weights, f.weights + 0.1 * B(gradient((f - y)^2, f.weights)))"
  each: "squared_norm(gradient(f, f.a.weights)) + 0.1 * sum(jacobian(g, x)^2) + squared_norm(hessian_vector(s, x, e))"
training: {optimizer: {adam: {learning_rate: 0.05}}, batch: 8, steps: 12}
measures: {error: E(norm(slope))}
replicates: 2
"""


RECALLED = """
task: {{example: {{x: "normal([4])", y: "sum(x)"}}}}
architecture: {{f: {{input: x, layers: [dense: {{units: 5, activation: tanh}}, dense: 1]}}}}
loss: {{l: "(f - y)^2 + (f - {})^2"}}
training: {{optimizer: {{adam: {{learning_rate: 0.05, use_ema: {}}}}}, batch: 8, steps: 7}}
measures: {{m: E(f)}}
replicates: 2
"""
CASES = [
    pytest.param(body(), id="adam"),
    pytest.param(body("{sgd: {learning_rate: 0.1 / (1 + step), momentum: 0.9}}"), id="a schedule"),
    pytest.param(body(data="{train: 20, test: 5}"), id="finite data"),
    pytest.param(body(layers="[dense: {units: 6, use_bias: false}, batch_normalization: {}, dropout: 0.5, dense: 1]"), id="moving averages, noise"),
    pytest.param(body("{adam: {use_ema: true}}", "[whiten: {examples: 32}, dense: 1]"), id="whitening"),
    pytest.param(
        body(layers="[conv1d: {filters: 2, kernel_size: 2}, flatten, dense: 1]", given='"reshape(x, [4, 1])"'), id="convolution"
    ),
    pytest.param(TWO, id="two optimisers"),
    pytest.param(
        'functions: {box(w): "clip(w, -0.2, 0.2) * (1 if v[0] > 0 else 2) / (1 + step)"}\n' + body(layers="[dense: {units: 6, kernel_constraint: box}, dense: 1]"),
        id="a constraint",
    ),
    pytest.param(DERIVED, id="derivatives in an output and in losses"),
    pytest.param(RECALLED.format("initial(f)", "false"), id="weights of step 0"),
    pytest.param(RECALLED.format("average(f)", "true"), id="moving averages in the loss"),
    pytest.param("weights: bfloat16\n" + body(), id="rounded weights"),
    pytest.param("weights: float16\nloss_scale: 2^18\n" + body(), id="updates that are left out"),
]  # fmt: skip


@pytest.fixture(scope="module")
def runner() -> Any:
    """benchmarks/exported.py, which runs what was exported."""
    found = importlib.util.spec_from_file_location("exported", ROOT / "benchmarks" / "exported.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def after(made: Compiled, *counts: int) -> dict[str, Any]:
    """The state after some steps, in several goes, by the names that the export gives it."""
    for count in counts:
        made.train(count)
    state = _state(made)
    return dict(zip(_names(name for name, _ in state), [v.value.numpy() for _, v in state], strict=True))


def ran(runner: Any, folder: Path, *counts: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest, and what the exported program gives after some steps in several goes."""
    about, inputs, program, _ = runner.load(folder)
    for count in counts:
        inputs["steps"] = np.int32(count)
        outputs = program(inputs)
        inputs = runner.advanced(inputs, outputs, count)
    return about, {name: np.asarray(value) for name, value in outputs.items()}


@pytest.mark.parametrize("text", CASES)
def test_a_saved_model_trains_to_the_same_bits(
    text: str, program: Callable[[str], Program], runner: Any, tmp_path: Path
) -> None:
    made = program(text)
    export(Compiled(made, [0, 1], False), "saved_model", tmp_path / "out", "cpu")
    about, found = ran(runner, tmp_path / "out", 3, 4)
    expected = after(Compiled(made, [0, 1], False), 3, 4)
    assert about["compiled"] == "graph"
    assert found.keys() == {"diverged", *expected}
    assert (found["diverged"] == -1).all()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert found[name].tobytes() == value.tobytes(), name


def test_a_saved_model_of_a_program_under_xla_trains_to_the_same_bits(
    program: Callable[[str], Program], runner: Any, tmp_path: Path
) -> None:
    made = program(body())
    export(Compiled(made, [0, 1], True), "saved_model", tmp_path / "out", "cpu")
    about, found = ran(runner, tmp_path / "out", 7)
    assert about["compiled"] == "xla"
    for name, value in after(Compiled(made, [0, 1], True), 7).items():
        assert found[name].tobytes() == value.tobytes(), name


@pytest.mark.parametrize("case", ["weights of step 0", "updates that are left out"])
def test_stablehlo_has_all_that_the_loop_reads_among_its_inputs(
    case: str, program: Callable[[str], Program], tmp_path: Path
) -> None:
    (text,) = next(one.values for one in CASES if one.id == case)
    made = Compiled(program(text), [0, 1], True)
    about = export(made, "stablehlo", tmp_path / "out", "cpu")
    names = {port["name"] for port in about["inputs"] if port["role"] == "state"}
    kept = {name for name, _ in _state(made) if name.startswith(("initial", "left_out"))}
    assert kept and kept <= names


@pytest.mark.parametrize("text", CASES)
def test_stablehlo_trains_to_the_same_weights_through_jax(
    text: str, program: Callable[[str], Program], runner: Any, tmp_path: Path
) -> None:
    """To 1e-4 after seven steps: another version of XLA sums in another order."""
    pytest.importorskip("jax")
    made = program(text)
    before = after(Compiled(made, [0, 1], True))
    export(Compiled(made, [0, 1], True), "stablehlo", tmp_path / "out", "cpu")
    about, found = ran(runner, tmp_path / "out", 3, 4)
    expected = after(Compiled(made, [0, 1], True), 3, 4)
    changed = {name for name, value in expected.items() if value.tobytes() != before[name].tobytes()}
    assert changed <= found.keys()
    assert (found.pop("diverged") == -1).all()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert any(not np.allclose(found[name], before[name], rtol=1e-4, atol=1e-5) for name in found)
    assert [port["name"] for port in about["outputs"]] == ["diverged", *found]


def test_the_manifest_says_what_the_program_takes(program: Callable[[str], Program], tmp_path: Path) -> None:
    made = program(body())
    about = export(Compiled(made, [0, 1], True), "stablehlo", tmp_path / "out", "cpu")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "manifest.json",
        "inputs.npz",
        "program.stablehlo.mlir",
    }
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8")) == about
    with np.load(tmp_path / "out" / "inputs.npz") as held:
        assert {name: (list(held[name].shape), held[name].dtype.name) for name in held.files} == {
            port["name"]: (port["shape"], port["dtype"]) for port in about["inputs"]
        }
        assert (held["start"], held["steps"]) == (0, 12)
    assert about["digest"] == made.digest and about["cell"] == "e" and about["replicates"] == [0, 1]
    assert about["flops_per_step"] == 2 * cost(made).step > 0
    text = (tmp_path / "out" / "program.stablehlo.mlir").read_text("utf-8")
    assert "stablehlo.while" in text
    assert "loc(" not in text and str(ROOT) not in text


def test_a_folder_that_cannot_be_written_leaves_nothing(program: Callable[[str], Program], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "there").write_text("", "utf-8")
    with pytest.raises(StoreError, match="out"):
        export(Compiled(program(body()), [0], True), "stablehlo", tmp_path / "out", "cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


RECTIFIED = """
task: {example: {x: "normal([4])", y: "sum(x)"}}
architecture:
  f: {input: x, layers: [dense: {units: 6, activation: relu}, dense: {units: 5, activation: softmax}, dense: 1]}
  g: {input: "reshape(x, [2, 2, 1])", layers: [conv2d: {filters: 2, kernel_size: 2, activation: relu6}, flatten, dense: 1]}
loss: {dense: (f - y)^2, convolved: (g - y)^2, rectified: "relu(f - g)"}
training: {optimizer: {sgd: {learning_rate: 0.05}}, batch: 8, steps: 12}
measures: {error: E(f - g)}
"""
ELSEWHERE = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from exported import load
about, inputs, program, _ = load(Path(sys.argv[2]))
inputs["steps"] = np.int32(1)
for network in ("f", "g"):
    given = {name: np.array(value) for name, value in inputs.items()}
    kernel = given[next(name for name in given if name.startswith(network) and name.endswith("_kernel"))]
    kernel[(0,) * kernel.ndim] = np.nan
    np.savez(Path(sys.argv[3]) / network, **{name: np.asarray(value) for name, value in program(given).items()})
assert not any(name.startswith("dlspec") for name in sys.modules)
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_a_saved_model_keeps_nan_where_dlspec_is_not(
    xla: bool, program: Callable[[str], Program], tmp_path: Path
) -> None:
    """A weight that is NaN is seen in the loss at once, as it is here, whatever TensorFlow's own kernels make of it."""
    export(Compiled(program(RECTIFIED), [0], xla), "saved_model", tmp_path / "out", "cpu")
    command = [sys.executable, "-c", ELSEWHERE, str(ROOT / "benchmarks"), str(tmp_path / "out"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for network, terms in (("f", [0, -1, 0]), ("g", [-1, 0, 0])):
        with np.load(tmp_path / f"{network}.npz") as found:
            assert found["diverged"].ravel().tolist() == terms
            own = [name for name in found.files if name.startswith(network) and name.endswith(("kernel", "bias"))]
            assert len(own) > 3 and all(np.isnan(found[name]).any() for name in own)

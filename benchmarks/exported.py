"""Runs and times a training program that `dlspec export` wrote. It needs NumPy, and JAX for StableHLO or TensorFlow for a
SavedModel; not dlspec.

    dlspec export examples/parities.yaml --cell 'random_parity d=30' --output parities
    python exported.py parities --steps 1000 --times 5

It makes some steps over and over, each time from where it stood, and prints the median time of a step, with the fastest
and the slowest, and operations a second by the manifest's count of them. `--save` keeps the state at the end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Program = Callable[[Arrays], Arrays]


def stablehlo(text: str, about: dict[str, Any], platform: str | None) -> tuple[Program, str]:
    """A program from inputs to outputs by name, compiled by JAX's PJRT client, and the device that it runs on."""
    import jax
    from jaxlib import xla_client

    jax.config.update("jax_enable_x64", True)
    device = jax.devices(platform)[0]
    devices = xla_client.DeviceList((device,))
    loaded = device.client.compile_and_load(text, devices, xla_client.CompileOptions())

    def program(inputs: Arrays) -> Arrays:
        # Copied where it is NumPy's: the program may write its outputs where its inputs lay.
        given = [jax.device_put(np.array(x) if isinstance(x, np.ndarray) else x, device) for x in inputs.values()]
        results = [one[0] for one in loaded.execute_sharded(given).disassemble_into_single_device_arrays()]
        return dict(zip([port["name"] for port in about["outputs"]], jax.block_until_ready(results), strict=True))

    return program, device.device_kind


def saved_model(folder: Path, about: dict[str, Any]) -> tuple[Program, str]:
    """A program from inputs to outputs by name, and the device that it runs on."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(about["dtype"] == "tf32")
    held = tf.saved_model.load(str(folder))
    train = held.signatures["train"]

    def program(inputs: Arrays, _held: Any = held) -> Arrays:
        found = train(**{name: tf.constant(value) for name, value in inputs.items()})
        found[about["outputs"][0]["name"]].numpy()  # waits for the end
        return dict(found)

    accelerators = tf.config.list_physical_devices("GPU")
    if not accelerators:
        return program, "cpu"
    return program, tf.config.experimental.get_device_details(accelerators[0]).get("device_name", "gpu")


def load(folder: Path, platform: str | None = None) -> tuple[dict[str, Any], Arrays, Program, str]:
    """The manifest, the inputs at the start, the program, the device."""
    about = json.loads((folder / "manifest.json").read_text("utf-8"))
    with np.load(folder / "inputs.npz") as held:
        inputs = {port["name"]: held[port["name"]] for port in about["inputs"]}
    place = folder / about["program"]
    if about["format"] == "stablehlo":
        return about, inputs, *stablehlo(place.read_text("utf-8"), about, platform)
    return about, inputs, *saved_model(place, about)


def advanced(inputs: Arrays, outputs: Arrays, steps: int) -> Arrays:
    """The inputs of the next call: the state as the program left it, and the step it is at."""
    return {
        **inputs,
        **{name: value for name, value in outputs.items() if name in inputs},
        "start": inputs["start"] + np.int32(steps),
    }


def main() -> None:
    """Times a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `dlspec export` wrote")
    parser.add_argument("--steps", type=int, default=200, help="how many steps a call makes (200)")
    parser.add_argument("--times", type=int, default=5, help="how many calls are timed (5)")
    parser.add_argument("--platform", help="JAX's: cpu or gpu; otherwise its first choice")
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="keeps the state at the end")
    asked = parser.parse_args()

    begin = time.perf_counter()
    about, inputs, program, device = load(asked.folder, asked.platform)
    inputs = {**inputs, "steps": np.int32(0)}
    inputs = advanced(inputs, program(inputs), 0)
    ready = time.perf_counter() - begin
    inputs["steps"] = np.int32(asked.steps)
    times = []
    for _ in range(asked.times):
        begin = time.perf_counter()
        outputs = program(inputs)
        times.append((time.perf_counter() - begin) / asked.steps)
        inputs = advanced(inputs, outputs, asked.steps)
    if asked.save is not None:
        np.savez(asked.save, **{name: np.asarray(value) for name, value in outputs.items()})
    middle = statistics.median(times)
    print(f"{about['cell']}, {len(about['replicates'])} replicates, {about['dtype']}, {about['format']} on {device}")
    print(f"ready after {ready:.1f} s")
    print(
        f"{1e6 * middle:.1f} us a step (from {1e6 * min(times):.1f} to {1e6 * max(times):.1f}, {asked.times} times {asked.steps} steps)"
    )
    print(f"{about['flops_per_step'] / middle / 1e9:.1f} GFLOP/s, at {about['flops_per_step']:,} FLOP a step")


if __name__ == "__main__":
    main()

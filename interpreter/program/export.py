"""A cell's compiled training program in a folder of its own, to be run and timed where dlspec is not.

The program is the one that `dlspec run` trains with, its loop included: it maps the state (weights, the optimiser's and
moving statistics), what a cell draws and looks up, the step it starts from and how many steps it makes to the state after
them. `manifest.json` names its inputs and outputs in order, `inputs.npz` holds the inputs at the start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.passes.cost import cost

from ..backend.graph_functions import graph_function
from ..backend.tf32 import tf32_mode
from ..results.atomic_files import replaced
from ..results.errors import explained
from ..results.npz import write_npz
from ..results.run_writer import provenance
from .program import Compiled

FORMAT_VERSION = 1
MANIFEST, INPUTS = "manifest.json", "inputs.npz"
PLACES = {"stablehlo": "program.stablehlo.mlir", "saved_model": "saved_model"}
"""What the program lies under, by format."""
DIVERGED = "diverged"


@dataclass(frozen=True)
class Port:
    """An input or an output: `role` is `state`, `data`, `start`, `steps` or `diverged`."""

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str


def export(compiled: Compiled, form: str, folder: Path, device: str) -> dict[str, Any]:
    """Writes the program into a new folder, whole or not at all; returns the manifest.

    `form` is `stablehlo`, which wants a program compiled by XLA, or `saved_model`. Raises StudyError where the folder cannot be written.
    """
    with explained(folder.parent), replaced(folder, over=False) as draft:
        with tf32_mode(compiled.program.dtype):
            inputs, outputs = (_stablehlo if form == "stablehlo" else _saved_model)(compiled, draft / PLACES[form])
        write_npz(draft / INPUTS, ((port.name, value) for port, value in inputs), compressed=False)
        about = _about(compiled, form, device, [port for port, _ in inputs], outputs)
        (draft / MANIFEST).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return about


def _about(
    compiled: Compiled, form: str, device: str, inputs: Sequence[Port], outputs: Sequence[Port]
) -> dict[str, Any]:  # fmt: skip
    program, found = compiled.program, cost(compiled.program)
    plan = program.training
    assert plan is not None
    return {
        "format_version": FORMAT_VERSION, "format": form, "program": PLACES[form],
        "study": program.study, "cell": program.name, "experiment": program.experiment, "variant": program.variant,
        "constants": {name: value if isinstance(value, int | float | str) else str(value) for name, value in program.point.items()},
        "digest": program.digest, "replicates": list(compiled.replicates), "compiled": "xla" if compiled.xla else "graph",
        "dtype": program.dtype, "batch": compiled.train_step.batch, "steps": plan.steps, "start": compiled.step,
        "parameters": found.parameters, "flops_per_step": found.step * len(compiled.replicates),
        "loss": [term.name for term in program.loss], "inputs": list(map(_port, inputs)), "outputs": list(map(_port, outputs)),
        **provenance(device),
    }  # fmt: skip


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "role": port.role, "shape": list(port.shape), "dtype": port.dtype}


# -- what goes in and what comes out -------------------------------------------------------------------------------------


def _arguments(compiled: Compiled) -> list[tuple[str, str, Any]]:
    """The training function's arguments, flat and in TensorFlow's order of them: name, role, value."""
    plan, inputs = compiled.program.training, compiled.train_inputs
    assert plan is not None
    arguments = [(f"draw_{name}", "data", inputs.draws[name]) for name in sorted(inputs.draws)]
    arguments += [(f"held_{name}", "data", inputs.dataset[name]) for name in sorted(inputs.dataset)]
    arguments += [("keys", "data", inputs.keys), ("order", "data", inputs.order)]
    arguments += [("start", "start", tf.constant(compiled.step))]
    return [*arguments, ("steps", "steps", tf.constant(plan.steps - compiled.step))]


def _call(compiled: Compiled, flat: Sequence[Any]) -> tuple[Any, ...]:
    """The training function's arguments from flat ones."""
    *inputs, start, steps = flat
    return tf.nest.pack_sequence_as(compiled.train_inputs, inputs), start, steps


def _state(compiled: Compiled) -> list[tuple[str, Any]]:
    """All variables that training changes or reads, by name."""
    variables = [
        (f"{network}_{layer}_{weight}", variable)
        for network, held in compiled.networks.items()
        for (layer, weight), variable in held.weights.items()
    ]
    groups = [group for optimizers in compiled.state.optimizers for group in optimizers.groups.values()]
    for place, (optimizer, _) in enumerate(groups, 1):
        variables += [(f"optimizer_{place}_{variable.name}", variable) for variable in optimizer.variables]
    kept = [variable for of_then in compiled.state.kept.values() for variable in of_then.values()]
    return variables + [(variable.name, variable) for variable in (*kept, *compiled.state.estimates.values())]


def _names(wanted: Iterator[str]) -> list[str]:
    """Names of letters, digits and underscores, each once."""
    found: dict[str, None] = {}
    for name in wanted:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
        number = 2
        unique = plain
        while unique in found:
            unique, number = f"{plain}_{number}", number + 1
        found[unique] = None
    return list(found)


def _of(name: str, role: str, tensor: Any) -> Port:
    return Port(name, role, tuple(tensor.shape), np.dtype(tf.as_dtype(tensor.dtype).as_numpy_dtype).name)


# -- formats ---------------------------------------------------------------------------------------------------------------


def _saved_model(compiled: Compiled, place: Path) -> tuple[list[tuple[Port, Any]], list[Port]]:
    """A SavedModel whose signature `train` maps all inputs, by name, to all outputs."""
    arguments, state = _arguments(compiled), _state(compiled)
    names = _names(iter([*(name for name, _ in state), *(name for name, _, _ in arguments)]))
    variables = dict(zip(names, (variable for _, variable in state), strict=False))
    given = dict(zip(names[len(state) :], arguments, strict=True))
    values = {name: (_of(name, "state", variable), variable.value) for name, variable in variables.items()}
    values |= {name: (_of(name, role, value), value) for name, (_, role, value) in given.items()}

    @graph_function()
    def train(**inputs: Any) -> dict[str, Any]:
        for name, variable in variables.items():
            variable.value.assign(inputs[name])
        bad = compiled.train_step.loop(*_call(compiled, [inputs[name] for name in given]))
        return {DIVERGED: bad, **{name: tf.identity(variable.value) for name, variable in variables.items()}}

    holder = tf.Module()
    holder.held = [variable.value for variable in variables.values()]
    specs = {name: tf.TensorSpec(port.shape, port.dtype, name) for name, (port, _) in values.items()}
    concrete = train.get_concrete_function(**specs)
    tf.saved_model.save(holder, str(place), signatures={"train": concrete})
    outputs = [_of(DIVERGED, DIVERGED, concrete.structured_outputs[DIVERGED])]
    outputs += [port for port, _ in values.values() if port.role == "state"]
    return [(port, _numpy(value)) for port, value in values.values()], outputs


def _stablehlo(compiled: Compiled, place: Path) -> tuple[list[tuple[Port, Any]], list[Port]]:
    """XLA's input as text: `main` takes the inputs in order, and gives what diverged and then the state that it changes."""
    if not compiled.xla:
        raise InternalError("a plain graph has no StableHLO")
    arguments = _arguments(compiled)
    call = _call(compiled, [value for _, _, value in arguments])
    concrete = compiled.train_step.loop.function.get_concrete_function(*call)
    text = _bare(compiled.train_step.loop.function.experimental_get_compiler_ir(*call)(stage="stablehlo"))
    handles = {id(variable.value.handle): (name, variable) for name, variable in _state(compiled)}
    written = _written(concrete.graph)
    found: list[tuple[str, str, Any]] = list(arguments)
    changed = []
    for outer, inner in zip(concrete.captured_inputs, concrete.inputs[len(arguments) :], strict=True):
        if outer.dtype != tf.resource:
            found.append((f"constant_{len(found)}", "data", outer))
            continue
        name, variable = handles[id(outer)]
        if inner.name in written:
            changed.append(len(found))
        found.append((name, "state", variable.value))
    names = _names(name for name, _, _ in found)
    inputs = [_of(name, role, value) for name, (_, role, value) in zip(names, found, strict=True)]
    outputs = [_of(DIVERGED, DIVERGED, concrete.structured_outputs), *(inputs[number] for number in changed)]
    _check(text, inputs, outputs)
    place.write_text(text, "utf-8")
    return [(port, _numpy(value)) for port, (_, _, value) in zip(inputs, found, strict=True)], outputs


def _numpy(value: Any) -> Any:
    return tf.convert_to_tensor(value).numpy()


def _written(graph: Any) -> set[str]:
    """The names of a graph's inputs that some operation may write to."""
    names = set()
    for operation in graph.get_operations():
        attributes = operation.node_def.attr
        read = operation.get_attr("_read_only_resource_inputs") if "_read_only_resource_inputs" in attributes else []
        for number, tensor in enumerate(operation.inputs):
            if tensor.dtype == tf.resource and number not in read and operation.type != "ReadVariableOp":
                names.add(tensor.name)
    return names


def _bare(text: str) -> str:
    """A module without its locations, which name files of the machine that made it."""
    text = re.sub(r'\s?\bloc\((?:#loc\d*|"[^"]*")\)', "", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#loc")) + "\n"


def _check(text: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    """That the program takes and gives what is said of it. Raises InternalError."""
    head = re.search(
        r"func\.func (?:public )?@main\((?P<inputs>.*?)\) -> \(?(?P<outputs>.*?)\)? (?:attributes )?\{", text
    )
    for side, ports in {"inputs": inputs, "outputs": outputs}.items():
        own = re.findall(r"tensor<([^>]*)>", head[side]) if head is not None else None
        said = ["x".join([*map(str, port.shape), ELEMENTS[port.dtype]]) for port in ports]
        if own != said:
            raise InternalError(f"the exported program's {side} are {own}, and {said} were to be")


ELEMENTS: Mapping[str, str] = {
    "bool": "i1", "int32": "i32", "int64": "i64", "uint32": "ui32", "uint64": "ui64", "float32": "f32", "float64": "f64",
}  # fmt: skip
"""StableHLO's names of types."""

"""What the interpreter's tests share: small studies from text to programs, and programs compiled in either form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.program.batches import lasting
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.shared_functions import Traces
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.held_columns import held_whole, windows
from dlspec.spec.passes.signature_digests import signature_digest
from tensorflow.compat.v1 import profiler
from tensorflow.python.framework import graph_util, ops

from tests.interpreter.silent import Silent

HEAD = "dlspec: 1\nstudy: t\nexperiments:\n  e:\n"


def _programs(body: str) -> dict[str, Program]:
    text = HEAD + "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    plan = spec.resolve(spec.parse(Source("test.yaml", text)))
    return {program.variant: program for program in plan.experiments[0].programs}


@pytest.fixture(scope="session")
def programs() -> Callable[[str], dict[str, Program]]:
    """The programs, by variant, of one experiment `e`, given by its keys alone."""
    return _programs


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """The only program of an experiment `e`, given by its keys alone."""

    def made(body: str) -> Program:
        (found,) = _programs(body).values()
        return found

    return made


@pytest.fixture(scope="session")
def compiled(program: Callable[[str], Program]) -> Callable[..., Compiled]:
    """An experiment compiled for some replicates, as a plain graph unless `xla`."""

    def made(body: str, replicates: int = 1, xla: bool = False) -> Compiled:
        return Compiled(program(body), range(replicates), xla)

    return made


@pytest.fixture(scope="module")
def traced_once() -> Iterator[None]:
    """Programs of one signature are traced and compiled once in a file that uses it, as where several run at the same time: each has its own variables.

    `test_program_cache` holds that they give the bits of a program that is compiled anew. Not for tests that patch what is compiled.
    """
    traced: dict[Any, Traces] = {}
    begin = Compiled.__init__

    def init(
        self: Compiled, cells: Program | CellBatch, replicates: Sequence[int], xla: bool, portable: bool = False,
        wide: int = 0, traces: Traces | None = None,
    ) -> None:  # fmt: skip
        batch = cells if isinstance(cells, CellBatch) else CellBatch.of_one(cells)
        size = max(wide, len(replicates))
        held = portable or held_whole(batch.program)
        limits = () if held else windows(batch.program, size)
        key = (signature_digest(batch.program), len(batch.programs), size, xla, portable, held, limits)
        begin(self, batch, replicates, xla, portable, wide, traced.setdefault(key, traces or Traces()))

    with mock.patch.object(Compiled, "__init__", init):
        yield


@pytest.fixture(scope="module")
def program_cache() -> ProgramCache:
    """What the tests of one file compiled. `test_program_cache` holds that a reused program gives the bits of a new one."""
    return ProgramCache()


@pytest.fixture
def reused(program: Callable[[str], Program], program_cache: ProgramCache) -> Iterator[Callable[..., Compiled]]:
    """As `compiled`, but a program that an earlier test of the file compiled is started anew: two calls in one test give two.

    Not for a test that patches what is compiled.
    """
    taken: list[Compiled] = []

    def take(body: str, replicates: int = 1, xla: bool = False) -> Compiled:
        taken.append(program_cache.take(program(body), range(replicates), xla))
        return taken[-1]

    yield take
    for compiled in taken:
        program_cache.leave(compiled)


@pytest.fixture(scope="session")
def replicates() -> Callable[..., list[Replicate]]:
    """The replicates of a program, run to its end; compiled anew, or reused from a cache."""

    def ran(program: Program, jit: str = "graph", cache: ProgramCache | None = None) -> list[Replicate]:
        own = CellRequest.of(program, "cpu")
        jobs = [Job(0, batch, jit) for batch in split_into_batches(own, range(program.replicates))]
        return [replicate for job in jobs for replicate in train(job, Silent(), threading.Event(), cache)]

    return ran


# -- floating-point operations -----------------------------------------------------------------------------------------

ELEMENTWISE = (
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atanh", "Cosh", "Sinh",
    "Atan", "Atan2", "Ceil", "Cos", "Cumprod", "Cumsum", "DivNoNan", "Elu", "EluGrad", "Erf", "Erfc", "Exp", "Expm1", "Floor", "FloorDiv",
    "FloorMod", "IsFinite", "LeakyRelu", "LeakyReluGrad", "Log1p", "LogSoftmax", "LogicalAnd", "LogicalNot", "IsInf", "IsNan", "LogicalOr", "MulNoNan", "Relu",
    "Relu6", "Relu6Grad", "ReluGrad", "Round", "Select", "SelectV2", "Selu", "SeluGrad", "Sigmoid", "SigmoidGrad", "Sign", "Sin",
    "Softplus", "Softsign", "SoftsignGrad", "Sqrt", "SqrtGrad", "Tan", "Tanh", "TanhGrad",
)  # fmt: skip
REDUCING = ("All", "Any", "Max", "Min", "Prod", "UnsortedSegmentSum")
UPDATING = ("AssignAddVariableOp", "AssignSubVariableOp")
MOVING = frozenset(
    {
        "AssignVariableOp", "Bitcast", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BroadcastArgs", "BroadcastGradientArgs", "BroadcastTo",
        "Cast", "ConcatOffset", "ConcatV2", "Const", "DynamicStitch", "ExpandDims", "Fill", "GatherNd", "GatherV2", "Identity",
        "IdentityN", "InvertPermutation", "LeftShift", "ListDiff", "MatrixDiagPartV3", "MatrixDiagV3", "NoOp", "OneHot", "OnesLike",
        "Pack", "Pad", "PadV2", "PartitionedCall", "Placeholder", "PreventGradient", "Range", "Rank", "ReadVariableOp", "Reshape", "ResourceGather",
        "ReverseV2", "RightShift", "Roll", "Shape", "ShapeN", "Size", "Slice", "Snapshot", "Split", "SplitV", "Squeeze", "StatelessIf", "StopGradient",
        "StridedSlice", "StridedSliceGrad", "TensorScatterUpdate", "Tile", "Transpose", "Unpack", "ZerosLike",
    }
)  # fmt: skip
"""Operations of TensorFlow that its profiler does not know: by entry of their outputs, of their inputs, and none.

What random words are made of is whole numbers, and counts as none; they alone are called functions."""


def _register() -> None:
    """Adds to the profiler's registry what it lacks: one operation an entry."""

    def entries(place: int | None) -> Callable[[Any, Any], Any]:
        def count(graph: Any, node: Any) -> Any:
            tensor = graph.get_operation_by_name(node.name)
            tensor = tensor.outputs[0] if place is None else tensor.inputs[place]
            return ops.OpStats("flops", int(np.prod(tensor.shape.as_list(), dtype=int)))

        return count

    def windows(kernel: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        """A multiply-add for each entry of the upstream gradient and each place of the window."""

        def count(graph: Any, node: Any) -> Any:
            operation = graph.get_operation_by_name(node.name)
            places = np.prod(operation.inputs[2].shape.as_list()) * np.prod(kernel(operation).shape.as_list()[:2])
            return ops.OpStats("flops", int(2 * places))

        return count

    depthwise = "DepthwiseConv2dNativeBackprop"
    ops.RegisterStatistics(f"{depthwise}Input", "flops")(windows(lambda operation: operation.inputs[1]))
    ops.RegisterStatistics(f"{depthwise}Filter", "flops")(windows(lambda operation: operation.outputs[0]))

    def product(graph: Any, node: Any) -> Any:
        """The profiler's own asks for another attribute, and takes no matrix as transposed."""
        operation = graph.get_operation_by_name(node.name)
        summed = operation.inputs[0].shape[-2 if operation.get_attr("adj_x") else -1]
        return ops.OpStats("flops", int(2 * summed * np.prod(operation.outputs[0].shape.as_list())))

    ops._stats_registry._registry.pop("BatchMatMulV2,flops", None)
    ops.RegisterStatistics("BatchMatMulV2", "flops")(product)
    for names, place in ((ELEMENTWISE, None), (REDUCING, 0), (UPDATING, 1)):
        for name in names:
            ops.RegisterStatistics(name, "flops")(entries(place))


_register()
KNOWN = frozenset(name.removesuffix(",flops") for name in ops._stats_registry._registry)


def _counted(concrete: Any) -> int:
    """What TensorFlow's profiler counts in a traced function.

    Operations that nothing asks for are dropped first, as the runtime does, and those on shapes and places (whole
    numbers) are not counted. An operation that neither the profiler nor the lists above know is an error.
    """
    graph = concrete.graph
    definition = graph.as_graph_def()
    wanted = [node.name for node in definition.node if node.op.startswith("Assign")]
    wanted += [output.op.name for output in concrete.outputs]
    kept = {node.name: node.op for node in graph_util.extract_sub_graph(definition, wanted).node}
    assert not (unknown := set(kept.values()) - KNOWN - MOVING), f"not known: {unknown}"
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    pending, total = [profiler.profile(graph, cmd="scope", options=options)], 0
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if node.float_ops and node.name in kept:
            operation = graph.get_operation_by_name(node.name)
            values = [*operation.inputs, *operation.outputs]
            real = any(value.dtype.is_floating or value.dtype == tf.bool for value in values)
            total += node.float_ops if real or kept[node.name] in UPDATING else 0
    return int(total)


def _executed(program: Program) -> int:
    """What it counts in one training step of a program for one replicate, the examples given."""
    compiled = Compiled(program, (0,), True)
    train_step, inputs = compiled.train_step, compiled.train_inputs
    kinds = {"bool": tf.bool, "int": tf.int32, "real": compiled.context.dtype}
    specs = {
        name: tf.TensorSpec((1, train_step.batch, *term.type.shape), kinds[term.type.kind])
        for name, term in lasting(compiled.context, compiled.context.program.loss).items()
    }
    for update in train_step.updates:
        update.mean_of_gradients = True  # as costs are counted: one operation a weight

    @tf.function(autograph=False)
    def step(number: Any, examples: Any) -> Any:
        indices = tf.range(train_step.batch, dtype=tf.int64)[tf.newaxis]
        return train_step(inputs._replace(dataset=dict(zip(specs, examples, strict=True))), number, indices)

    return _counted(step.get_concrete_function(tf.constant(0), list(specs.values())))


@pytest.fixture(scope="session")
def counted() -> Callable[[Any], int]:
    """How many floating-point operations TensorFlow's profiler counts in a traced function."""
    return _counted


@pytest.fixture(scope="session")
def executed() -> Callable[[Program], int]:
    """How many it counts in one training step of a program, as the interpreter makes it."""
    return _executed

"""What making examples takes: the training program as it is, and with the examples of one batch held and used at every step."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from unittest.mock import patch

from .dlspec_run import Programs, resolved
from .workloads import WORKLOADS, Workload


@dataclass
class Share:
    """Seconds per step and replicate with examples made at each step, and with those of one batch held; one a round."""

    workload: str
    replicates: int
    made: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)


@contextmanager
def held_examples() -> Iterator[None]:
    """Programs that are compiled within use one batch at every step, made before and given to them as finite data are."""
    from dlspec.interpreter.lower import Value
    from dlspec.interpreter.program import batches as examples
    from dlspec.interpreter.program import data_readers, train_step
    from dlspec.spec.ir.axes import EXAMPLE, REPLICATE

    def first_batch(reader: Any, context: Any, keys: Any, draws: dict[str, Any]) -> dict[str, Any]:
        return one_batch(context, keys, draws, examples.needed(context, context.program.loss))

    def same_batch(context: Any, dataset: dict[str, Any], indices: Any) -> dict[str, Any]:
        return {name: Value(tensor, (REPLICATE, EXAMPLE)) for name, tensor in dataset.items()}

    with ExitStack() as stack:
        for reader in (data_readers.DataReader, *data_readers.READERS.values()):
            stack.enter_context(patch.object(reader, "dataset", first_batch))
        stack.enter_context(patch.object(train_step, "gather_batch", same_batch))
        yield


def one_batch(context: Any, keys: Any, draws: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
    """The values of the first batch, [R, B, …] by name."""
    import tensorflow as tf
    from dlspec.spec.ir.axes import EXAMPLE, REPLICATE

    batch = context.program.training.phases[0].batch
    index = tf.range(batch, dtype=tf.int64)
    lowering = context.lowering(keys, index, batch, draws)
    return {
        name: lowering.broadcast_to_axes(lowering(term), (REPLICATE, EXAMPLE), len(term.type.shape))
        for name, term in terms.items()
    }


def examples_share(workload: Workload, replicates: int, rounds: int, seconds: float) -> Share:
    """Trains both programs in turn."""
    program = resolved(workload, replicates)
    made = Programs(program)
    made.train(1)
    with held_examples():
        held = Programs(program)
        held.train(1)
    share = Share(workload.name, replicates)
    steps = 1
    while (took := min(_timed(made, steps) for _ in range(2))) < seconds / 4:
        steps *= max(2, min(16, int(seconds / 4 / max(took, 1e-6))))
    steps = max(1, round(steps * seconds / took))
    for _ in range(rounds):
        share.made.append(_timed(made, steps) / steps / replicates)
        share.held.append(_timed(held, steps) / steps / replicates)
    return share


def _timed(programs: Programs, steps: int) -> float:
    begin = time.perf_counter()
    programs.train(steps)
    return time.perf_counter() - begin


def main() -> None:
    """`python -m benchmarks.examples_share ROUNDS SECONDS WORKLOAD…`: prints a JSON object a line."""
    import json

    from dlspec.interpreter.backend.startup import start

    start()
    rounds, seconds, names = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    for name in names:
        for count in _counts(WORKLOADS[name]):
            print(json.dumps(asdict(examples_share(WORKLOADS[name], count, rounds, seconds))), flush=True)


def _counts(workload: Workload) -> Sequence[int]:
    return (1, workload.several)


if __name__ == "__main__":
    main()

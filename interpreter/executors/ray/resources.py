"""The resources that a replicate batch needs of a cluster's node: cores, GPUs, memory. Needs neither Ray nor TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import PROCESS_BYTES, memory

from ...results.number_text import size
from ...store.requests import ReplicateBatch

CORE_OPERATIONS = 1e8
"""How many operations of one step it takes for a further core to be worth while; measured, see `docs/scaling.md`."""
MOST_CORES = 8
"""More cores than so many are of little use to one program."""


@dataclass(frozen=True)
class Resources:
    """Cores, graphics cards and bytes of memory that one replicate batch takes while it runs."""

    cores: int
    gpus: int
    memory: int

    @staticmethod
    def of(batch: ReplicateBatch, device: str) -> Resources:
        """From the plan: a core, and another for every `CORE_OPERATIONS` of a step; a whole card where there are any."""
        program = batch.program
        step = cost(program).step * len(batch.numbers)
        cores = max(1, min(MOST_CORES, round(step / CORE_OPERATIONS)))
        used = PROCESS_BYTES + memory(program, replicates=len(batch.numbers))
        return Resources(1, 1, used) if device == "gpu" else Resources(cores, 0, used)

    def within(self, nodes: Iterable[Node]) -> Resources:
        """The same with no more cores than the largest of some nodes has: fewer make a program slower, not impossible."""
        most = max((int(node.cores) for node in nodes), default=self.cores)
        return Resources(max(1, min(self.cores, most)), self.gpus, self.memory)

    def __str__(self) -> str:
        gpus = f", {self.gpus} GPU" if self.gpus else ""
        return f"{self.cores} core{'s' if self.cores > 1 else ''}{gpus} and {size(self.memory)} of memory"


@dataclass(frozen=True)
class Node:
    """A living node of a cluster, and what it has in all."""

    id: str
    name: str
    cores: float
    gpus: float
    memory: float

    @staticmethod
    def of(entry: Mapping[str, object]) -> Node:
        """From Ray's table of nodes."""
        has = entry["Resources"]
        assert isinstance(has, Mapping)
        return Node(
            str(entry["NodeID"]), str(entry["NodeManagerHostname"]), has.get("CPU", 0.0), has.get("GPU", 0.0),
            has.get("memory", 0.0),
        )  # fmt: skip

    def holds(self, request: Resources) -> int:
        """How many such replicate batches it runs at once."""
        if request.cores > self.cores or request.gpus > self.gpus or request.memory > self.memory:
            return 0
        counts = [self.cores // request.cores, self.memory // request.memory]
        counts += [self.gpus // request.gpus] if request.gpus else []
        return int(min(counts))

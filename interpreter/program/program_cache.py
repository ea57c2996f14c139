"""Compiled programs that later cells with the same signature reuse: one compilation for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import signature_digest

from .program import Compiled

MAX_IDLE = 8
"""How many compiled programs are kept that no cell runs in; each holds its variables."""

Signature = tuple[str, int, int, bool]


class ProgramCache:
    """Takes and leaves compiled programs; from several threads. `compiled` counts how many were made.

    Two threads that run programs of the same signature at once have one each.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.lock = threading.Lock()
        self.idle: list[Compiled] = []

    def take(
        self,
        cells: Program | CellBatch,
        replicates: Sequence[int],
        xla: bool,
        compiling: Callable[[], None] = lambda: None,
    ) -> Compiled:
        """A compiled program at step 0, for nobody else until it is left; tells `compiling` where it makes one."""
        batch = cells if isinstance(cells, CellBatch) else CellBatch.of_one(cells)
        signature = (signature_digest(batch.program), len(batch.programs), len(replicates), xla)
        compiled = self._find(signature)
        if compiled is not None:
            compiled.begin(batch, replicates)
            return compiled
        compiling()
        with self.lock:
            self.compiled += 1
        return Compiled(batch, replicates, xla)

    def leave(self, compiled: Compiled) -> None:
        """Gives back what was taken; the one that was left longest ago is dropped where there are too many."""
        with self.lock:
            self.idle.append(compiled)
            del self.idle[:-MAX_IDLE]

    def _find(self, signature: Signature) -> Compiled | None:
        with self.lock:
            for place, compiled in enumerate(self.idle):
                own = compiled.signature, compiled.context.cells, len(compiled.replicates), compiled.xla
                if own == signature:
                    return self.idle.pop(place)
        return None

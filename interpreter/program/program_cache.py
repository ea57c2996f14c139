"""Compiled programs that later cells with the same signature reuse: one compilation for all of them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence

from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.held_columns import held_whole, windows
from dlspec.spec.passes.signature_digests import measured_digest, signature_digest

from .program import Compiled
from .shared_functions import Traces

MAX_IDLE = 8
"""How many compiled programs are kept that no cell runs in; each holds its variables."""

Signature = tuple[str, int, int, bool, bool, tuple[int, ...], tuple[str, ...]]


class ProgramCache:
    """Takes and leaves compiled programs; from several threads. `compiled` counts for how many signatures there was a compilation.

    Two threads that run programs of the same signature at once have one each, with variables of its own, and what is compiled in common.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.lock = threading.Lock()
        self.idle: list[Compiled] = []
        self.traces: weakref.WeakValueDictionary[Signature, Traces] = weakref.WeakValueDictionary()
        """What is compiled of each signature, as long as one of its programs is there."""

    def take(
        self,
        cells: Program | CellBatch,
        replicates: Sequence[int],
        xla: bool,
        compiling: Callable[[], None] = lambda: None,
        wide: int = 0,
    ) -> Compiled:
        """A compiled program at step 0, for nobody else until it is left; tells `compiling` where it is the first of its signature.

        `wide` is for how many replicates it is compiled, where these are more than it is to run.
        """
        batch = cells if isinstance(cells, CellBatch) else CellBatch.of_one(cells)
        wide = max(wide, len(replicates))
        held = held_whole(batch.program)
        in_windows = () if held else windows(batch.program, wide)
        named = tuple(batch.program.of_files)  # what is compiled asks for columns of files by their names
        signature = (signature_digest(batch.program), len(batch.programs), wide, xla, held, in_windows, named)
        compiled = self._find(signature)
        if compiled is not None:
            compiled.begin(batch, replicates)
            return compiled
        with self.lock:
            traces = self.traces.get(signature)
            known = traces is not None
            if traces is None:
                measured = repr((measured_digest(batch.program), *signature[1:]))
                traces = self.traces[signature] = Traces(repr(signature), measured)
            traces.shared = known
            self.compiled += not known
        if not known:
            compiling()
        return Compiled(batch, replicates, xla, wide=wide, traces=traces)

    def leave(self, compiled: Compiled) -> None:
        """Gives back what was taken; the one that was left longest ago is dropped where there are too many."""
        with self.lock:
            self.idle.append(compiled)
            del self.idle[:-MAX_IDLE]

    def _find(self, signature: Signature) -> Compiled | None:
        with self.lock:
            for place, compiled in enumerate(self.idle):
                cells, held, named = compiled.context.cells, compiled.held, tuple(compiled.program.of_files)
                if (compiled.signature, cells, compiled.wide, compiled.xla, held, compiled.windows, named) == signature:
                    return self.idle.pop(place)
        return None

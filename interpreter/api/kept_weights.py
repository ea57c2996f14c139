"""Final weights that a run kept, as Keras models; free parameters as arrays."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, did_you_mean, listing, sentence
from dlspec.spec.ir.plan import cell_name

from ..results.folder_names import STORE
from ..results.replicates import DONE
from ..results.run_list import RunRecord


def models(run: RunRecord, cell: str, replicate: int) -> dict[str, Any]:
    """The networks of a replicate; see `Run.weights`. Raises StudyError."""
    cells = run.read("cells.json")
    names = dict.fromkeys(cell_name(item["experiment"], item["variant"], item["constants"]) for item in cells)
    own = [item for item in cells if cell_name(item["experiment"], item["variant"], item["constants"]) == cell]
    if not own:
        hint = sentence(did_you_mean(cell, names), f"There are {listing(map(repr, names))}.")
        raise spec.StudyError(Problem(f"the run has no cell '{cell}'", hint=hint))
    item = next((item for item in own if item["replicate"] == replicate), None)
    if item is None:
        hint = f"There are {listing(str(item['replicate']) for item in own)}."
        raise spec.StudyError(Problem(f"the cell '{cell}' has no replicate {replicate}", hint=hint))
    if item["status"] != DONE:
        problem = f"replicate {replicate} of '{cell}' has no final weights: it is {item['status']}"
        raise spec.StudyError(Problem(problem, hint=item["message"] and f"{item['message']}."))
    folder = run.folder.parent / STORE / "weights" / str(item.get("key") or "-")
    files = sorted(folder.glob("*.keras"))
    alone = sorted(folder.glob("*.weights.h5"))
    parameters = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    if not files and not alone and not parameters:
        hint = "`dlspec.run(…, keep_weights=True)` trains it again and keeps them; on the command line --keep-weights."
        raise spec.StudyError(Problem(f"the weights of replicate {replicate} of '{cell}' were not kept", hint=hint))
    if alone:
        which = listing(f"'{path.name.removesuffix('.weights.h5')}'" for path in alone)
        hint = f"The weights of its layers, in order, are in {listing(map(str, alone))}."
        raise spec.StudyError(
            Problem(f"functions of the study are among the layers of {which}: Keras alone cannot load it", hint=hint)
        )
    if not files:
        return parameters
    if "tensorflow" not in sys.modules:
        from ..backend.startup import start

        start()
    import keras

    return {path.stem: keras.saving.load_model(path) for path in files} | parameters

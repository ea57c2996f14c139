"""XLA's compiled programs kept in the user's cache: a program of a form that an earlier run compiled is only loaded.

TensorFlow names what it keeps by the program's own text. What it was compiled for is in the folder's name: TensorFlow's
version, the processor's instructions, since machines of several kinds may share a home, and XLA's options.
"""

from __future__ import annotations

import hashlib
import os
import time
from importlib.metadata import version
from pathlib import Path

from dlspec.spec.cache_dir import user_cache

from .vectors import instructions

OPTION = "--tf_xla_persistent_cache_directory"
DEVICES = "--tf_xla_persistent_cache_device_types"
KEPT_DAYS = 30


def use_compilation_cache() -> None:
    """Tells TensorFlow, before it is loaded, where to keep programs, unless `TF_XLA_FLAGS` says it already.

    Programs that were compiled over a month ago are removed. Where nothing can be written, nothing is kept.
    """
    flags = os.environ.get("TF_XLA_FLAGS", "")
    if OPTION in flags:
        return
    cache = user_cache()
    if cache is None:
        return
    folder = cache / "xla" / _made_for()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            return
        _remove_old(folder.parent)
    except OSError:
        return
    os.environ["TF_XLA_FLAGS"] = f"{flags} {OPTION}={folder} {DEVICES}=CPU,GPU,XLA_CPU_JIT,XLA_GPU_JIT".strip()


def _made_for() -> str:
    made_for = f"{instructions()}\n{os.environ.get('XLA_FLAGS', '')}"
    return f"{version('tensorflow')}-{hashlib.sha256(made_for.encode()).hexdigest()[:12]}"


def _remove_old(root: Path) -> None:
    eldest = time.time() - KEPT_DAYS * 24 * 3600
    for path in root.glob("*/*.pb"):
        if path.stat().st_mtime < eldest:
            path.unlink(missing_ok=True)

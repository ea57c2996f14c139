"""Starts TensorFlow. Its own log is suppressed, and shown only if the start fails."""

from __future__ import annotations

import gc
import glob
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError

from .devices import AUTO, INSTALL, Asked
from .environment import set_environment
from .lean_import import imported_without, pandas_looked_for
from .xla_cache import use_compilation_cache

ACCELERATORS = ("/dev/nvidia[0-9]*", "/dev/dxg", "/dev/kfd")
"""What the system shows of graphics cards: NVIDIA's, those of Windows' Linux, AMD's."""


def start(device: Asked = AUTO, own_process: bool = False) -> None:
    """Imports TensorFlow and lets it see the device that is asked for alone. Raises StudyError where that is not there.

    In a process of dlspec's own, where nobody else uses Keras, it is imported without what training does not need.
    What TensorFlow prints on the way is dropped unless it fails. A GPU's memory is taken as it is needed, and its
    operations give the same bits in every run.
    """
    set_environment()
    use_compilation_cache()
    with held_back(), imported_without() if own_process else nullcontext():
        import tensorflow as tf

        if own_process:
            pandas_looked_for()
            gc.freeze()  # what was imported stays: no collection looks through a million objects of TensorFlow's
        gc.enable()  # at rest so far, see `__main__.py`

        there = tf.config.list_physical_devices("GPU")
    chosen = device.chosen(there, _accelerators(), hidden())
    try:
        with held_back():
            tf.config.set_visible_devices(chosen, "GPU")
            for accelerator in chosen:
                tf.config.experimental.set_memory_growth(accelerator, True)
            if chosen:
                tf.config.experimental.enable_op_determinism()
            tf.constant(0.0)
    except RuntimeError as error:  # what TensorFlow says of a setting that comes too late
        hint = (
            "Restart Python, in a notebook the kernel: one process trains on one device, and dlspec starts TensorFlow."
        )
        raise StudyError(Problem("TensorFlow runs in this process already, with other devices", hint=hint)) from error
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def device() -> str:
    """The kind of device that programs run on: `gpu` or `cpu`."""
    return "gpu" if _visible() else "cpu"


def accelerator() -> str | None:
    """What the GPU that programs run on is called; nothing on a CPU, or where TensorFlow was not needed."""
    if "tensorflow" not in sys.modules or not (found := _visible()):
        return None
    import tensorflow as tf

    return str(tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU"))


def overlooked(requested: Asked) -> str:
    """A warning where the system shows a GPU that TensorFlow does not find and nobody asked for the CPU; else nothing."""
    shown = _accelerators()
    if requested.kind != "auto" or not shown or hidden() or device() == "gpu":
        return ""
    return f"the system shows {shown[0]}, and TensorFlow finds no GPU: this runs on the CPU. {INSTALL}; with --device cpu this warning is not shown"


def _visible() -> list[Any]:
    import tensorflow as tf

    return list(tf.config.get_visible_devices("GPU"))


def hidden() -> bool:
    """Whether CUDA is told to show no device."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")


def device_without_tensorflow(device: Asked = AUTO) -> str | None:
    """The kind of device, where it is known before TensorFlow is loaded: what is asked for, or `cpu` where none is shown."""
    if device.kind != "auto":
        return device.kind
    if hidden():
        return "cpu"
    if sys.platform == "darwin":
        try:
            version("tensorflow-metal")
        except PackageNotFoundError:
            return "cpu"
        return None
    return None if _accelerators() else "cpu"


def environment() -> str:
    """What the kind of device depends on: the installation, and what the system shows of graphics cards."""
    parts = [version("tensorflow"), sys.prefix, os.environ.get("CUDA_VISIBLE_DEVICES"), _accelerators()]
    return json.dumps(parts)


def _accelerators() -> list[str]:
    return sorted(path for pattern in ACCELERATORS for path in glob.glob(pattern))


@contextmanager
def held_back() -> Iterator[Callable[[], str]]:
    """Holds back what is written to the standard error's descriptor, C++ included, and gives what reads it.

    An exception shows it after all, but for a StudyError, which says what is to be known of it.
    """
    sys.stderr.flush()
    own = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)

        def written() -> str:
            return os.pread(held.fileno(), os.fstat(held.fileno()).st_size, 0).decode("utf-8", "replace")

        try:
            yield written
        except StudyError:
            raise
        except BaseException:
            os.dup2(own, 2)
            sys.stderr.write(written())
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)

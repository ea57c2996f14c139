"""TensorFlow's start: its own log held back, and shown only where it fails."""

from __future__ import annotations

import gc
import glob
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from .compilation_cache import use_compilation_cache

ACCELERATORS = ("/dev/nvidia[0-9]*", "/dev/dxg", "/dev/kfd")
"""What the system shows of graphics cards: NVIDIA's, those of Windows' Linux, AMD's."""


def start() -> None:
    """Imports TensorFlow and finds its devices; what it prints on the way is dropped unless it fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    use_compilation_cache()
    with held_back():
        import tensorflow as tf

        gc.enable()  # at rest so far, see `__main__.py`

        for accelerator in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(accelerator, True)
        tf.constant(0.0)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def device() -> str:
    """What programs run on: `gpu` or `cpu`."""
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def device_without_tensorflow() -> str | None:
    """The kind of device, where it is known before TensorFlow is loaded: `cpu` where there is no other, or none is shown."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
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
def held_back() -> Iterator[None]:
    """Holds back what is written to the standard error's descriptor, C++ included; an exception shows it after all."""
    sys.stderr.flush()
    own = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(own, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode("utf-8", "replace"))
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)

"""The environment variables that TensorFlow and XLA read when they are loaded. Needs no TensorFlow."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

VECTORS = "--xla_cpu_prefer_vector_width"
KNOW_VECTORS = ("2.19", "2.20", "2.21")
"""TensorFlow's releases that were seen to know the option: XLA ends the process where it meets one that it does not know."""


def set_environment() -> None:
    """Sets what the user has not set: TensorFlow's log, oneDNN, and how wide XLA's vectors are."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow's own default is to use oneDNN where the processor has instructions for 8-bit networks, and Eigen elsewhere,
    # which takes more than three times as long for convolutions.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # XLA's own default is 256 bits, also where the processor has vectors of 512: normals then take 1.7 times as long.
    flags = os.environ.get("XLA_FLAGS", "")
    ours = not flags or flags.lstrip().startswith("-")  # a file of flags otherwise
    if ours and VECTORS not in flags and _release() in KNOW_VECTORS:
        os.environ["XLA_FLAGS"] = f"{flags} {VECTORS}=512".strip()


def _release() -> str:
    try:
        return ".".join(version("tensorflow").split(".")[:2])
    except PackageNotFoundError:
        return ""

"""Parses the device that a run is given, and finds it among those of the machine. Needs no TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError, did_you_mean, sentence

WORDS = ("auto", "cpu", "gpu")
INSTALL = "`pip install 'dlspec[gpu]'` brings TensorFlow with the libraries of CUDA"


@dataclass(frozen=True)
class Asked:
    """`auto` is the first GPU where there is one, and the CPU elsewhere; a `number` counts GPUs from 0."""

    kind: str = "auto"
    number: int = 0

    def __str__(self) -> str:
        return f"gpu:{self.number}" if self.kind == "gpu" else self.kind

    @staticmethod
    def read(text: str) -> Asked:
        """From `auto`, `cpu`, `gpu` (the first one) or `gpu:N`. Raises StudyError.

        >>> Asked.read("gpu:1"), str(Asked.read("gpu"))
        (Asked(kind='gpu', number=1), 'gpu:0')
        """
        found = re.fullmatch(r"(auto|cpu|gpu)|gpu:([0-9]{1,4})", text)
        if found is None:
            hint = sentence(did_you_mean(text, WORDS), "It is auto, cpu, gpu, or gpu:N, where N counts from 0.")
            raise StudyError(Problem(f"there is no device '{text}'", hint=hint))
        return Asked(found[1]) if found[1] else Asked("gpu", int(found[2]))

    def chosen(self, there: Sequence[Any], shown: Sequence[str], hidden: bool) -> list[Any]:
        """The one GPU to use of those that TensorFlow finds, or none for the CPU. Raises StudyError.

        `shown` are the devices that the system shows of graphics cards; `hidden` says that CUDA_VISIBLE_DEVICES hides them.
        """
        if self.kind == "cpu":
            return []
        if self.kind == "auto":
            return list(there[:1])
        if self.number < len(there):
            return [there[self.number]]
        if there:
            last = len(there) - 1
            hint = "There is one, gpu:0." if not last else f"There are {last + 1}, gpu:0 to gpu:{last}."
            raise StudyError(Problem(f"there is no {self}", hint=hint))
        if hidden:
            hint = "CUDA_VISIBLE_DEVICES hides them all: unset it, or run with --device cpu."
        elif shown:
            hint = f"The system shows {shown[0]}, but not the libraries that it needs: {INSTALL}."
        else:
            hint = f"The system shows none. On a machine with one, {INSTALL}. Here, --device cpu runs on the CPU."
        raise StudyError(Problem("TensorFlow finds no GPU", hint=hint))


AUTO = Asked()

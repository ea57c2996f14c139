"""dlspec itself: the example file through the front end, to the program that `dlspec run` trains."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from dlspec import spec
from dlspec.interpreter.backend.startup import start
from dlspec.interpreter.schedule.batching import batch_count, split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.ir.plan import Program

from .workloads import ROOT, Workload


def resolved(workload: Workload, replicates: int) -> Program:
    """The program of a workload's cell, as `dlspec run` resolves it."""
    document = spec.load(str(ROOT / workload.file))
    overrides = [spec.Override.read(text) for text in workload.overrides(replicates)]
    plan = spec.resolve(document, None, overrides, [workload.only])
    ((program,),) = (experiment.programs for experiment in plan.experiments)
    return program


class Programs:
    """A cell's programs: its replicates in the parts that `dlspec run` trains, of a run of this cell alone.

    With `in_cache` false there are as many parts as cores, however large.
    """

    def __init__(self, program: Program, form: str = "auto", in_cache: bool = True) -> None:
        from dlspec.interpreter.backend.jit_policy import jit_mode as chosen
        from dlspec.interpreter.program.program import Compiled

        jobs = os.cpu_count() or 1
        self.form = chosen(program, form, "cpu")
        own = CellRequest.of(program, "cpu")
        found = split_into_batches(own, range(program.replicates), batch_count(own, jobs) if in_cache else jobs)
        self.parts = [Compiled(program, batch.numbers, self.form == "xla") for batch in found]
        self.pool = ThreadPoolExecutor(jobs)

    def train(self, steps: int) -> None:
        """Makes so many updates of every replicate."""
        list(self.pool.map(lambda part: part.train(steps), self.parts))


class Contender:
    """The compiled programs of a cell."""

    def __init__(self, workload: Workload, replicates: int, form: str = "auto") -> None:
        start()
        self.program = resolved(workload, replicates)
        self.programs = Programs(self.program, form)
        self.form = self.programs.form
        self.train = self.programs.train

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(network.parameters for network in self.program.networks)

    def sample(self, names: dict[str, list[str]]) -> dict[str, Any]:
        """The first replicate's weights and first batch, by the names asked for, with the loss and its gradient's norm.

        The keys are `weight 0`, …, `target NAME`, `drawn NAME`, `loss` and `gradient`.
        """
        import tensorflow as tf
        from dlspec.spec.ir.axes import EXAMPLE, REPLICATE

        compiled, program = self.programs.parts[0], self.program
        assert program.training is not None
        batch = program.training.phases[0].batch
        terms = {item.name: item.term for item in program.examples}
        variables = [variable for network in compiled.networks.values() for variable in network.weights.values()]
        loss, norms = 0.0, []
        for update in program.training.phases[0].rounds:
            own = [v for name in update.networks or compiled.networks for v in compiled.networks[name].weights.values()]
            with tf.GradientTape() as tape:
                lowering = compiled.context.lowering(
                    compiled.seeds.keys["train"],
                    tf.range(batch, dtype=tf.int64),
                    batch,
                    compiled.seeds.draws,
                    step=tf.constant(0),
                )
                terms_of_it = compiled.context.losses(lowering, update.loss)
                value = tf.reduce_mean(tf.add_n([tensor[0] for tensor in terms_of_it]))
            loss += float(value)
            norms += tape.gradient(value, [variable.value for variable in own])
        found: dict[str, Any] = {f"weight {n}": variable.numpy()[0] for n, variable in enumerate(variables)}
        found |= {f"target {name}": compiled.seeds.draws[name].numpy()[0] for name in names["target"]}
        for name in names["drawn"]:
            value = lowering.broadcast_to_axes(lowering(terms[name]), (REPLICATE, EXAMPLE), len(terms[name].type.shape))
            found[f"drawn {name}"] = value.numpy()[0]
        found |= {"loss": loss, "gradient": float(tf.linalg.global_norm(norms))}
        return {name: np.asarray(value) for name, value in found.items()}

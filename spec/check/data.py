"""Where examples come from: new at every step, finite sets, rows of files, or every value of some draws."""

from __future__ import annotations

from ..diagnostics.problems import problem_at
from ..ir.data import DataSource, Finite, Fresh
from ..model.experiment import Evaluate
from ..model.task import Data
from .scope import ExperimentScope

FILE_ONLY = ("header", "stratify", "group", "missing")


def data_source(experiment: ExperimentScope) -> DataSource:
    """What `task.data` says. Raises StudyError."""
    model = experiment.model.task.data
    if model == "fresh":
        return Fresh(_evaluated(experiment))
    if model.file is not None or model.files is not None:
        refuse_examples(experiment)
        from .file_rows import file_rows  # with the readers of files, for studies that have some

        return file_rows(experiment, model)
    _refuse_file_options(model)
    if model.enumerate is not None:
        from .enumerated import enumerated  # of such studies alone

        return enumerated(experiment, model)
    refuse_examples(experiment)
    test = experiment.count(model.node("test"), model.test, "'test'")
    validation = experiment.count(model.node("validation"), 0, "'validation'") if model.validation is not None else 0
    if model.train is None:
        if "order" in model.model_fields_set:
            raise problem_at(
                model.span(), "fresh data have no order: each example is new", "Give `train`, or remove `order`."
            )
        return Fresh(test, validation=validation)
    return Finite(test, experiment.count(model.node("train"), 0, "'train'"), model.order, validation=validation)


def _refuse_file_options(model: Data) -> None:
    """Refuses what goes with files alone where there are none."""
    for name in FILE_ONLY:
        if name in model.model_fields_set:
            raise problem_at(model.key(name), f"'{name}' is only for files", "Give `file: …`, or remove it.")
    if model.order == "file":
        raise problem_at(model.span("order"), "only files have an order of their own", "Use `shuffle`.")


def refuse_examples(experiment: ExperimentScope) -> None:
    """Refuses a second number of test examples."""
    training = experiment.model.training
    said = training.evaluate.node("examples") if training else None
    if said is not None:
        message = "the test examples are those of `task.data`, and this is another number"
        raise problem_at(said.span, message, "Remove it.")


def _evaluated(experiment: ExperimentScope) -> int:
    """Over how many test examples measures are taken, where new ones can be had."""
    training = experiment.model.training
    if training is None:
        return int(Evaluate.model_fields["examples"].default)
    return experiment.count(training.evaluate.node("examples"), training.evaluate.examples, "'examples'")

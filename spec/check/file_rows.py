"""The rows of data files as a source of examples: which files, and which of their rows train and measure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ..data_files.described import called
from ..data_files.places import located
from ..data_files.split import group_sizes, rows_chosen, rows_without_gaps
from ..data_files.survey import Column, survey
from ..diagnostics.problems import Span, StudyError, did_you_mean, listing, problem_at
from ..ir.data import FileColumn, NamedFile, Rows
from ..model.task import Data
from ..source import nodes as yaml
from ..source.names import file_name, is_name
from .context import Context
from .file_columns import column_of, gap, gap_hint
from .scope import ExperimentScope
from .shares import counted

SETS = ("train", "test")


def file_rows(experiment: ExperimentScope, model: Data) -> Rows:
    """What `task.data` says of files. Raises StudyError."""
    files = _files(experiment, model)
    checker = _Split(experiment, model, files)
    return checker.rows()


def _files(experiment: ExperimentScope, model: Data) -> tuple[NamedFile, ...]:
    if model.enumerate is not None:
        raise problem_at(model.key("enumerate"), "'enumerate' does not go with files", "Keep one of them.")
    if model.file is not None and model.files is not None:
        raise problem_at(model.key("file"), "there are both `file` and `files`", "Put it among `files`, with a name.")
    if model.file is not None:
        name, span = file_name(model.file), model.span("file")
        if not is_name(name):
            hint = f"`files: {{digits: {model.file}}}` gives it one."
            raise problem_at(span, f"'{name}' is not a name that expressions can use", hint)
        written = {name: (model.file, span)}
    else:
        written = {name: (path, model.span("files", name)) for name, path in (model.files or {}).items()}
        if not written:
            raise problem_at(model.span("files"), "there is no file", "Write `files: {digits: digits.csv}`.")
    taken = {*experiment.bindings, *experiment.functions, *experiment.model.architecture}
    files = []
    for name, (path, span) in written.items():
        if name in taken:
            message = f"'{name}' is the name of a data file, and of something else"
            raise problem_at(span, message, "Rename that, or give the file another name: `files: {name: path}`.")
        files.append(_opened(experiment, name, path, model.header, span))
    return tuple(files)


def _opened(experiment: ExperimentScope, name: str, path: str, header: bool, span: Span) -> NamedFile:
    try:
        place = located(experiment.span.source, path)
        named = header or not place.name.lower().removesuffix(".gz").endswith(".csv")
        surveyed = survey(place, named)
    except StudyError as error:
        raise StudyError([replace(problem, span=span) for problem in error.problems]) from None
    return NamedFile(name, str(place), named, surveyed.checksum, surveyed)


class _Split:
    """Which rows train, and which measure."""

    def __init__(self, experiment: ExperimentScope, model: Data, files: tuple[NamedFile, ...]) -> None:
        self.experiment = experiment
        self.model = model
        self.files = files

    def rows(self) -> Rows:
        """The source. Raises StudyError."""
        model = self.model
        total = self.total()
        complete = tuple(
            self.column(name, model.span("missing", place))[0] for place, name in enumerate(model.missing or ())
        )
        usable = self.usable(total, complete)
        chosen = self.chosen()
        strata = self.column(model.stratify, model.span("stratify"))[0] if model.stratify is not None else None
        groups = self.column(model.group, model.span("group"))[0] if model.group is not None else None
        if chosen is not None:
            return self.by_column(total, complete, chosen, strata or groups)
        if strata is not None and groups is not None:
            hint = "Keep one, or give a column that says which rows train: `train: NAME`."
            raise problem_at(model.key("group"), "rows are split by `stratify` or by `group`, not both", hint)
        sizes = self.group_sizes(groups, complete, total) if groups is not None else [1]
        if len(set(sizes)) == 1:
            train, test, validation = self.counts(usable, sizes[0])
        else:
            ends = np.cumsum([0, *sizes])
            train, test, validation = np.diff(ends[np.cumsum([0, *self.counts(len(sizes), 1, "groups")])]).tolist()
        source = Rows(
            test, train, total, model.order, self.files, None, strata, groups, complete, validation=validation
        )
        self.must_fit_training(source)
        return source

    def total(self) -> int:
        """How many rows the files have. Columns of another length than most can be there, and be left alone."""
        lengths = [rows for file in self.files for rows in file.survey.lengths]
        if not lengths:
            raise problem_at(self.span, "no column can be used", "`dlspec data FILE` says why.")
        rows: int = max(Counter(lengths).items(), key=lambda item: (item[1], item[0]))[0]
        return rows

    @property
    def span(self) -> Span:
        return self.model.span("file" if self.model.file is not None else "files")

    def column(self, written: str, span: Span) -> tuple[FileColumn, Column]:
        """A column by its name, with its file's where there are several."""
        file, _, name = written.rpartition(".")
        if not file:
            with_it = [item.name for item in self.files if written in item.survey.columns]
            if len(with_it) > 1:
                raise problem_at(span, f"{listing(with_it)} have a column '{written}'", f"`{with_it[0]}.{written}`")
            file = with_it[0] if with_it else self.files[0].name
        if file not in [item.name for item in self.files]:
            hint = f"The files are {listing(item.name for item in self.files)}."
            raise problem_at(
                span, f"there is no file '{file}'", did_you_mean(file, [f.name for f in self.files]) or hint
            )
        column = column_of(self.files, file, name, span, read=True)
        if column.shape:
            raise problem_at(span, f"'{written}' is an array, and one value per row is needed", "Name another column.")
        return FileColumn(file, name, column.checksum), column

    def usable(self, total: int, complete: tuple[FileColumn, ...]) -> int:
        """How many rows are left when those with gaps are left out."""
        if not complete:
            return total
        return len(rows_without_gaps(self.files, complete, total))

    def chosen(self) -> FileColumn | None:
        """The column that `train` names, if it does."""
        node = self.model.node("train")
        if not isinstance(node, yaml.Scalar) or not isinstance(node.value, str):
            return None
        file, _, name = node.value.rpartition(".")
        there = any(name in item.survey.columns for item in self.files if file in ("", item.name))
        if not there or node.value in self.experiment.bindings:
            return None
        return self.column(node.value, node.span)[0]

    def by_column(
        self, total: int, complete: tuple[FileColumn, ...], chosen: FileColumn, other: FileColumn | None
    ) -> Rows:
        """A split by a column: its rows that are `true`, or say `train`, train; those that are `false`, or say `test`, measure."""
        model = self.model
        for name in ("test", "validation", "stratify", "group"):
            if name in model.model_fields_set:
                message = f"a column already says which rows train, and '{name}' would say it again"
                raise problem_at(model.key(name), message, "Remove it.")
        column = column_of(self.files, chosen.file, chosen.column, model.span("train"), read=True)
        self.no_gaps(column, chosen, complete, model.span("train"))
        classes = set(column.classes or ())
        words = SETS if column.kind == "text" else ("true", "false")
        if column.kind not in ("bool", "text") or not classes & set(words):
            hint = "Its values are `true` and `false`, or the texts `train` and `test`; rows with other texts are left out."
            raise problem_at(model.span("train"), f"'{chosen.column}' does not say which rows train", hint)
        train, test = rows_chosen(self.files, chosen, complete, total)
        source = Rows(len(test), len(train), total, model.order, self.files, chosen, None, None, complete)
        self.must_fit_training(source)
        return source

    def no_gaps(self, column: Column, named: FileColumn, complete: tuple[FileColumn, ...], span: Span) -> None:
        if column.missing and named not in complete:
            raise problem_at(span, gap(called(named.file, named.column), column), gap_hint(column))

    def group_sizes(self, groups: FileColumn, complete: tuple[FileColumn, ...], total: int) -> list[int]:
        """How many rows each group has: all as many where they are drawn, so that a training set has one size in every replicate."""
        column = column_of(self.files, groups.file, groups.column, self.model.span("group"), read=True)
        self.no_gaps(column, groups, complete, self.model.span("group"))
        sizes = group_sizes(self.files, groups, complete, total)
        if len(set(sizes)) > 1 and self.model.order != "file":
            least, most = min(sizes), max(sizes)
            message = f"groups of '{groups.column}' have {least:,} to {most:,} rows: splits would differ in size"
            hint = (
                "Split them by a column that says which rows train: `train: NAME`, true or false in each row, as scikit-learn's GroupShuffleSplit "
                "finds it; several such columns are variants. `order: file` takes groups as they come in the file, the first to train."
            )
            raise problem_at(self.model.span("group"), message, hint)
        if len(set(sizes)) > 1:
            self.must_be_shares()
        return sizes

    def must_be_shares(self) -> None:
        """Refuses numbers of rows where groups have several sizes."""
        for field in ("train", "test", "validation"):
            node = self.model.node(field) if field in self.model.model_fields_set else None
            if node is not None and self.experiment.checker.value(node, Context("constants", ())).type.kind == "int":
                message = "groups differ in size, and a number of rows need not be a whole number of groups"
                raise problem_at(node.span, message, "Give a share of the groups: `0.8`.")

    def counts(self, usable: int, unit: int, what: str = "rows") -> tuple[int, int, int]:
        """How many rows train, test and validate, or how many groups. A share is rounded down, of groups where there are any."""
        model = self.model
        train = counted(self.experiment, model, "train", usable, unit)
        test = counted(self.experiment, model, "test", usable, unit) if "test" in model.model_fields_set else None
        validation = counted(self.experiment, model, "validation", usable, unit) or 0
        if train is None and test is None:
            if self.experiment.model.training is None:
                return 0, usable - validation, validation
            raise problem_at(
                self.span, "the number of training rows is missing", "Write `train: 0.8`, or a number of rows."
            )
        if train is None:
            assert test is not None
            train = usable - test - validation
        test = usable - train - validation if test is None else test
        if train + test + validation > usable or min(train, test) < 0:
            field = next(name for name in ("validation", "test", "train") if name in model.model_fields_set)
            asked_for = sum(size for size in (train, test, validation) if size > 0)
            message = f"{asked_for:,} {what} are asked for, and there are {usable:,}"
            raise problem_at(
                model.span(field), message, "The rows that do not train are the test set unless `test` is given."
            )
        return train, test, validation

    def must_fit_training(self, source: Rows) -> None:
        """Refuses an empty set where something reads it."""
        experiment = self.experiment
        if experiment.model.training is not None and not source.train:
            raise problem_at(self.span, "no row is left to train on", "Give `train`.")
        if not source.test:
            measured = next(
                (
                    name
                    for name, measure in experiment.model.measures.items()
                    if getattr(measure, "on", "test") == "test"
                ),
                None,
            )
            if measured is not None:
                hint = "Leave rows for it: `train: 0.8`. Or measure training examples: `{of: …, on: train}`."
                raise problem_at(
                    self.span, f"no row is left to test on, and the measure '{measured}' needs test rows", hint
                )

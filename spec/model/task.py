"""The task of an experiment as the document writes it: the hidden target, the examples, and where these come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from .base import Closed, Declares, Expression, Name, NameOf

ExampleName = Annotated[Name, NameOf(("example",))]


class Data(Closed):
    """Finite data: so many examples drawn once per replicate, every value of some draws, or the rows of files."""

    file: str | None = Field(None, description="A data file beside the study; its name is its stem.")
    files: dict[Annotated[Name, Declares("files")], str] | None = Field(
        None, description="Data files beside the study, by name."
    )
    header: bool = Field(True, description="Whether the first row of a CSV file names the columns; else c0, c1, ….")
    train: Expression | None = Field(
        None,
        description="How many training examples, drawn once per replicate; without it they are new at every step. "
        "Of files a number of rows, a share between 0 and 1, or a column that says which; of enumerated draws a number or a share.",
    )
    test: Expression = Field(
        1000, description="How many test examples, drawn once per replicate; of files all rows that do not train."
    )
    validation: Expression | None = Field(
        None,
        description="How many validation examples, for measures `on: validation`; none of them is in the test set. Of files a number of rows or a share.",
    )
    order: Literal["shuffle", "with_replacement", "file"] = Field(
        "shuffle",
        description="How a batch is taken: in a new random order each epoch, or each example at random; `file`: rows are split and taken in the file's order.",
    )
    enumerate: ExampleName | list[ExampleName] | None = Field(
        None,
        description="A draw of `example` with few values, or several draws: all their combinations, each weighted by its probability, full batches, exact expectations. "
        "With `train`, so many of them train, different ones in each replicate, and the rest are tested.",
    )
    stratify: str | None = Field(
        None, description="A column, each of whose values is as frequent among training as among test examples."
    )
    group: str | None = Field(
        None, description="A column: rows of one value are all in the training set, or all in the test set."
    )
    redraw: list[ExampleName] | None = Field(
        None,
        description="Names of the example that are drawn again at each visit of a finite set; the others are drawn once.",
    )
    once: list[ExampleName] | None = Field(
        None,
        description="Names of the example that are drawn once for each row of files; the others are drawn again at each visit.",
    )
    missing: list[str] | None = Field(None, description="Columns: a row that lacks a value in one of them is left out.")


def _data_form(value: Any) -> str:
    return "finite" if isinstance(value, dict) else "fresh"


class Task(Closed):
    """What is learnt: the hidden target of each replicate, and the examples."""

    data: Annotated[
        Annotated[Literal["fresh"], Tag("fresh")] | Annotated[Data, Tag("finite")], Discriminator(_data_form)
    ] = Field(
        "fresh",
        description="`fresh`: new examples at every step. `{train: n, test: n}`. `{enumerate: x}`: every x. `{file: …}`: rows.",
    )
    draw: dict[Annotated[Name, Declares("draw")], Expression] = Field(
        default_factory=dict, description="Once per replicate: the hidden target."
    )
    example: dict[Annotated[Name, Declares("example")], Expression] = Field(
        default_factory=dict, description="Once per example: inputs and labels."
    )
    statistics: dict[Annotated[Name, Declares("statistics")], Expression] = Field(
        default_factory=dict,
        description="Once per replicate, over its training set, before step 0: `mu: E(raw)`. Names of the example may use them.",
    )
    tests: dict[Annotated[Name, Declares("tests")], dict[ExampleName, Expression]] = Field(
        default_factory=dict,
        description="Further test sets, by name: the examples of the test set with some names of `example` defined otherwise.",
    )

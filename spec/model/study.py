"""The whole document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from .base import Closed, Name
from .experiment import Experiment
from .layers import LayerDefaults
from .patch import ProfilePatch


class Origin(Closed):
    """Where a study comes from."""

    paper: str | None = Field(None, description='An identifier: `"arXiv:1703.07950"`.')
    section: str | float | None = Field(None, description="Its section.")
    figure: str | float | None = Field(None, description="Its figure.")
    url: str | None = Field(None, description="Where it can be read.")


class Profile(Closed):
    """A named patch over whole experiments: a quick run, a larger one."""

    about: str | None = Field(None, description="What it is for.")
    experiments: dict[Name, ProfilePatch] = Field(description="For each experiment, what changes.")


class Study(Closed):
    """One file: named experiments, and profiles in which they can be run."""

    dlspec: Literal[1] = Field(description="The version of the language: 1.")
    study: Name = Field(description="The study's name: runs are stored under it.")
    title: str | None = Field(None, description="One line, for people.")
    source: Origin | None = Field(None, description="Where it comes from.")
    about: str | None = Field(None, description="What it is about, in a few sentences.")
    layer_defaults: LayerDefaults = Field(
        default_factory=lambda: LayerDefaults(), description="Arguments of layers, for all layers."
    )
    experiments: dict[Name, Experiment] = Field(min_length=1, description="The experiments, by name.")
    profiles: dict[Name, Profile] = Field(default_factory=dict, description="Named patches, chosen with `-p`.")

    @field_validator("dlspec", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        if isinstance(value, bool):  # Python takes true for 1
            raise ValueError(f"'dlspec' has to be 1, and is {str(value).lower()}.  Write 1.")
        return value

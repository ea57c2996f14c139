"""A first spec that runs, or a copy of a case that dlspec brings along: what `dlspec new` writes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parents[1]
"""Where the examples and the schema lie, in the source tree and in what is installed alike."""
EXAMPLES = SHIPPED / "examples"
SCHEMA = Path("schemas/study.schema.json")
TERMS = ("COPYING*", "LICENSE*", "README*")
"""What goes along with a data file: whose it is."""

TEMPLATE = """\
# yaml-language-server: $schema={schema}
dlspec: 1
study: {name}
title: A first study
about: |
  Does a linear model learn the sign of a product? It should not: say so as a claim, and see.

experiments:
  product:
    constants:
      d: 2                                     # input dimension
    task:
      example:                                 # once per example; a `draw:` beside it is once per replicate
        x: rademacher([d])                     # -1 or 1, each with probability 1/2
        y: prod(x)
    architecture:
      score:
        input: x
        layers:
          - dense: 1
    loss:
      hinge: hinge(y, score)
    training:
      optimizer: {{adam: {{learning_rate: 0.01}}}}
      batch: 64
      steps: 500
      evaluate: {{every: 50, examples: 2000}}
    measures:
      accuracy: E(y * score > 0)
    replicates: 5
    variants:
      linear: {{}}
      hidden_layer:
        architecture:
          score:
            layers:
              - dense: {{units: 16, activation: relu}}
              - dense: 1
    claims:
      linear_fails:
        says: A linear model stays near chance.
        check: final(accuracy, variant == linear) <= 0.8
      hidden_layer_learns:
        says: One hidden layer is enough.
        check: final(accuracy, variant == hidden_layer) >= 0.95
    figures:
      accuracy: {{kind: curves, y: accuracy}}
"""


def first_spec(name: str, schema: str) -> str:
    """The text of a new study."""
    return TEMPLATE.format(name=name, schema=schema)


@dataclass(frozen=True)
class Case:
    """A study that dlspec brings along: its name, its title, and its file."""

    name: str
    title: str
    file: Path

    def text(self, name: str, schema: str) -> str:
        """It under another name, its schema where that lies."""
        text = self.file.read_text("utf-8")
        text = re.sub(r"^# yaml-language-server: .*\n", "", text)
        text = re.sub(r"^study: .*$", f"study: {name}", text, count=1, flags=re.MULTILINE)
        return f"# yaml-language-server: $schema={schema}\n{text}"

    def files(self) -> dict[str, Path]:
        """The data files that it names, by their place beside it, with whose they are."""
        from .model.task import Data
        from .resolve.load import load

        named: list[str] = []
        for experiment in load(self.file).study.experiments.values():
            data = experiment.task.data
            if isinstance(data, Data):
                named += [*([data.file] if data.file else []), *(data.files or {}).values()]
        files: dict[str, Path] = {}
        for name in named:
            files[name] = self.file.parent / name
            for terms in TERMS:
                files |= {
                    str(Path(name).parent / path.name): path for path in (self.file.parent / name).parent.glob(terms)
                }
        return files


def cases() -> Mapping[str, Case]:
    """The studies that dlspec brings along, by name: those of the paper first."""
    files = sorted(EXAMPLES.rglob("*.yaml"), key=lambda path: (len(path.parts), path.name))
    return {path.stem: Case(path.stem, _title(path), path) for path in files}


def schema_place(folder: Path) -> str:
    """What a study in a folder calls its schema by: the one of the folders above, or else that of the installed package, as a URI."""
    folder = folder.absolute()
    root = next((above for above in (folder, *folder.parents) if (above / SCHEMA).exists()), None)
    if root is not None:
        return Path(os.path.relpath(root / SCHEMA, folder)).as_posix()
    return (SHIPPED / SCHEMA).as_uri()


def _title(path: Path) -> str:
    titles = re.findall(r"^title: *(.+)$", path.read_text("utf-8"), re.MULTILINE)
    return titles[0].strip("\"'") if titles else ""

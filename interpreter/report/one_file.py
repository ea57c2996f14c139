"""A page in one file: its template, style, scripts and the library that draws its figures; it loads nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..results.number_text import number
from .figures import Picture, packed

FOLDER = Path(__file__).parent
SCRIPTS = ("page.js", "drawings.js", "tables.js")
LIBRARY = "vega.min.js"
"""Vega-Lite with all that it needs, of which `make vega` says the versions."""


def one_file(template: str, pictures: Iterable[Picture], **words: Any) -> str:
    """A template with its words, all of them escaped; the library is in it where one of its pictures is drawn."""
    read = partial(Path.read_text, encoding="utf-8")
    style, script = read(FOLDER / "page.css"), "".join(read(FOLDER / name) for name in SCRIPTS)
    library = read(FOLDER / LIBRARY) if any(picture.drawn for picture in pictures) else ""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "coded": coded}
    scripts = " ".join(map(_digest, filter(None, [script, library])))
    return environment.get_template(template).render(
        policy=f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {scripts}",
        library=packed(library) if library else "", style=Markup(style), script=Markup(script), **words,
    )  # fmt: skip


def coded(text: str) -> Markup:
    """A text with what stands in backticks as code.

    >>> str(coded("`d`, <2>"))
    '<code>d</code>, &lt;2&gt;'
    """
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(text.split("`"))
    )


def _digest(text: str) -> str:
    """How a content security policy names a style or a script that it lets through."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

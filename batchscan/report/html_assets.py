"""The templates, style and script of `report.html`, and its Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from batchscan.report.html_escaping import data_uri, link, visible
from batchscan.report.wording import amount, size

_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


@cache
def environment() -> Environment:
    """The template environment: all printed values are cut, made visible and escaped."""
    jinja_environment = Environment(
        loader=FunctionLoader(lambda name: _INDENT.sub("", read(name))),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
    )
    jinja_environment.globals.update(amount=amount, size=size, link=link, data_uri=data_uri)
    return jinja_environment


@cache
def read(name: str) -> str:
    """Read a packaged file as text."""
    return resources.files("batchscan.report").joinpath("templates", name).read_text("utf-8")


def inlined(name: str) -> Markup:
    """A packaged file as markup, to be embedded in the page."""
    return Markup(read(name))  # noqa: S704 - the text is ours


def policy() -> str:
    """The Content-Security-Policy: our style, our script, images inside the file, nothing else."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash('report.css')}; "
        f"script-src {_hash('report.js')}; base-uri 'none'; form-action 'none'"
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(read(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

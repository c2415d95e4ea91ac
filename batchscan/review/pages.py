"""Rendering HTML: all untrusted values are cut, made visible and escaped."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from typing import Final

from aiohttp import web
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from batchscan.report.html_escaping import link, visible
from batchscan.report.wording import amount, money_of, size
from batchscan.review.filters import DISPOSITIONS, KINDS, NO_SITE, ORDERS, STATES, View
from batchscan.review.keys import DECISIONS, KEYS, NAMES
from batchscan.util.escaping import replace_surrogates

STATIC: Final = {
    "review.css": "text/css",
    "review.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
PLACES: Final = (("Queue", "/queue"), ("Statistics", "/stats"))
"""The pages that every page links to."""

MAX_PAGES: Final = 10  # of a match that are named
UNKNOWN_SITE: Final = "unknown site"


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=FunctionLoader(read),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
    )
    made.globals.update(amount=amount, money_of=money_of, size=size, link=link, places=PLACES)
    made.globals.update(keys=KEYS, key_names=NAMES, decisions=DECISIONS)
    made.globals.update(orders=ORDERS, dispositions=DISPOSITIONS, states=STATES)
    made.globals.update(kinds=("any", *KINDS), most_pages=MAX_PAGES)
    return made


@cache
def read(name: str) -> str:
    """The text of a template or static file."""
    return resources.files("batchscan.review").joinpath("templates", name).read_text("utf-8")


def render(template: str, **values: object) -> str:
    """Fill in a template."""
    return environment().get_template(template).render(values)


def html(text: str) -> web.Response:
    """A page; what no UTF-8 can hold was made visible before."""
    return web.Response(
        body=text.encode(errors="replace"), content_type="text/html", charset="utf-8"
    )


def attribute(text: str) -> Markup:
    """Escape a string for an attribute, without cutting it: an address on this server, a field's value."""
    return Markup.escape(replace_surrogates(text))


def filter_values(view: View) -> dict[str, object]:
    """The values of the form of filters."""
    chosen = view.chosen
    site = NO_SITE if chosen.site == "" else chosen.site or ""
    folder = "" if chosen.folder is None else os.fsdecode(chosen.folder)
    return {"view": view, "site_field": attribute(site), "folder_field": attribute(folder)}


def site_query(domain: str) -> str:
    """The query of a site's own page."""
    return View().query(site=domain or NO_SITE)

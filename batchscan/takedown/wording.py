"""The values for a notice's template, already escaped.

So the templates of users are safe from hostile URLs and file names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from batchscan.enums import MatchKind
from batchscan.model import TrackedMatch
from batchscan.path_patterns import PathPattern
from batchscan.report.html_escaping import data_uri
from batchscan.report.wording import shortened
from batchscan.settings import NoticeForm, Takedown
from batchscan.takedown.select import InfringedWork, Notice
from batchscan.util.escaping import markdown, markdown_code, printable
from batchscan.util.timestamps import rfc3339

MAX_PAGES = 50  # named for one copy
_MAX_URL = 4_000  # characters; sites do not read longer ones
_MAX_WORDS = 300
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_KINDS = {
    MatchKind.FULL: "full copy",
    MatchKind.PARTIAL: "partial copy",
    MatchKind.OTHER: "copy",
}

# The text for settings that are not set, by their names.
BLANKS: Mapping[str, str] = {
    "name": "[YOUR NAME]",
    "address": "[YOUR POSTAL ADDRESS]",
    "phone": "[YOUR TELEPHONE NUMBER]",
    "email": "[YOUR E-MAIL ADDRESS]",
    "owner": "[THE OWNER OF THE WORKS]",
    "role": "[I AM THE OWNER OF / I AM AUTHORIZED TO ACT ON BEHALF OF THE OWNER OF]",
}
_ROLES = {
    "owner": "I am the owner of",
    "agent": "I am authorized to act on behalf of the owner of",
}


class NoticeFormat(NamedTuple):
    """How strings are escaped in one format."""

    suffix: str
    outside: Callable[[str], str]  # other people's
    own: Callable[[str], str]  # from the settings
    blank: Callable[[str], str]  # what has to be filled in


# For 17 U.S.C. § 512(c)(3).
FORMS = (
    NoticeFormat(".md", markdown_code, markdown, "**{}**".format),
    NoticeFormat(".txt", printable, printable, str),
)
# For article 16 of the EU's Digital Services Act.
DSA_FORMS = (
    NoticeFormat(".dsa.md", markdown_code, markdown, "**{}**".format),
    NoticeFormat(".dsa.txt", printable, printable, str),
)


def formats_of(form: NoticeForm) -> tuple[NoticeFormat, ...]:
    """The formats of drafts, by the setting `takedown.form`."""
    return {"dmca": FORMS, "dsa": DSA_FORMS, "both": FORMS + DSA_FORMS}[form]


def missing_fields(me: Takedown) -> dict[str, str]:
    """The blanks that a draft will have, by the setting that fills each."""
    return {name: blank for name, blank in BLANKS.items() if _contact(me)[name] is None}


def template_context(notice: Notice, me: Takedown, form: NoticeFormat) -> dict[str, Any]:
    """The values that a template can use."""
    contact = {
        name: form.blank(BLANKS[name]) if value is None else form.own(value)
        for name, value in _contact(me).items()
    }
    return {
        "domain": form.outside(shortened(notice.domain, _MAX_WORDS) or "unknown site"),
        "copies": notice.copies,
        "addresses": notice.addresses,
        "works": [_work(number, work, me, form) for number, work in enumerate(notice.works, 1)],
        **contact,
        "organization": form.own(me.organization) if me.organization else None,
        "most_pages": MAX_PAGES,
    }


def web_address(url: str) -> str:
    """A URL that can be read, copied and opened: unprintable characters are percent-encoded."""
    if len(url) > _MAX_URL:
        return f"{web_address(url[:_MAX_URL])} [cut: {len(url):,} characters]"
    if not _WEB.match(url):
        return printable(url)
    return "".join(char if _stays(char) else quote(char, safe="", errors="replace") for char in url)


def _stays(char: str) -> bool:
    return char.isprintable() and char not in ' "<>\\^`{|}'


def _contact(me: Takedown) -> dict[str, str | None]:
    owner = me.owner
    if owner is None and me.role == "owner":
        owner = me.organization or me.name
    role = _ROLES[me.role] if me.role else None
    return {
        "name": me.name,
        "address": me.address,
        "phone": me.phone,
        "email": me.email,
        "owner": owner,
        "role": role,
    }


def published_at(work: InfringedWork, me: Takedown) -> str | None:
    """The address of a work's original, by the settings; None without one."""
    for images, url in me.published:
        if PathPattern.of(images).covers(work.path):
            return url.replace("{name}", quote(os.fsencode(work.title), safe=""))
    return None


def _work(number: int, work: InfringedWork, me: Takedown, form: NoticeFormat) -> dict[str, Any]:
    provenance = work.provenance
    published = published_at(work, me)
    words = {
        "creator": provenance.creator,
        "copyright": provenance.copyright,
        "credit": provenance.credit,
        "created": provenance.created,
    }
    return {
        "number": number,
        "title": form.outside(work.title),
        "format": work.format,
        "width": work.width,
        "height": work.height,
        "sha256": work.sha256,
        "published": form.outside(web_address(published)) if published else None,
        "picture": data_uri(work.thumbnail),
        **{
            name: form.outside(shortened(text, _MAX_WORDS)) if text else None
            for name, text in words.items()
        },
        "copies": [
            _copy(f"{number}.{place}", match, form) for place, match in enumerate(work.copies, 1)
        ],
    }


def _copy(number: str, match: TrackedMatch, form: NoticeFormat) -> dict[str, Any]:
    return {
        "number": number,
        "url": form.outside(web_address(match.url)),
        "kind": _KINDS[match.kind],
        "pages": [form.outside(web_address(page)) for page in match.pages[:MAX_PAGES]],
        "more_pages": max(0, len(match.pages) - MAX_PAGES),
        "first_seen": _day(match.first_seen),
        "last_seen": _day(match.last_seen),
    }


def _day(seconds: float) -> str:
    return rfc3339(seconds)[:10]

"""Showing untrusted strings in a web page: cut, made visible, and with links to the web only.

`visible` is applied to everything that a template prints, except `Markup`.
"""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from batchscan.report.image_type import image_subtype
from batchscan.util.escaping import printable
from batchscan.util.urls import MAX_NAME, host_of

MAX_SHOWN = 300  # characters of one string
MAX_SENTENCE = 2_000  # characters of a sentence of our own, or of a note
MAX_LINK = 2_000  # characters of a URL that becomes a link
MAX_THUMBNAIL = 16_384  # bytes

# More than two combining marks on a letter would overlap the lines around it.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKED = re.compile(f"(?<=[{_MARKS}]{{2}})[{_MARKS}]")
_AUTHORITY = re.compile(r"(https?://(?:[^/?#]*@)?)([^/?#]*)", re.IGNORECASE)
_HOST = re.compile(r"[\w.:-]+")  # a colon for IPv6
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]*")  # what a link may hold as it is, of ASCII
# As most addresses are: with nothing to escape, and a host whose name every parser reads alike.
_SIMPLE = re.compile(r"(https?://)([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]+)(/[A-Za-z0-9/._~-]*)")
_KEPT = "!#$%&'()*+,-./:;=?@[]_~"


class Link(NamedTuple):
    """A link to a page on the web, its text in three parts so that the host stands out."""

    href: Markup
    before: Markup
    host: Markup
    after: Markup


def cut(text: str, most: int = MAX_SHOWN) -> str:
    """Make a string visible on one line; the middle of a long one is replaced by its length."""
    if len(text) <= most:
        return _flat(printable(text))
    tail = most // 3
    length = f" …({len(text):,} characters)… "
    return _flat(printable(text[: most - tail]) + length + printable(text[-tail:]))


def whole(text: str) -> str:
    """Make a string visible on one line without cutting it, for values that scripts compare."""
    return _flat(printable(text))


def sentence(text: str) -> Markup:
    """What is to be read, whole: our own sentences, whose names are cut already, and notes."""
    return Markup.escape(cut(text, MAX_SENTENCE))


def visible(value: object) -> object:
    """The printed form of a template's value: text cut and made visible, the rest unchanged."""
    if type(value) is str and len(value) <= MAX_SHOWN and value.isascii() and value.isprintable():
        return value  # as nearly all are
    return cut(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def link(url: str) -> Link | None:
    """The link to a web page; None for other URLs, which are shown as text."""
    simple = _SIMPLE.fullmatch(url) if len(url) <= MAX_NAME else None
    if simple is None:
        return _parsed_link(url)
    return Link(*map(Markup, (url, *simple.groups())))  # nothing of it needs to be escaped


def _parsed_link(url: str) -> Link | None:
    href = _href(url.strip()) if len(url) <= MAX_LINK else None
    if href is None:
        return None
    shown = cut(url.strip())
    authority = _AUTHORITY.match(shown)
    if authority is None:
        return None
    parts = (href, authority[1], authority[2], shown[authority.end() :])  # cut already
    return Link(*map(Markup.escape, parts))


def data_uri(thumbnail: bytes | None) -> Markup | None:
    """A small JPEG or WebP file as a data URI; None without one."""
    if thumbnail is None or len(thumbnail) > MAX_THUMBNAIL:
        return None
    return image_uri(thumbnail)


def image_uri(data: bytes) -> Markup | None:
    """Our own JPEG or WebP file of any size as a data URI; None for other formats."""
    kind = image_subtype(data)
    if kind is None:
        return None
    # Base64 holds nothing that HTML would read.
    return Markup(f"data:image/{kind};base64,{base64.b64encode(data).decode()}")  # noqa: S704


def _flat(text: str) -> str:
    if text.isascii():
        return text
    return _STACKED.sub(lambda stacked: stacked[0].encode("unicode_escape").decode(), text)


def _href(url: str) -> str | None:
    """The URL in a form that browsers parse the same way; None if it is not a web address."""
    if not _PLAIN.fullmatch(url):
        try:
            url = "".join(map(_quoted, url))
        except UnicodeEncodeError:  # half of a surrogate pair
            return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number, or too large
    except ValueError:
        return None
    named = _HOST.fullmatch(host_of(url))
    return url if parts.scheme in ("http", "https") and named else None


def _quoted(char: str) -> str:
    if char.isascii() or not char.isprintable():
        return quote(char, safe=_KEPT)
    return char

"""Finding the addresses of a page's style sheets and pictures.

The page is not interpreted: tags are searched one by one, in linear time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

MAX_RESOURCES: Final = 10
"""The most resources of a page that are captured."""

_MAX_URL: Final = 4_000  # characters
_TAG: Final = re.compile(r"<(base|link|img)\b([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""([a-z-]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)


def resources_of(page: str, url: str) -> list[str]:
    """The addresses of a page's style sheets and pictures, in its order, each once.

    Args:
        page: its untrusted HTML.
        url: its own address.
    """
    base, addresses = url, dict[str, None]()
    for tag, attributes in _tags(page):
        if tag == "base" and (href := attributes.get("href")):
            base = _joined(url, href) or base
        elif (named := _named(tag, attributes)) and (address := _joined(base, named)):
            addresses[address] = None
        if len(addresses) == MAX_RESOURCES:
            break
    addresses.pop(url, None)
    return list(addresses)


def _tags(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    for tag in _TAG.finditer(page):
        attributes = {
            name.lower(): html.unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(tag[2])
        }
        yield tag[1].lower(), attributes


def _named(tag: str, attributes: dict[str, str]) -> str | None:
    """The resource that a tag refers to, if any."""
    if tag == "img":
        return attributes.get("src") or attributes.get("data-src")
    if tag == "link" and "stylesheet" in attributes.get("rel", "").lower().split():
        return attributes.get("href")
    return None


def _joined(base: str, named: str) -> str | None:
    """An absolute web address without its fragment; None for other addresses."""
    try:
        address = urljoin(base, named.strip()).partition("#")[0]
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or len(address) > _MAX_URL:
        return None
    return address

"""Which site a URL belongs to; by the public suffix list that comes with tldextract, offline."""

from __future__ import annotations

from functools import cache, lru_cache
from urllib.parse import urlsplit

import tldextract

MOST_REMEMBERED = 10_000


@lru_cache(MOST_REMEMBERED)
def registrable_domain(url: str) -> str:
    """The registrable domain of a URL from outside; its host where there is none, or ""."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    host = host.rstrip(".")
    if not host or not host.isprintable() or " " in host:
        return ""
    try:
        return _extract()(host).top_domain_under_public_suffix or host
    except (ValueError, UnicodeError):
        return host


@cache
def _extract() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

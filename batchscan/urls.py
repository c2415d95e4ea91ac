"""Which site a URL belongs to; by the public suffix list that comes with tldextract, offline."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tldextract import TLDExtract

MOST_REMEMBERED = 10_000
LONGEST_NAME = 253  # characters of a domain name (RFC 1035, without the length bytes)


def registrable_domain(url: str) -> str:
    """The registrable domain of a URL from outside; its host where there is none, or ""."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    host = host.rstrip(".")
    if len(host) > LONGEST_NAME or not host.isprintable() or " " in host:
        return ""
    return _domain_of(host) if host else ""


@lru_cache(MOST_REMEMBERED)
def _domain_of(host: str) -> str:
    try:
        return _extract()(host).top_domain_under_public_suffix or host
    except (ValueError, UnicodeError):
        return host


def load_suffixes() -> None:
    """Read the public suffix list before it is needed: that takes a tenth of a second."""
    _domain_of("example.com")


@cache
def _extract() -> TLDExtract:
    from tldextract import TLDExtract  # noqa: PLC0415 - a run without an answer does without

    return TLDExtract(suffix_list_urls=(), cache_dir=None)

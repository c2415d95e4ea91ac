"""Parsing URLs: registrable domain, host, and normalization."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from batchscan.util.public_suffixes import domain_by_rules, registrable

_LOGIN = re.compile(r"//.*@", re.DOTALL)  # a password may hold / and @ by mistake
_NOT_IN_HOSTS = frozenset(" #%/:<>?@[\\]^|\ufffd")
MAX_NAME = 253  # characters of a domain name (RFC 1035, without the length bytes)
# An address that is normalized already: nearly all are, and one answer may hold a
# hundred thousand. Without queries, dots at the start of a segment, numbers for hosts, escapes.
# What it finds: the host, its last two labels, its last one.
# Possessive, as going back finds nothing else.
_LABEL = r"[a-z0-9]++(?:-++[a-z0-9]++)*+"
_PLAIN = re.compile(
    rf"https?://((?:{_LABEL}\.)*?({_LABEL}\.([a-z][a-z0-9]*+)))"
    r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*+)++/?+"
)


def hide_login(text: str) -> str:
    """Text without the user name and password of the URL in it."""
    return _LOGIN.sub("//***@", text)


def registrable_domain(url: str) -> str:
    """The registrable domain of a URL from outside; its host where there is none, or ""."""
    plain = _PLAIN.fullmatch(url)
    return _plain_domain(plain) if plain else _domain(url)


def key_and_domain(url: str) -> tuple[str, str]:
    """The results of `normalize_url` and `registrable_domain`, of a URL that is parsed once."""
    plain = _PLAIN.fullmatch(url)
    if plain is None:
        return _normalised(url.strip()), _domain(url)
    return url[plain.start(1) :], _plain_domain(plain)


def _plain_domain(plain: re.Match[str]) -> str:
    host, ending, top = plain.groups()
    if len(host) > MAX_NAME or "xn--" in host:
        return _domain(plain.string)
    return domain_by_rules(host, ending, top)


def _domain(url: str) -> str:
    host = host_of(url)
    return registrable(host) if host else ""


def normalize_url(url: str) -> str:
    """Normalize a URL (RFC 3986, section 6.2) to `example.com/a.jpg`.

    `http` and `https` are the same, default ports and fragments are dropped, needless
    percent-encoding is decoded. Other URLs than web addresses are unchanged.
    """
    if _PLAIN.fullmatch(url):
        return url.partition("://")[2]
    return _normalised(url.strip())


def _normalised(text: str) -> str:
    from yarl import URL  # noqa: PLC0415 - a run without an answer does without

    try:
        parsed = URL(text).with_fragment(None)
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return text
    except (ValueError, IndexError):  # the latter of https://[]@
        return text
    if "%" in parsed.host and (host := _decoded(parsed.host)) != parsed.host:
        with suppress(ValueError):  # it cannot be encoded either
            parsed = parsed.with_host(host)
    rest = str(parsed).partition("://")[2]
    return rest if parsed.raw_path != "/" or "/" in rest else f"{rest}/"


def host_of(url: str) -> str:
    """The host in an untrusted URL, in lower case and punycode; "" without one."""
    try:
        # Browsers read \ as /, so that https://evil.example\@example.com leads to evil.example
        host = urlsplit(url.strip().replace("\\", "/")).hostname or ""
    except ValueError:
        return ""
    host = _decoded(host).rstrip(".")
    if len(host) > MAX_NAME or not host.isprintable() or " " in host:
        return ""
    return ascii_host(host)


def _decoded(host: str) -> str:
    """A host without percent-encoding, as browsers read it; unchanged if that is no name."""
    if "%" not in host or ":" in host:  # of an IPv6 address, % begins the zone
        return host
    name = unquote(host)
    return name if name.isprintable() and not set(name) & _NOT_IN_HOSTS else host


def ascii_host(host: str) -> str:
    """A host name in lower case and punycode; unchanged if it cannot be encoded."""
    if host.isascii():
        return host.lower()
    normalized = normalize_url(f"https://{host}/")
    return host if "://" in normalized else normalized.partition("/")[0]

"""Setting types for URLs to which keys, pictures and messages are sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from batchscan.settings.types import SettingType

_AS_FAR_AS_HOST = re.compile(r"https?://[^/?#\\]+", re.IGNORECASE)
_HIDDEN = "***"


@dataclass(frozen=True)
class UrlType(SettingType):
    """An `https` URL; `http` only for this machine, as requests contain the API key."""

    allowed: str = "an https:// address; http:// only to this machine"

    def read(self, raw: object) -> object:
        """Remove a slash at the end."""
        return raw.strip().rstrip("/") if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Reject addresses that the key must not be sent to, and URLs with a path or query."""
        parts = _checked(value, "over http, anybody on the way could read the key and the pictures")
        if parts.query or str(value).endswith("?"):
            raise ValueError("it holds a query or a fragment")


@dataclass(frozen=True)
class WebhookUrlType(SettingType):
    """A URL that messages are sent to; its path may be secret, and is not shown."""

    allowed: str = "an https:// address; http:// only to this machine"

    def read(self, raw: object) -> object:
        """Keep the URL unchanged: for some servers a slash at the end matters."""
        return raw.strip() if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Reject URLs that messages must not be sent to."""
        _checked(value, "over http, anybody on the way could read the messages")

    def show(self, value: object) -> str:
        """The URL up to its host."""
        return self.hide(str(value))

    def hide(self, text: str) -> str:
        """The URL up to its host."""
        match = _AS_FAR_AS_HOST.match(text)
        if match is None:
            return _HIDDEN
        return f"{match[0]}/{_HIDDEN}" if text[match.end() :].strip("/") else match[0]


def _checked(value: object, why_not_http: str) -> SplitResult:
    """The parts of a URL that requests may be sent to."""
    if not isinstance(value, str) or not value.isprintable() or " " in value or "\\" in value:
        raise ValueError
    parts, port = _split(value)
    if parts.netloc.partition("]")[2].partition(":")[0]:  # a name goes on after [::1]
        raise ValueError
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or password")
    if parts.fragment or value.endswith("#"):
        raise ValueError("it holds a query or a fragment")
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        raise ValueError
    if parts.scheme == "http" and not is_loopback(parts):
        raise ValueError(why_not_http)
    return parts


def _split(value: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(value)  # ValueError on broken IPv6
        port = parts.port
    except ValueError:
        raise ValueError from None  # its words may hold half a password
    return parts, port


def is_loopback(parts: SplitResult) -> bool:
    """Whether a host is this machine, without asking a name server."""
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

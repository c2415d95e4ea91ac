"""`--connect-to HOST:PORT:ADDRESS:PORT`, as curl has it: the one way to an address that is private.

An empty HOST or PORT in front matches any, an empty ADDRESS or PORT behind means what the URL says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from batchscan.errors import UsageError
from batchscan.util.escaping import printable
from batchscan.util.urls import ascii_host

_RULE: Final = re.compile(
    r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>\d*):(?P<address>\[[^\]]*\]|[^:\[\]]*):(?P<to>\d*)"
)
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class _ConnectRule:
    host: str  # "" for any
    port: int | None  # None for any
    address: str  # "" for the same
    to_port: int | None  # None for the same

    def covers(self, host: str, port: int) -> bool:
        return self.host in ("", host) and self.port in (None, port)


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """Rules of where to connect to for some hosts and ports; the first that fits holds."""

    rules: tuple[_ConnectRule, ...] = ()

    @classmethod
    def of(cls, texts: Sequence[str]) -> ConnectTo:
        """Understand rules as they are written.

        Raises:
            UsageError: one is not HOST:PORT:ADDRESS:PORT.
        """
        return cls(tuple(map(_parse, texts)))

    def lookup(self, host: str, port: int) -> tuple[str, int] | None:
        """The host and port to connect to instead; None if no rule covers this host and port."""
        wanted = _name(host)
        for rule in self.rules:
            if rule.covers(wanted, port):
                return rule.address or host, port if rule.to_port is None else rule.to_port
        return None


def _parse(text: str) -> _ConnectRule:
    match = _RULE.fullmatch(text)
    ports = [int(match[name]) if match[name] else None for name in ("port", "to")] if match else []
    if match is None or any(port is not None and not 0 < port <= _MAX_PORT for port in ports):
        raise UsageError(
            f"--connect-to: '{printable(text)}' is not HOST:PORT:ADDRESS:PORT",
            advice="as in example.com:80:127.0.0.1:8080; write an IPv6 address in [brackets]",
        )
    return _ConnectRule(_name(match["host"]), ports[0], match["address"].strip("[]"), ports[1])


def _name(host: str) -> str:
    return ascii_host(host.strip("[]").rstrip("."))

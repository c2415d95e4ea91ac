"""Where pictures are inspected and uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from batchscan.settings.declaring import setting
from batchscan.settings.kinds import Kind

LOCAL = "local"
_SCHEMES = frozenset({"tcp", "tls", "ws", "wss"})


@dataclass(frozen=True)
class Scheduler(Kind):
    """The address of a Dask scheduler, or a word for a cluster of this machine's processes."""

    allowed: str = "local, or a scheduler's address such as tcp://10.0.0.1:8786 or tls://dask:8786"

    def read(self, raw: object) -> object:
        """Take the address without its last slash."""
        return raw.strip().rstrip("/") if isinstance(raw, str) else raw

    def check(self, value: object) -> None:
        """Refuse what no scheduler listens on."""
        if value == LOCAL:
            return
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise ValueError
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("it holds a user name or password")
        if parts.scheme not in _SCHEMES or not parts.hostname or not port or parts.path:
            raise ValueError


@dataclass(frozen=True, slots=True)
class Engine:
    """Where pictures are inspected and uploaded."""

    dask: str | None = setting(
        None,
        "a Dask scheduler such as tcp://10.0.0.1:8786, or local; default: this machine alone",
        Scheduler(),
        flag="--dask",
    )

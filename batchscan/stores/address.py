"""URLs of objects and folders in stores, which are literal and must not contain secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from batchscan.errors import UsageError
from batchscan.store_kinds import OFFERED, STORES
from batchscan.util.escaping import printable

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/]*)(?P<rest>.*)", re.DOTALL
)
# One name for each store, so that the ledger knows an object once.
SCHEMES: Final = {
    alias: scheme for scheme, kind in STORES.items() for alias in (scheme, *kind.other_schemes)
}
_OFFERED: Final = f"{', '.join(OFFERED[:-1])} or {OFFERED[-1]}"
# What signed addresses hold: whoever has them may read.
_SIGNED = re.compile(r"[?&](sig|Signature|X-Amz-Signature|X-Goog-Signature)=", re.IGNORECASE)
_OWN_CHAIN: Final = "credentials are read from the store's own settings, never from a URL"


@dataclass(frozen=True, slots=True)
class Address:
    """An object or folder in a store; `str` gives its canonical form, without percent-encoding."""

    scheme: str
    authority: str  # the bucket, the container (perhaps @account), the host
    key: str  # an object's, or a folder's with its slash at the end; "" for the whole store

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL.

        Raises:
            UsageError: it is invalid, or contains a secret; the message does not show that.
        """
        matched = _URL.fullmatch(url)
        scheme = SCHEMES.get(matched["scheme"].lower()) if matched else None
        if matched is None or scheme is None:
            raise UsageError(
                f"cannot scan '{shown(url)}': unsupported URL scheme",
                advice=f"addresses begin with {_OFFERED}; a folder of that name is written ./word://",
            )
        user, at, _ = matched["authority"].rpartition("@")
        if (at and (scheme in ("s3", "gs") or ":" in user)) or _SIGNED.search(matched["rest"]):
            raise UsageError(f"'{shown(url)}' holds a secret", advice=_OWN_CHAIN)
        if not matched["authority"] or "\0" in url:
            raise UsageError(
                f"cannot scan '{shown(url)}': it names no bucket, container or host",
                advice=f"addresses look like {scheme}://name/folder",
            )
        return cls(scheme, matched["authority"], matched["rest"].removeprefix("/"))

    @property
    def store(self) -> tuple[str, str]:
        """The part that identifies its store."""
        return self.scheme, self.authority

    @property
    def top(self) -> str:
        """The path of the whole store."""
        return f"{self.scheme}://{self.authority}"

    @property
    def folder(self) -> str:
        """The prefix of all keys below it, with a slash at the end; "" for the whole store."""
        return self.key if not self.key or self.key.endswith("/") else f"{self.key}/"

    @property
    def folder_path(self) -> str:
        """The address as a folder's path: what precedes the slash and the names in it."""
        return f"{self.top}/{self.folder}"[:-1]

    def __str__(self) -> str:
        return f"{self.top}/{self.key}" if self.key else self.top


def shown(url: str) -> str:
    """A URL for messages: on one line, without parts that may be secret."""
    matched = _URL.fullmatch(url)
    if matched is None:
        return printable(url)
    authority = matched["authority"]
    user, at, host = authority.rpartition("@")
    if at and (":" in user or SCHEMES.get(matched["scheme"].lower()) not in ("az", "sftp")):
        authority = f"***@{host}"
    rest = matched["rest"]
    signed = _SIGNED.search(rest)
    rest = f"{rest[: signed.start()]}?***" if signed else rest
    return printable(f"{matched['scheme']}://{authority}{rest}")

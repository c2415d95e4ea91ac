"""Finding out which request a response belongs to, even if it is damaged."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from batchscan.copyleaks.error_table import NotJson, decode

LONG_ANSWER = 64 * 1024  # bytes; longer ones are parsed in a thread
_SCAN_ID = re.compile(rb'"scanId"\s*:\s*"([^"\\]{1,200})"', re.IGNORECASE)


Endpoint = Literal["login", "credits", "check"]
# Fields that only one of the three endpoints returns, in lower case.
_ONLY_IN: dict[str, Endpoint] = {
    "matches": "check",
    "scannedimage": "check",
    "access_token": "login",
    "amount": "credits",
}


def endpoint_of(body: bytes) -> Endpoint | None:
    """The endpoint that returns such a body; None if that is not clear."""
    if len(body) >= LONG_ANSWER:
        return None
    try:
        content = decode(body)
    except NotJson:
        return None
    names = [str(name).lower() for name in content] if isinstance(content, dict) else []
    return next((of for name, of in _ONLY_IN.items() if name in names), None)


class _Image(msgspec.Struct, rename="camel"):
    scan_id: str | None = None


class _Envelope(msgspec.Struct, rename="camel"):
    scanned_image: _Image | None = None


def named_scan_id(body: bytes) -> str | None:
    """The scan id in a 200's body, even in a damaged or oddly written one; None without one."""
    try:
        image = msgspec.json.decode(body, type=_Envelope).scanned_image
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Parsing a long one may end the process, before the answer is stored.
        only = _only_id(body) if len(body) >= LONG_ANSWER else None
        return only or _named_tolerantly(body)
    named = image.scan_id if image else None
    return (named or "").strip() or _named_tolerantly(body)


def _named_tolerantly(body: bytes) -> str | None:
    try:
        content = decode(body)
    except NotJson:  # truncated, for example
        return _only_id(body)
    named_by = _field(_field(content, "scannedimage"), "scanid")
    return named_by.strip() or None if isinstance(named_by, str) else None


def _only_id(body: bytes) -> str | None:
    """The scan id in the text of a body; None if there is none, or more than one."""
    named = {match.decode("utf-8", "replace").strip() for match in _SCAN_ID.findall(body)}
    return (named.pop() or None) if len(named) == 1 else None


def _field(value: object, name: str) -> object:
    """A field of an object, whatever the case of its name."""
    fields = value.items() if isinstance(value, dict) else ()
    return next((inner for key, inner in fields if key.lower() == name), None)

"""Bodies decoded, and never to more than is allowed: a small one may hold gigabytes."""

from __future__ import annotations

import zlib
from typing import Final

from batchscan.web_client.fetch_results import FailureKind, FetchError

ACCEPTED: Final = "gzip, deflate"
_MAX_CODINGS: Final = 3  # one around the other
_MEAN_NOTHING: Final = frozenset({"", "identity", "none", "binary", "utf-8"})  # and are sent
_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE: Final = 65_536  # bytes


def decode_body(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """Undo what Content-Encoding says was done.

    Args:
        body: as transferred.
        content_encoding: the header.
        limit: bytes that the result has at most.

    Raises:
        FetchError: it would be longer, is damaged, or has an encoding that was not asked for.
    """
    codings = [word.strip().lower() for word in (content_encoding or "").split(",")]
    codings = [word for word in codings if word not in _MEAN_NOTHING]
    if len(codings) > _MAX_CODINGS:
        raise FetchError(FailureKind.BAD_RESPONSE, "it is encoded too many times")
    for coding in reversed(codings):
        body = _decode(body, coding, limit)
    return body


def _decode(body: bytes, coding: str, limit: int) -> bytes:
    if not body:
        return body
    try:
        if coding in ("gzip", "x-gzip"):
            return _inflate(body, _GZIP, limit)
        if coding == "deflate":
            return _deflate(body, limit)
    except zlib.error as error:
        raise FetchError(FailureKind.BAD_RESPONSE, f"its {coding} encoding is damaged") from error
    raise FetchError(FailureKind.BAD_RESPONSE, "it has an unexpected encoding")


def _deflate(body: bytes, limit: int) -> bytes:
    """With zlib's header, as it should be, or without, as some servers send it."""
    try:
        return _inflate(body, zlib.MAX_WBITS, limit)
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, limit)


def _inflate(body: bytes, bits: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body:  # gzip may have several members
        member = zlib.decompressobj(bits)
        while not member.eof:
            if not body:
                raise zlib.error("cut short")
            part = member.decompress(body, _PIECE)
            body = member.unconsumed_tail
            size += len(part)
            if size > limit:
                raise FetchError(FailureKind.TOO_LARGE, f"it unpacks to more than {limit:,} bytes")
            parts.append(part)
        body = member.unused_data.lstrip(b"\0") if bits == _GZIP else b""
    return b"".join(parts)

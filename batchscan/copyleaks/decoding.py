"""JSON from outside, read a little more tolerantly than msgspec does."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_BOM = b"\xef\xbb\xbf"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# A pair of surrogates, half a pair, any other escape: so that `\\ud83d` is a backslash and a word.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)


class NotJson(ValueError):
    """Nobody can read this as JSON."""


def decode(body: bytes) -> Any:  # noqa: ANN401 - whatever stands there
    """Read JSON; a byte order mark is skipped, half a surrogate pair becomes U+FFFD.

    RFC 8259 allows both, and a name cut to a length in UTF-16 ends in such a half. What was paid
    for is not lost over it.

    Raises:
        NotJson: it is none.
    """
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body)
    except _UNREADABLE:
        mended = _ESCAPE.sub(_whole, body)
    try:
        return msgspec.json.decode(mended)
    except _UNREADABLE as error:
        raise NotJson("not JSON") from error


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]

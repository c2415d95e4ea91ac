"""JSON from outside, read a little more tolerantly than msgspec does."""

from __future__ import annotations

import json
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

    RFC 8259 allows both, and a name cut to a length in UTF-16 ends in such a half. UTF-16, UTF-32,
    bytes that are no UTF-8, and NaN, which it does not allow, are read all the same. What was paid
    for is not lost over it.

    Raises:
        NotJson: it is none.
    """
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body)
    except _UNREADABLE:
        pass
    try:
        return json.loads(_mended(body))
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error


def repeated_keys(body: bytes) -> set[str]:
    """The keys that stand twice in one object, of which readers keep the last.

    Raises:
        NotJson: it is no JSON.
    """
    repeated: set[str] = set()

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.update(name for name in fields if names.count(name) > 1)
        return fields

    try:
        json.loads(_mended(body), object_pairs_hook=look)
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    return repeated


def _mended(body: bytes) -> bytes:
    text = body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")
    return _ESCAPE.sub(_whole, text.encode())


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]

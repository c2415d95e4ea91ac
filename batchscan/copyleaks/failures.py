"""Error answers turned into typed errors by a table; every documented body shape is read.

The shapes are those of the vendor's error, login, credits and delete pages: an `error` object,
an `error` string, a map of fields to lists, an RFC 9110 problem, `message` in either case, plain
text, HTML, nothing. Messages are for people and are never matched on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from batchscan.copyleaks.errors import (
    AuthenticationFailed,
    CopyleaksError,
    Declined,
    Details,
    PaymentRequired,
    RateLimited,
    Refused,
    ScanIdConflict,
    ServerFailed,
    TokenRefused,
    UnderMaintenance,
    WrongAddress,
)

LONGEST_MESSAGE = 300
LONGEST_WORD = 100

# The codes are the vendor's (errors and webhook pages): no credits; too large, too low in
# quality, unsupported type, invalid file, bad file name.
_BY_CODE: dict[str, type[CopyleaksError]] = {
    "13": PaymentRequired,
    "17": PaymentRequired,
    "6": Refused,
    "8": Refused,
    "10": Refused,
    "14": Refused,
    "24": Refused,
}
# 401, 403 and 429 mean what they mean, whatever code comes with them.
_CODES_DECIDE = frozenset(range(400, 500)) - {401, 403, 429}
_BY_STATUS: dict[int, type[CopyleaksError]] = {
    401: TokenRefused,
    402: PaymentRequired,
    403: AuthenticationFailed,
    404: WrongAddress,
    405: WrongAddress,
    409: ScanIdConflict,
    413: Refused,
    415: Refused,
    429: RateLimited,
    503: UnderMaintenance,
}
_BY_CLASS: dict[int, type[CopyleaksError]] = {
    1: WrongAddress,
    2: WrongAddress,
    3: WrongAddress,
    4: Declined,
    5: ServerFailed,
}
# What a 4xx of the login means, but for 404, 405 and 429: this account cannot log in.
_LOGIN_REFUSALS = (TokenRefused, PaymentRequired, ScanIdConflict, Refused, Declined)


def failure(
    status: int, headers: Mapping[str, str], body: bytes, *, login: bool = False, now: float
) -> CopyleaksError:
    """The error that an answer other than 200 is; `now` in seconds since 1970."""
    details = read_details(status, body)
    kind = _kind(status, details)
    if login and issubclass(kind, _LOGIN_REFUSALS):
        kind = AuthenticationFailed
    message = f"HTTP {status}" + (f": {details.message}" if details.message else "")
    error: CopyleaksError
    if issubclass(kind, RateLimited | UnderMaintenance):
        error = kind(message, details, retry_after(headers.get("Retry-After"), now))
    else:
        error = kind(message, details)
    error.login = login
    return error


def _kind(status: int, details: Details) -> type[CopyleaksError]:
    if status in _CODES_DECIDE and details.code in _BY_CODE:
        return _BY_CODE[details.code]
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, ServerFailed)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110, 10.2.3); None where it is none."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def read_details(status: int, body: bytes) -> Details:
    """Whatever an error body tells, in any of the documented shapes or none."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Details(http_status=status, message=_plain(body))
    if not isinstance(decoded, dict):
        return Details(http_status=status, message=_plain(body))
    fields = {str(key).lower(): value for key, value in decoded.items()}
    inner = fields.get("error")
    said = (
        {str(key).lower(): value for key, value in inner.items()}
        if isinstance(inner, dict)
        else fields
    )
    return Details(
        http_status=status,
        type=_word(said.get("type")),
        code=_word(said.get("code")),
        id=_word(said.get("id")),
        trace_id=_word(said.get("traceid") or fields.get("traceid")),
        message=_message(fields, said, inner),
    )


def _message(fields: dict[str, Any], said: dict[str, Any], inner: object) -> str | None:
    for candidate in (said.get("message"), inner, said.get("title"), _first_of(fields)):
        if isinstance(candidate, str) and candidate.strip():
            return clean(candidate)
    return None


def _first_of(fields: dict[str, Any]) -> str | None:
    """The first complaint of a map of fields to lists."""
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], str):
            return f"{name}: {value[0]}"
    return None


def _plain(body: bytes) -> str | None:
    text = body[: 4 * LONGEST_MESSAGE].decode("utf-8", "replace")
    if re.match(r"\s*<", text):
        title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
        text = f"a web page ({title.group(1)})" if title else "a web page"
    return clean(text) or None


def _word(value: object) -> str | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return clean(str(value))[:LONGEST_WORD] or None
    return None


def clean(text: str) -> str:
    """One printable line of at most 300 characters."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\ufffd" for c in line)[:LONGEST_MESSAGE]

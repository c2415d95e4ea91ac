"""The table that turns error responses into exceptions; parses all documented body shapes.

The shapes are those of the vendor's error, login, credits and delete pages: an `error` object,
an `error` string, a map of fields to lists, an RFC 9110 problem, `message` in either case, plain
text, HTML, nothing. Messages are for people; no decision depends on them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from batchscan.copyleaks.errors import (
    AuthenticationFailed,
    BadResponse,
    CopyleaksError,
    Declined,
    PaymentRequired,
    PictureRefused,
    RateLimited,
    ScanIdConflict,
    ServerFailed,
    ServiceError,
    TokenRefused,
    UnderMaintenance,
    WrongAddress,
)

MAX_MESSAGE = 300
MAX_WORD = 100
MAX_WAIT = 1e9  # seconds: 31 years
HIDDEN = "***"  # instead of a key or token that was echoed

# The vendor's codes (errors and webhook pages); the statuses they come with are not documented.
_NO_CREDITS: dict[str | None, type[CopyleaksError]] = {"13": PaymentRequired, "17": PaymentRequired}
# Too large, too low in quality, unsupported type, invalid file, bad file name.
_ABOUT_PICTURE: dict[str | None, type[CopyleaksError]] = dict.fromkeys(
    ("6", "8", "10", "14", "24"), PictureRefused
)
# 401, 403 and 429 are decided by the status, even with a code about the picture.
_CODES_DECIDE = frozenset(range(400, 500)) - {401, 403, 429}
_BY_STATUS: dict[int, type[CopyleaksError]] = {
    401: TokenRefused,
    402: PaymentRequired,
    403: AuthenticationFailed,
    404: WrongAddress,
    405: WrongAddress,
    409: ScanIdConflict,
    413: PictureRefused,
    415: PictureRefused,
    429: RateLimited,
    503: UnderMaintenance,
}
_BY_CLASS: dict[int, type[CopyleaksError]] = {
    1: WrongAddress,
    2: BadResponse,  # possibly charged
    3: WrongAddress,
    4: Declined,
    5: ServerFailed,
}
# A 4xx of the login, except 404, 405 and 429: this account cannot log in.
_LOGIN_REFUSALS = (TokenRefused, PaymentRequired, ScanIdConflict, PictureRefused, Declined)


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    login: bool = False,
    now: float,
    secrets: Sequence[str] = (),
) -> CopyleaksError:
    """The exception for a response other than 200.

    Args:
        status: the HTTP status.
        headers: of the response.
        body: of the response, of any shape.
        login: whether it is the response to a login.
        now: seconds since 1970.
        secrets: sent values that may be echoed and must not be shown.
    """
    details = read_details(status, body, secrets)
    kind = _of_login(status) if login else _of_call(status, details.code)
    message = f"HTTP {status}" + (f": {details.message}" if details.message else "")
    error: CopyleaksError
    if issubclass(kind, RateLimited | UnderMaintenance):
        error = kind(message, details, retry_after(headers.get("Retry-After"), now))
    elif issubclass(kind, BadResponse):
        error = kind(message, details, b"" if login else body)
    else:
        error = kind(message, details)
    error.login = login
    return error


def _of_call(status: int, code: str | None) -> type[CopyleaksError]:
    by_code = _NO_CREDITS.get(code)
    if by_code is None and status in _CODES_DECIDE:
        by_code = _ABOUT_PICTURE.get(code)
    return by_code or _of_status(status)


def _of_login(status: int) -> type[CopyleaksError]:
    kind = _of_status(status)
    return AuthenticationFailed if issubclass(kind, _LOGIN_REFUSALS) else kind


def _of_status(status: int) -> type[CopyleaksError]:
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, ServerFailed)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110, 10.2.3); None if it is invalid.

    It has any number of digits; more seconds than `MAX_WAIT` are that many.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), MAX_WAIT)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def read_details(status: int, body: bytes, secrets: Sequence[str] = ()) -> ServiceError:
    """The details of an error body, in any of the documented shapes or none."""
    values = _fields(body, secrets)
    return ServiceError(
        http_status=status,
        type=_word(values.get("type"), secrets),
        code=_word(values.get("code"), secrets),
        id=_word(values.get("id"), secrets),
        trace_id=_word(values.get("traceid"), secrets),
        message=_line(values.get("message"), secrets),
    )


def _fields(body: bytes, secrets: Sequence[str]) -> dict[str, Any]:
    """The fields of an error, with lower-case names."""
    try:
        decoded = decode(body)
    except NotJson:
        return {"message": _plain(body, secrets)}
    if not isinstance(decoded, dict):
        return {"message": _plain(body, secrets)}
    fields = _lowered(decoded)
    inner = fields.get("error")
    inner_fields = _lowered(inner) if isinstance(inner, dict) else fields
    trace_id = inner_fields.get("traceid") or fields.get("traceid")
    return {**inner_fields, "traceid": trace_id, "message": _message(fields, inner_fields, inner)}


def _lowered(fields: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in fields.items()}


def _message(fields: dict[str, Any], inner_fields: dict[str, Any], inner: object) -> str | None:
    for candidate in (
        inner_fields.get("message"),
        inner,
        inner_fields.get("title"),
        _first_of(fields),
    ):
        if isinstance(candidate, str) and candidate.strip():
            return candidate
    return None


def _first_of(fields: dict[str, Any]) -> str | None:
    """The first message in a map of fields to lists."""
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], str):
            return f"{name}: {value[0]}"
    return None


def _plain(body: bytes, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):  # before cutting, which may leave a part of one
        body = body.replace(secret.encode(), HIDDEN.encode())
    text = body[: 4 * MAX_MESSAGE].decode("utf-8", "replace")
    if re.match(r"\s*<", text):
        title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
        text = f"a web page ({title.group(1)})" if title else "a web page"
    return text


def _word(value: object, secrets: Sequence[str]) -> str | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return (_line(str(value), secrets) or "")[:MAX_WORD] or None
    return None


def _line(text: str | None, secrets: Sequence[str]) -> str | None:
    for secret in filter(None, secrets):
        text = text and text.replace(secret, HIDDEN)
    return (clean(text[: 4 * MAX_MESSAGE]) or None) if text else None


def clean(text: str) -> str:
    """One printable line of at most 300 characters."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\ufffd" for c in line)[:MAX_MESSAGE]


_BOM = b"\xef\xbb\xbf"
_MAX_DIGITS = 640  # of an integer; Python's limit is never lower
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# A surrogate pair, or half of one; after an odd number of backslashes, so that `\\ud83d` is not
# taken for a half. Nothing else is found: an answer may hold millions of other escapes.
_ESCAPE = re.compile(
    rb"(?P<run>\\(?<!\\\\)(?:\\\\)*+)u(?:"
    rb"[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2}))"
)


class NotJson(ValueError):
    """Bytes that are not JSON."""


def decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Decode JSON; a byte order mark is skipped, half a surrogate pair becomes U+FFFD.

    RFC 8259 allows both, and a name cut to a length in UTF-16 can end in such a half. UTF-16,
    UTF-32, invalid UTF-8 and NaN, which it does not allow, are accepted as well: a paid answer
    must not be lost because of them. Integers beyond all measure become floats.

    Raises:
        NotJson: it is not JSON.
    """
    body = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(body)
    except _UNREADABLE:
        pass
    try:
        return json.loads(_mended(body), parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error


def is_object(body: bytes) -> bool:
    """Whether a body is one whole JSON object."""
    try:
        return isinstance(decode(body), dict)
    except NotJson:
        return False


def repeated_keys(body: bytes) -> set[str]:
    """The keys that occur twice in one object, of which parsers keep the last.

    Raises:
        NotJson: it is not JSON.
    """
    repeated: set[str] = set()

    def note_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            times = Counter(name for name, _ in pairs)
            repeated.update(name for name, number in times.items() if number > 1)
        return fields

    try:
        json.loads(_mended(body), object_pairs_hook=note_repeats, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    return repeated


def _integer(digits: str) -> float:
    """An integer, however long: Python refuses to convert thousands of digits, as that takes long."""
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _mended(body: bytes) -> bytes:
    text = body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")
    return _ESCAPE.sub(_without_half, text.encode())


def _without_half(escape: re.Match[bytes]) -> bytes:
    return escape["run"] + b"ufffd" if escape["half"] else escape[0]

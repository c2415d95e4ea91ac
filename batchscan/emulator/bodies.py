"""The bodies of the vendor's responses, with its order of fields; some statuses are assumed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec

from batchscan.emulator.fault_actions import Shape

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"


class HttpReply(NamedTuple):
    """An answer before it is sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class VendorMatch(NamedTuple):
    """A found picture; `match_type`, as the vendor has it, is 0 for full and 1 for partial."""

    url: str
    match_type: int
    pages: tuple[str, ...]


# Type and id are the vendor's up to 7 and assumed above (errors page).
_KINDS = {
    1: ("invalid_request_error", "missing_parameter"),
    6: ("invalid_request_error", "file_too_large"),
    10: ("invalid_request_error", "unsupported_file_type"),
    13: ("payment_error", "insufficient_credits"),
    14: ("invalid_request_error", "invalid_file"),
    17: ("payment_error", "no_credits"),
    20: ("invalid_request_error", "multipart_only"),
    21: ("invalid_request_error", "one_file_only"),
    22: ("invalid_request_error", "unknown_file_size"),
    24: ("invalid_request_error", "bad_filename"),
}


def json_reply(status: int, value: object) -> HttpReply:
    """Any value as JSON."""
    return HttpReply(status, msgspec.json.encode(value))


def error(status: int, code: int | None, message: str) -> HttpReply:
    """The structured error (errors page)."""
    kind, word = _KINDS.get(code or 0, ("invalid_request_error", "invalid_request"))
    if status == 429 or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
        kind, word = "api_error", "temporarily_unavailable"
    fields: dict[str, Any] = {"type": kind, "id": word, "code": code, "message": message}
    if code is None:
        del fields["code"]
    return json_reply(status, {"error": fields})


def problem(status: int, title: str) -> HttpReply:
    """The problem object of the API's 401 (credits page)."""
    trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    section = {401: "15.5.2", 403: "15.5.4", 404: "15.5.5", 503: "15.6.4"}.get(status, "15.5.1")
    url = f"https://tools.ietf.org/html/rfc9110#section-{section}"
    value = {"type": url, "title": title, "status": status, "traceId": trace}
    return HttpReply(status, msgspec.json.encode(value), PROBLEM)


def shaped(status: int, shape: Shape, code: int | None) -> HttpReply:
    """An error in one of the formats that the vendor or a proxy may use."""
    text = f"Emulated fault {status}."
    reply = error(status, code, text)
    page = f"<html><head><title>{status}</title></head><body>{text}</body></html>"
    replies: dict[Shape, HttpReply] = {
        "json": reply,
        "problem": problem(status, text),
        "message": json_reply(status, {"message": text}),
        "error": json_reply(status, {"error": text}),
        "text": HttpReply(status, text.encode(), "text/plain; charset=utf-8"),
        "html": HttpReply(status, page.encode(), "text/html"),
        "empty": HttpReply(status, b""),
        "torn": HttpReply(status, reply.body[:-9]),
        "garbage": HttpReply(status, bytes(range(128, 256)) * 4, "application/octet-stream"),
    }
    return replies[shape]


def token(access_token: str, issued: float, life: float, *, offset: bool) -> HttpReply:
    """A login's answer (login page, image plagiarism guide).

    Args:
        access_token: the token.
        issued: seconds since 1970.
        life: seconds; the vendor adds 100 ns, and so does this.
        offset: whether times end in `+02:00` instead of `Z`; the vendor's pages show both.
    """
    start = round(issued * 10_000_000)
    end = start + round(life * 10_000_000) + 1
    times = {".issued": _ticks(start, offset=offset), ".expires": _ticks(end, offset=offset)}
    return json_reply(200, {"access_token": access_token, **times})


def check(
    image: Mapping[str, object], payload: str | None, matches: Sequence[VendorMatch]
) -> dict[str, Any]:
    """A check's answer (image plagiarism response); `image` is its `scannedImage`."""
    full = sum(match.match_type == 0 for match in matches)
    return {
        "developerPayload": payload,
        "scannedImage": dict(image),
        "matches": {
            "internet": [_match(match) for match in sorted(matches, key=lambda m: m.match_type)],
            "score": {
                "totalMatches": len(matches),
                "fullMatches": full,
                "partialMatches": len(matches) - full,
            },
        },
    }


def creation_time(seconds: float) -> str:
    """`2026-05-24T10:00:00Z`, as the example of the response has it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _match(match: VendorMatch) -> dict[str, Any]:
    value: dict[str, Any] = {"url": match.url, "matchType": match.match_type}
    if match.pages:  # left out where none is known
        value["webPages"] = [{"url": url} for url in match.pages]
    return value


def _ticks(ticks: int, *, offset: bool) -> str:
    zone = timezone(timedelta(hours=2)) if offset else UTC
    moment = datetime.fromtimestamp(ticks // 10_000_000, zone)
    end = "+02:00" if offset else "Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ticks % 10_000_000:07d}{end}"

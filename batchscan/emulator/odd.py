"""Bodies of a 200 that no client hopes for, made of the answer that would have been right."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from batchscan.emulator.actions import OddBody
from batchscan.emulator.bodies import Reply

_HUGE: Final = 20_000  # matches

_ODD_URLS: Final = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "https://example.com/\u202egpj.exe\nSet-Cookie: a=b",
    "http://[::1",
    "//example.com/no-scheme.jpg",
    "",
)


def odd_body(reply: Reply, body: OddBody) -> Reply:
    """Replace a check's answer."""
    if body == "not_json":
        return Reply(reply.status, b"<html><body>All is well.</body></html>", "text/html")
    answer = msgspec.json.decode(reply.body)
    _bend(answer, body)
    return reply._replace(body=msgspec.json.encode(answer))


def _bend(answer: dict[str, Any], body: OddBody) -> None:
    matches = answer["matches"]
    match body:
        case "no_list":
            del matches["internet"]
        case "null_list":
            matches["internet"] = None
        case "wrong_types":
            _mistype(answer)
        case "unknown_type":
            matches["internet"].append({"url": "https://example.com/new.jpg", "matchType": 7})
        case "extra_keys":
            answer["new"] = matches["new"] = {"nested": [None]}
            matches["internet"].append(_match("https://example.com/a.jpg") | {"new": 1})
        case "odd_urls":
            matches["internet"] += [_match(url) for url in _ODD_URLS]
        case "huge":
            matches["internet"] += [
                _match(f"https://example.com/{number}.jpg") for number in range(_HUGE)
            ]


def _match(url: str) -> dict[str, Any]:
    return {"url": url, "matchType": 0, "webPages": [{"url": url}]}


def _mistype(answer: dict[str, Any]) -> None:
    answer["scannedImage"] |= {"actualCredits": "one", "scanId": 7, "width": None}
    answer["matches"]["score"] = "none"
    answer["matches"]["internet"] += [
        "https://example.com/a.jpg",
        {"url": 7, "matchType": 0},
        {"url": "https://example.com/b.jpg", "matchType": "full", "webPages": "none"},
        None,
    ]

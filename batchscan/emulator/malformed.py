"""Malformed bodies of a 200, made from the correct answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from batchscan.emulator.bodies import HttpReply
from batchscan.emulator.fault_actions import Drip, OddBody

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


def odd_body(reply: HttpReply, body: OddBody) -> HttpReply:
    """A malformed body in place of a check's answer."""
    if body == "not_json":
        return HttpReply(reply.status, b"<html><body>All is well.</body></html>", "text/html")
    answer = msgspec.json.decode(reply.body)
    _BENDS[body](answer, answer["matches"])
    return reply._replace(body=msgspec.json.encode(answer))


def _match(url: str) -> dict[str, Any]:
    return {"url": url, "matchType": 0, "webPages": [{"url": url}]}


def _no_list(_: dict[str, Any], matches: dict[str, Any]) -> None:
    del matches["internet"]


def _null_list(_: dict[str, Any], matches: dict[str, Any]) -> None:
    matches["internet"] = None


def _wrong_types(answer: dict[str, Any], matches: dict[str, Any]) -> None:
    answer["scannedImage"] |= {"actualCredits": "one", "scanId": 7, "width": None}
    matches["score"] = "none"
    matches["internet"] += [
        "https://example.com/a.jpg",
        {"url": 7, "matchType": 0},
        {"url": "https://example.com/b.jpg", "matchType": "full", "webPages": "none"},
        None,
    ]


def _unknown_type(_: dict[str, Any], matches: dict[str, Any]) -> None:
    matches["internet"].append({"url": "https://example.com/new.jpg", "matchType": 7})


def _extra_keys(answer: dict[str, Any], matches: dict[str, Any]) -> None:
    answer["new"] = matches["new"] = {"nested": [None]}
    matches["internet"].append(_match("https://example.com/a.jpg") | {"new": 1})


def _odd_urls(_: dict[str, Any], matches: dict[str, Any]) -> None:
    matches["internet"] += [_match(url) for url in _ODD_URLS]


def _huge(_: dict[str, Any], matches: dict[str, Any]) -> None:
    many = (f"https://example.com/{number}.jpg" for number in range(_HUGE))
    matches["internet"] += [_match(url) for url in many]


_BENDS: Final[dict[OddBody, Callable[[dict[str, Any], dict[str, Any]], None]]] = {
    "no_list": _no_list,
    "null_list": _null_list,
    "wrong_types": _wrong_types,
    "unknown_type": _unknown_type,
    "extra_keys": _extra_keys,
    "odd_urls": _odd_urls,
    "huge": _huge,
}

_NO_LINGER: Final = struct.pack("ii", 1, 0)


def complete(request: web.Request, reply: HttpReply) -> web.Response:
    """The unchanged answer, gzipped if the client accepts that."""
    response = web.Response(body=reply.body, status=reply.status)
    _set_headers(response, reply)
    if "gzip" in request.headers.get("Accept-Encoding", "").lower():
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def dripping(request: web.Request, reply: HttpReply, drip: Drip) -> web.StreamResponse:
    """The answer in small pieces."""
    response = await _begun(request, reply)
    for start in range(0, len(reply.body), drip.piece):
        await response.write(reply.body[start : start + drip.piece])
        await asyncio.sleep(drip.seconds)
    await response.write_eof()
    return response


async def torn(request: web.Request, reply: HttpReply) -> web.StreamResponse:
    """Half of the answer, with the Content-Length of all of it."""
    response = await _begun(request, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()  # after what was written has left
    return response


def reset(request: web.Request) -> web.Response:
    """Cut the connection with a TCP reset; the response is not sent."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    return web.Response()


async def _begun(request: web.Request, reply: HttpReply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status)
    _set_headers(response, reply)
    response.content_length = len(reply.body)
    await response.prepare(request)
    return response


def _set_headers(response: web.StreamResponse, reply: HttpReply) -> None:
    if reply.body:
        response.headers["Content-Type"] = reply.content_type
    response.headers.update(reply.headers)

"""How an answer leaves: whole and compressed, or in one of the ways that faults ask for."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from aiohttp import web

from batchscan.emulator.actions import Drip
from batchscan.emulator.bodies import Reply

_NO_LINGER: Final = struct.pack("ii", 1, 0)


def whole(request: web.Request, reply: Reply) -> web.Response:
    """The answer as it is, gzipped where the client takes that."""
    response = web.Response(body=reply.body, status=reply.status)
    _set_headers(response, reply)
    if "gzip" in request.headers.get("Accept-Encoding", "").lower():
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def dripping(request: web.Request, reply: Reply, drip: Drip) -> web.StreamResponse:
    """The answer in small pieces."""
    response = await _begun(request, reply)
    for start in range(0, len(reply.body), drip.piece):
        await response.write(reply.body[start : start + drip.piece])
        await asyncio.sleep(drip.seconds)
    await response.write_eof()
    return response


async def torn(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Half of the answer, under the whole one's Content-Length."""
    response = await _begun(request, reply)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()  # after what was written has left
    return response


def reset(request: web.Request) -> web.Response:
    """Cut the connection at once, with a TCP reset; the response goes nowhere."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    return web.Response()


async def _begun(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status)
    _set_headers(response, reply)
    response.content_length = len(reply.body)
    await response.prepare(request)
    return response


def _set_headers(response: web.StreamResponse, reply: Reply) -> None:
    if reply.body:
        response.headers["Content-Type"] = reply.content_type
    response.headers.update(reply.headers)

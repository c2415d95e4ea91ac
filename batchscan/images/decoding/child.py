"""The process in which hostile files are decoded.

It reads requests from the socket that is its standard input, replies on the same, and ends when
that is closed, however its parent ended.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final

import msgspec

from batchscan.images.decoding import raw_files
from batchscan.images.decoding.conversions import convert, make_fingerprint
from batchscan.images.decoding.messages import (
    GO,
    DecoderReply,
    DecoderRequest,
    Operation,
    receive,
    receive_json,
    send_json,
)
from batchscan.images.raster import silence_warnings
from batchscan.util import system

MEMORY: Final = 1536 * 1024**2
"""Bytes of address space that decoding may take beyond what the decoders themselves do."""


class ParentGone(Exception):
    """The parent closed the connection in the middle of a request."""


def serve(connection: socket.socket) -> None:
    """Handle requests until the parent closes the socket."""
    while (text := receive_json(connection)) is not None:
        request = msgspec.json.decode(text, type=DecoderRequest)
        try:
            file = _file(connection, request)
        except ParentGone:
            return
        signal.alarm(request.seconds)  # ends a hang if the parent is gone
        with file:
            try:
                reply, payload = _do(connection, request, file)
            except ParentGone:
                return
        signal.alarm(0)
        send_json(connection, reply)
        connection.sendall(payload)


def _file(connection: socket.socket, request: DecoderRequest) -> BinaryIO:
    if request.bytes is None:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
        if not descriptors:
            raise ParentGone
        return open(descriptors[0], "rb")
    data = receive(connection, request.bytes)
    if data is None:
        raise ParentGone
    return io.BytesIO(data)


def _do(
    connection: socket.socket, request: DecoderRequest, file: BinaryIO
) -> tuple[DecoderReply, bytes]:
    if request.operation is Operation.CONVERT:
        return convert(request, file, _admission(connection, request))
    if request.operation is Operation.FINGERPRINT:
        return make_fingerprint(request, file, _admission(connection, request))
    data = file.read()
    if request.operation is Operation.RAW_PREVIEW:
        return DecoderReply(raw=raw_files.make_preview(data, request.max_pixels)), b""
    unpack = request.operation is Operation.RAW_SENSOR
    return DecoderReply(
        raw=raw_files.examine(data, unpack=unpack, max_pixels=request.max_pixels)
    ), b""


def _admission(connection: socket.socket, request: DecoderRequest) -> Callable[[int], None]:
    """A function that waits until the parent allows a number of pixels to be decoded."""
    admitted = 0

    def admit(pixels: int) -> None:
        nonlocal admitted
        if pixels <= admitted:
            return
        signal.alarm(0)  # waiting does not count
        send_json(connection, DecoderReply(admit=pixels))
        if receive(connection, len(GO)) != GO:
            raise ParentGone
        signal.alarm(request.seconds)
        admitted = pixels

    return admit


def _load_decoders() -> None:
    """Import installed decoders first, so that the memory limit counts pictures only."""
    with suppress(ImportError):
        import pillow_heif  # noqa: F401, PLC0415 - an extra
    with suppress(ImportError):
        import pylibjxl  # noqa: F401, PLC0415 - an extra


def _address_space() -> int:
    """Bytes of address space in use; half a GiB if the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * system.PAGE_BYTES
    except OSError:
        return 512 * 1024**2


def main() -> None:
    """Run as `python -m batchscan.images.decoding.child`."""
    # The parent decides when to stop: it may be finishing a picture that is paid for.
    for number in system.STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    silence_warnings()
    _load_decoders()
    system.limit_memory(_address_space() + MEMORY)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as connection, suppress(OSError):
        serve(connection)


if __name__ == "__main__":
    main()

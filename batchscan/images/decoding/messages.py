"""Messages of the decoder processes: a length, a line of JSON, and bytes after it."""

from __future__ import annotations

import socket
import struct
from enum import StrEnum
from typing import Final

import msgspec

from batchscan.images.raw_process import RawReport
from batchscan.model import Provenance

LENGTH: Final = struct.Struct("!I")
"""Bytes of the JSON that follows."""

MAX_JSON: Final = 65_536
MAX_PAYLOAD: Final = 64 * 1024 * 1024
"""Longest reply that is read: a JPEG of 2,048 pixels never comes near it."""

GO: Final = b"g"
"""The parent's word that the pixels may be decoded now."""


class Operation(StrEnum):
    """The kinds of requests."""

    RAW_HEADER = "raw_header"
    RAW_SENSOR = "raw_sensor"  # decode the sensor's data
    RAW_PREVIEW = "raw_preview"  # make a thumbnail of the picture that the camera put beside it
    CONVERT = "convert"
    FINGERPRINT = "fingerprint"  # and make a thumbnail


class DecoderRequest(msgspec.Struct, frozen=True):
    """A request about one file."""

    operation: Operation
    seconds: int  # after which the child ends itself
    max_pixels: int
    bytes: int | None  # that follow; None: an open file descriptor follows
    kind: str = ""  # of picture, for conversions (`ImageFormat.name`)
    check_raw: bool = False  # check a RAW against the rules first
    unpack: bool = True  # for that check, decode the sensor's data


class DecoderReply(msgspec.Struct, frozen=True, kw_only=True):
    """The reply to a request; one with `admit` is interim, and waits for `GO`."""

    admit: int | None = None  # pixels about to be decoded
    raw: RawReport | None = None
    reason: str | None = None  # why there is no JPEG: a RejectReason or FailReason
    detail: str | None = None
    width: int | None = None  # of the file's picture
    height: int | None = None
    sent_width: int = 0  # of the JPEG
    sent_height: int = 0
    warnings: tuple[str, ...] = ()
    bytes: int = 0  # of the JPEG, which follows
    made_with: str = ""  # programs and their versions
    provenance: Provenance | None = None  # of the file
    taken: str = ""  # when, to the fraction of a second
    fingerprint: str = ""  # hexadecimal; of a picture that was looked at (`images.likeness`)


def send_json(connection: socket.socket, message: msgspec.Struct) -> None:
    """Send one message.

    Raises:
        OSError: the other side has closed.
    """
    text = msgspec.json.encode(message)
    connection.sendall(LENGTH.pack(len(text)) + text)


def receive_json(connection: socket.socket) -> bytes | None:
    """The JSON of the next message; None when the other side has closed.

    Raises:
        ValueError: it is longer than any message.
        OSError: the connection broke.
    """
    head = receive(connection, LENGTH.size)
    if head is None:
        return None
    (length,) = LENGTH.unpack(head)
    if length > MAX_JSON:
        raise ValueError("the message is too long")
    return receive(connection, length)


def receive(connection: socket.socket, size: int) -> bytes | None:
    """Exactly so many bytes; None when the other side closed before.

    Raises:
        OSError: the connection broke.
    """
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return bytes(data)

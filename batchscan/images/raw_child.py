"""The process that camera RAW is decoded in: a crash or a hang of LibRaw costs one file.

Reads requests from stdin, answers on stdout, ends when stdin is closed, however its parent ended.
"""

from __future__ import annotations

import io
import resource
import signal
import sys
from contextlib import suppress
from typing import BinaryIO, Final

import msgspec
import rawpy

from batchscan.images.raw_report import REQUEST, RawReport, Wanted

MEMORY: Final = 2 * 1024**3
"""Bytes of address space: 75 megapixels in four channels of 16 bits take 0.6 GB."""

_UNDECODABLE: Final = (rawpy.LibRawFileUnsupportedError, rawpy.LibRawNotImplementedError)
_NO_MEMORY: Final = (
    MemoryError,
    rawpy.LibRawUnsufficientMemoryError,
    rawpy.LibRawMemPoolOverflowError,
)


def examine(data: bytes, *, unpack: bool, max_pixels: int) -> RawReport:
    """Open a file with LibRaw and, if asked and within the limit, decode the sensor's data."""
    report = RawReport()
    try:
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            sizes = raw.sizes
            report = RawReport(True, sizes.raw_width, sizes.raw_height, sizes.width, sizes.height)
            if unpack and sizes.raw_width * sizes.raw_height <= max_pixels:
                raw.unpack()
    except _NO_MEMORY:
        return msgspec.structs.replace(report, no_memory=True)
    # The decoder's boundary: LibRaw's own errors share no base with those of its buffers.
    except Exception as error:  # noqa: BLE001
        return msgspec.structs.replace(
            report, error=_name(error), unsupported=isinstance(error, _UNDECODABLE)
        )
    return report


def portray(data: bytes, max_pixels: int) -> RawReport:
    """Make a thumbnail of the preview that the camera put into the file, if there is one."""
    from batchscan.images.raw_preview import preview  # noqa: PLC0415 - most files do without

    try:
        return RawReport(opened=True, thumbnail=preview(data, max_pixels))
    # The decoders' boundary, LibRaw's and Pillow's.
    except Exception as error:  # noqa: BLE001
        return RawReport(error=_name(error))


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until there are no more requests."""
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        wanted, seconds, max_pixels, length = REQUEST.unpack(head)
        data = requests.read(length)
        if len(data) < length:
            return
        signal.alarm(seconds)  # should the parent be gone, nobody else ends a hanging decoder
        if wanted == Wanted.PREVIEW:
            report = portray(data, max_pixels)
        else:
            report = examine(data, unpack=wanted == Wanted.SENSOR, max_pixels=max_pixels)
        signal.alarm(0)
        replies.write(msgspec.json.encode(report) + b"\n")
        replies.flush()


def main() -> None:
    """Run as `python -m batchscan.images.raw_child`."""
    # Stopping is the parent's business: it may be finishing a picture that is paid for.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    with suppress(ValueError, OSError):  # macOS knows this limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def _name(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


if __name__ == "__main__":
    main()

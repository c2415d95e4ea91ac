"""Opening camera RAW with LibRaw, in the decoder process."""

from __future__ import annotations

import io
from typing import Final

import msgspec
import rawpy

from batchscan.images.decoding.raw_preview import preview
from batchscan.images.raw_process import RawReport

NO_MEMORY: Final = (
    MemoryError,
    rawpy.LibRawUnsufficientMemoryError,
    rawpy.LibRawMemPoolOverflowError,
)
_UNDECODABLE: Final = (rawpy.LibRawFileUnsupportedError, rawpy.LibRawNotImplementedError)


def examine(data: bytes, *, unpack: bool, max_pixels: int) -> RawReport:
    """Open a file with LibRaw and, with `unpack` and within the limit, decode its sensor data."""
    report = RawReport()
    try:
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            sizes = raw.sizes
            report = RawReport(True, sizes.raw_width, sizes.raw_height, sizes.width, sizes.height)
            if unpack and sizes.raw_width * sizes.raw_height <= max_pixels:
                raw.unpack()
    except NO_MEMORY:
        return msgspec.structs.replace(report, no_memory=True)
    # The decoder's boundary: LibRaw's own errors share no base with those of its buffers.
    except Exception as error:  # noqa: BLE001
        return msgspec.structs.replace(
            report, error=error_name(error), unsupported=isinstance(error, _UNDECODABLE)
        )
    return report


def make_preview(data: bytes, max_pixels: int) -> RawReport:
    """Make a thumbnail of the preview that the camera put into the file, if there is one."""
    try:
        return RawReport(opened=True, thumbnail=preview(data, max_pixels))
    # The decoders' boundary, LibRaw's and Pillow's.
    except Exception as error:  # noqa: BLE001
        return RawReport(error=error_name(error))


def error_name(error: Exception) -> str:
    """A decoder's message as text; LibRaw's is in bytes."""
    text = error.args[0] if error.args else ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)

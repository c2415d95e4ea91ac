"""One conversion in the decoder process, and the reply for each kind of error."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import BinaryIO, Final

import msgspec
from PIL import Image, UnidentifiedImageError

from batchscan.enums import FailReason, RejectReason
from batchscan.images import kinds
from batchscan.images.conversion.decode import decode
from batchscan.images.conversion.recipe import (
    CannotConvert,
    CheckSize,
    Converted,
    TooManyPixels,
    to_jpeg,
)
from batchscan.images.decoding import raw_files
from batchscan.images.decoding.messages import DecoderReply, DecoderRequest
from batchscan.images.kinds import ImageFormat
from batchscan.images.likeness import fingerprint
from batchscan.images.metadata import ifd
from batchscan.images.metadata.exif import exif_of
from batchscan.images.metadata.provenance import exif_of_raw, of_info, taken_exactly
from batchscan.images.preview import read_provenance
from batchscan.images.raw_rules import judge_raw
from batchscan.images.rules import Rules, RuleViolation
from batchscan.images.thumbnail import thumbnail
from batchscan.model import Provenance

_LIBRARIES: Final = {
    kinds.HEIC: ("pillow-heif",),
    kinds.JXL: ("pylibjxl",),
}
_LIMIT_OF_COUNTS: Final = "security limit"
_MEMORY_WORDS: Final = ("memory", "alloc")


def convert(
    request: DecoderRequest, file: BinaryIO, admit: Callable[[int], None]
) -> tuple[DecoderReply, bytes]:
    """Make the JPEG to send from one file; an error with the file is part of the reply.

    Args:
        request: the request.
        file: the picture, seekable.
        admit: called with the number of pixels before they are decoded; may wait.
    """
    kind = kinds.BY_NAME[request.kind]
    size: tuple[int, int] | None = None

    def check_size(width: int, height: int) -> None:
        nonlocal size
        size = size or (width, height)
        if not 0 < width * height <= request.max_pixels:
            raise TooManyPixels(width, height, request.max_pixels)
        admit(width * height)

    try:
        converted, provenance, taken = _convert(kind, request, file, check_size)
    except RuleViolation as unfit:
        return _failed(unfit.reason, unfit.detail, unfit.size or size), b""
    except TooManyPixels as error:
        return _failed(RejectReason.TOO_MANY_PIXELS, str(error), size), b""
    except CannotConvert as error:
        detail = f"this is {kind.label}, which cannot be sent: {error}"
        return _failed(RejectReason.UNSUPPORTED_FORMAT, detail, size), b""
    # The decoders' boundary: the exceptions that they raise for damaged files are undocumented.
    except Exception as error:  # noqa: BLE001
        return _of_decoder(error, size), b""
    width, height = size or (converted.width, converted.height)
    reply = DecoderReply(
        width=width,
        height=height,
        sent_width=converted.width,
        sent_height=converted.height,
        warnings=converted.warnings,
        bytes=len(converted.data),
        made_with=_made_with(kind),
        provenance=provenance,
        taken=taken,
    )
    return reply, converted.data


def make_fingerprint(
    request: DecoderRequest, file: BinaryIO, admit: Callable[[int], None]
) -> tuple[DecoderReply, bytes]:
    """Make a thumbnail and a fingerprint of one file; mostly pictures of other people.

    The file is converted like by `convert`, so that all pictures are compared in the same form.
    """
    reply, data = convert(request, file, admit)
    if reply.reason is not None:
        return reply, b""
    with Image.open(io.BytesIO(data)) as image:
        small = thumbnail(image)
        mark = fingerprint(image)
    return msgspec.structs.replace(reply, fingerprint=mark.hex(), bytes=len(small)), small


def _convert(
    kind: ImageFormat, request: DecoderRequest, file: BinaryIO, check_size: CheckSize
) -> tuple[Converted, Provenance, str]:
    warnings: list[str] = []
    if kind.group != "raw":
        decoded = decode(kind, file, check_size)
        taken = taken_exactly(exif_of(decoded.info))
        return to_jpeg(decoded), of_info(decoded.info), taken
    data = file.read()
    if request.check_raw:
        report = raw_files.examine(data, unpack=request.unpack, max_pixels=request.max_pixels)
        rules = Rules(max_pixels=request.max_pixels)
        _, warnings = judge_raw(report, ifd.sensor(data), len(data), rules)
    converted = to_jpeg(decode(kind, io.BytesIO(data), check_size))
    with_warnings = replace(converted, warnings=(*warnings, *converted.warnings))
    return with_warnings, read_provenance(kind.format, data), taken_exactly(exif_of_raw(data))


def _made_with(kind: ImageFormat) -> str:
    """The programs and versions with which the same bytes can be made again."""
    names = ["batchscan", "pillow", *_LIBRARIES.get(kind, ())]
    if kind.group == "raw":
        names.append("rawpy")
    return ", ".join(f"{name} {_version(name)}" for name in names)


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def _of_decoder(error: Exception, size: tuple[int, int] | None) -> DecoderReply:
    text = raw_files.error_name(error)
    if size is None and _LIMIT_OF_COUNTS in text.lower():
        # libheif's error for a file that claims a thousand times the usual number of parts.
        return _failed(RejectReason.CORRUPT, f"its header cannot be read: {text.strip()}", size)
    if isinstance(error, raw_files.NO_MEMORY) or any(
        word in text.lower() for word in _MEMORY_WORDS
    ):
        if size is None:
            return _failed(FailReason.CHECK_FAILED, "the decoder ran out of memory", size)
        detail = f"{size[0]}x{size[1]} needs more memory than a decoder may use: scale it down"
        return _failed(RejectReason.TOO_MANY_PIXELS, detail, size)
    if isinstance(error, UnidentifiedImageError):  # its message names an address in memory
        text = "it is damaged, or of a kind that no installed decoder can read"
    detail = f"its pixels cannot be decoded: {text or type(error).__name__}"
    return _failed(RejectReason.CORRUPT, detail, size)


def _failed(
    reason: RejectReason | FailReason, detail: str, size: tuple[int, int] | None
) -> DecoderReply:
    width, height = size or (None, None)
    return DecoderReply(reason=reason, detail=detail[:2_000], width=width, height=height)

"""Parsing the form of a check, and checking its picture against the vendor's limits."""

from __future__ import annotations

import hashlib
import itertools
import re
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from batchscan.emulator import bodies
from batchscan.emulator.bodies import HttpReply
from batchscan.images import headers, kinds
from batchscan.images.bare import bare_copies
from batchscan.images.file_name import extension_of
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata import ifd
from batchscan.images.raster import open_raster
from batchscan.images.rules import Size
from batchscan.images.signature import HEAD_BYTES, sniff

# The widest rule in the vendor's tables; upper case is in none but the oldest.
SCAN_ID = re.compile(r"""[a-z0-9 !@$^&\-+%=_(){}<>';:/.",~`|]{3,36}""")
_FORM = 100_000  # bytes that a form may have besides its picture
_MAX_NAME = 255
_TEXTS = ("filename", "sandbox", "developerPayload")


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A complete form."""

    image: bytes = field(repr=False)
    sha256: str
    file_name: str
    sandbox: bool
    payload: str | None


class BadUpload(Exception):
    """The form or its picture is refused; has the response."""

    def __init__(self, reply: HttpReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def read_upload(request: web.Request, max_bytes: int) -> UploadForm:
    """Read a check's form; unknown parts are ignored.

    Raises:
        BadUpload: it is not a valid form.
    """
    _check_headers(request, max_bytes)
    images: list[tuple[bytes, str]] = []
    texts: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            data = bytes(await part.read())
            if part.name == "image":
                images.append((data, part.filename or ""))
            elif part.name in _TEXTS:
                texts[part.name] = data.decode()
    except (ValueError, HttpProcessingError) as error:
        raise _refusal(400, 1, "The form cannot be read.") from error
    return _upload(images, texts)


def _check_headers(request: web.Request, max_bytes: int) -> None:
    if request.content_length is None:
        raise _refusal(411, 22, "The size of the file cannot be determined.")
    if request.content_type != "multipart/form-data":
        raise _refusal(415, 20, "Only MIME multipart is accepted.")
    if request.content_length > max_bytes + _FORM:
        raise _too_large(request.content_length)


def _upload(images: list[tuple[bytes, str]], texts: dict[str, str]) -> UploadForm:
    if not images:
        raise _refusal(400, 1, "The image field is required.")
    if len(images) > 1:
        raise _refusal(400, 21, "Only one file an upload is accepted.")
    data, part_name = images[0]
    name = texts.get("filename") or part_name
    if len(name) > _MAX_NAME or not name:
        raise _refusal(400, 24, "The filename is not valid.")
    sandbox = texts.get("sandbox", "false").strip().lower() == "true"
    sha256 = hashlib.sha256(data).hexdigest()
    return UploadForm(data, sha256, name, sandbox, texts.get("developerPayload"))


def measure(upload: UploadForm, max_bytes: int, max_pixels: int) -> tuple[ImageFormat, Size]:
    """The kind and size of a picture, by its header and, for ambiguous headers, its name.

    Raises:
        BadUpload: the service does not accept it.
    """
    data = upload.image
    if len(data) >= max_bytes:
        raise _too_large(len(data))
    if not data:
        raise _refusal(400, 14, "The file is empty.")
    kind = sniff(data[:HEAD_BYTES])
    if kind is kinds.TIFF:
        named = kinds.TIFF_RAWS.get(extension_of(upload.file_name))
        kind = kinds.DNG if ifd.is_dng(ifd.reads_bytes(data)) else named
    if kind is None or kind.group not in ("raster", "raw"):
        raise _refusal(415, 10, "The file type is not supported.")
    size = _raw_size(data) if kind.group == "raw" else _raster_size(kind, data)
    if size.pixels > max_pixels:
        raise _refusal(413, 6, f"The image has {size.pixels} pixels; {max_pixels} are allowed.")
    return kind, size


def invalid_file() -> BadUpload:
    """The refusal of a picture that cannot be decoded."""
    return _refusal(400, 14, "The file is not a valid image.")


def _raster_size(kind: ImageFormat, data: bytes) -> Size:
    claimed = headers.claimed_size(kind, data)
    if claimed is not None:
        return claimed
    for copy in itertools.chain((data,), bare_copies(kind, data)):
        # The decoders' boundary: Pillow raises what it likes on hostile bytes.
        with suppress(Exception):
            return Size(*open_raster(kind, copy).size)
    raise invalid_file()


def _raw_size(data: bytes) -> Size:
    """The size by the TIFF structure of most camera RAW files; 0 x 0 without one."""
    picture = ifd.main_picture(ifd.directories(ifd.reads_bytes(data)))
    return Size(picture.width, picture.height) if picture else Size(0, 0)


def _too_large(size: int) -> BadUpload:
    return _refusal(413, 6, f"The file is too large: {size} bytes.")


def _refusal(status: int, code: int, message: str) -> BadUpload:
    return BadUpload(bodies.error(status, code, message))

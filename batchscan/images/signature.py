"""Recognizing files by their first bytes, and pictures by their names."""

from __future__ import annotations

import re
import struct
from typing import Final

from batchscan.images import kinds
from batchscan.images.kinds import ImageFormat

HEAD_BYTES: Final = 512
"""How many of a file's first bytes `sniff` wants; fewer will do."""

_RARE_NAMES: Final = frozenset({".jpe", ".jfif", ".jif", ".mpo", ".apng", ".dib", ".rle"})

SEEN_EXTENSIONS: Final[frozenset[str]] = (
    frozenset(extension for kind in kinds.RASTERS for extension in kind.extensions)
    | _RARE_NAMES
    | kinds.RAW_EXTENSIONS
    | frozenset(kinds.UNSUPPORTED_BY_EXTENSION)
)
"""Extensions of pictures, whether the service takes that kind or not: lower-case, with the dot."""

# The longer of two signatures that begin alike comes first.
_SIGNATURES: Final[tuple[tuple[bytes, ImageFormat], ...]] = (
    (b"\xff\xd8\xff", kinds.JPEG),
    (b"\x89PNG\r\n\x1a\n", kinds.PNG),
    (b"GIF87a", kinds.GIF),
    (b"GIF89a", kinds.GIF),
    (b"FUJIFILMCCD-RAW", kinds.RAF),
    (b"IIRO", kinds.ORF),
    (b"IIRS", kinds.ORF),
    (b"MMOR", kinds.ORF),
    (b"IIU\0", kinds.RW2),
    (b"\0MRM", kinds.MRW),
    (b"FOVb", kinds.X3F),
    (b"II*\0", kinds.TIFF),
    (b"MM\0*", kinds.TIFF),
    (b"II+\0", kinds.TIFF),
    (b"MM\0+", kinds.TIFF),
    (b"8BPS", kinds.PSD),
    (b"\0\0\0\x0cJXL \r\n\x87\n", kinds.JXL),
    (b"\xff\x0a", kinds.JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", kinds.JP2),
    (b"\xffO\xffQ", kinds.JP2),
    (b"II\xbc\x01", kinds.JXR),
    (b"icns", kinds.ICNS),
    (b"gimp xcf ", kinds.XCF),
    (b"v/1\x01", kinds.EXR),
    (b"#?RADIANCE", kinds.HDR),
    (b"#?RGBE", kinds.HDR),
    (b"qoif", kinds.QOI),
    (b"BPG\xfb", kinds.BPG),
    (b"DDS ", kinds.DDS),
    (b"AT&TFORM", kinds.DJVU),
    (b"\x8aMNG\r\n\x1a\n", kinds.MNG),
    (b"\x8bJNG\r\n\x1a\n", kinds.MNG),
    (b"\x59\xa6\x6a\x95", kinds.RAS),
    (b"\x01\xda\0", kinds.SGI),
    (b"\x01\xda\x01", kinds.SGI),
    (b"\xd7\xcd\xc6\x9a", kinds.WMF),
    (b"/* XPM */", kinds.XPM),
    (b"%!PS", kinds.EPS),
    (b"\xc5\xd0\xd3\xc6", kinds.EPS),
    (b"%PDF-", kinds.PDF),
)

# Brands of ISO base media files (ISO/IEC 14496-12), at offset 8 behind "ftyp".
_BRANDS: Final = {
    b"crx ": kinds.CR3,
    b"avif": kinds.AVIF,
    b"avis": kinds.AVIF,
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), kinds.HEIC
    ),
}
_BITMAP_HEADERS: Final = range(12, 0x10000)  # bytes; 124 in the newest version
_OS2_PARTS: Final = (b"BM", b"CI", b"IC", b"CP", b"PT")

_ICON_BYTES: Final = 1 << 28  # no icon is larger

_PCX: Final = re.compile(rb"\n[\0\2\3\4\5][\0\1][\1\2\4\x08]", re.DOTALL)
_NETPBM: Final = re.compile(rb"P[1-7Ff][ \t\r\n]")

_HINTS: Final = (
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself"),
    (b"<!doctype html", "an HTML page: a failed download?"),
    (b"<html", "an HTML page: a failed download?"),
    (b"{", "JSON or other text: a failed download?"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
)


def sniff(head: bytes) -> ImageFormat | None:
    """The format of a file by its first `HEAD_BYTES`; None if it is not known.

    A TIFF may be camera RAW: its head does not show it (`kinds.TIFF_RAWS`).
    """
    if head[:4] in (b"II*\0", b"MM\0*") and head[8:10] == b"CR":
        return kinds.CR2
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    for magic, kind in _SIGNATURES:
        if head.startswith(magic):
            return kind
    for recognise in (_riff, _bitmap, _icon, _metafile, _crw, _netpbm, _pcx, _svg):
        if recognised := recognise(head):
            return recognised
    return None


def hint(head: bytes) -> str:
    """What is known of a file that is not a picture, for messages."""
    return guess(head) or "no picture's signature in its first bytes"


def guess(head: bytes) -> str | None:
    """A guess what a file that is not a picture is, for messages; None without one."""
    if head[4:8] == b"ftyp":
        return "a video"
    start = head.lstrip().lower()
    for magic, what in _HINTS:
        if start.startswith(magic):
            return what
    return None


def is_icon_directory(head: bytes) -> bool:
    """Whether the four bytes of an icon or cursor are followed by a valid directory.

    Many binaries begin with these bytes, so this is checked if the name is not that of an icon.
    """
    if head[:4] == b"RIFF":
        return True
    count = int.from_bytes(head[4:6], "little")
    entries = [head[at : at + 16] for at in range(6, min(6 + 16 * count, len(head) - 15), 16)]
    return bool(entries) and all(_is_icon_entry(entry, 6 + 16 * count) for entry in entries)


def _is_icon_entry(entry: bytes, least: int) -> bool:
    size, offset = struct.unpack("<II", entry[8:])
    return entry[3] in (0, 0xFF) and 0 < size <= _ICON_BYTES and least <= offset <= _ICON_BYTES


def _riff(head: bytes) -> ImageFormat | None:
    if head[:4] != b"RIFF":
        return None
    return {b"WEBP": kinds.WEBP, b"ACON": kinds.CUR}.get(head[8:12])


def _bitmap(head: bytes) -> ImageFormat | None:
    # Two letters alone would make pictures of texts: the header's size is small in every version.
    start = head[:2]
    if start == b"BA" and head[14:16] in _OS2_PARTS:
        return kinds.OS2
    header = int.from_bytes(head[14:18].ljust(4, b"\xff"), "little")
    if start not in _OS2_PARTS or header not in _BITMAP_HEADERS:
        return None
    return kinds.BMP if start == b"BM" else kinds.OS2


def _icon(head: bytes) -> ImageFormat | None:
    # A count of none is a TGA's empty colour map, not an icon; a bare magic is a cut icon.
    if head[4:6] == b"\0\0":
        return None
    return {b"\0\0\1\0": kinds.ICO, b"\0\0\2\0": kinds.CUR}.get(head[:4])


def _metafile(head: bytes) -> ImageFormat | None:
    return kinds.WMF if head[:4] == b"\1\0\0\0" and head[40:44] == b" EMF" else None


def _crw(head: bytes) -> ImageFormat | None:
    return kinds.CRW if head[:2] in (b"II", b"MM") and head[6:14] == b"HEAPCCDR" else None


def _netpbm(head: bytes) -> ImageFormat | None:
    return kinds.PNM if _NETPBM.match(head) else None


def _pcx(head: bytes) -> ImageFormat | None:
    return kinds.PCX if _PCX.match(head) else None


def _svg(head: bytes) -> ImageFormat | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return kinds.SVG if text.startswith(b"<") and b"<svg" in text else None

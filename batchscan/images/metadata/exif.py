"""Reading EXIF blocks and the metadata of TIFF-based camera RAW files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batchscan.images.metadata import ifd
from batchscan.images.metadata.ifd import Directory


class Exif:
    """The values of the first directory, and of the EXIF directory that it points to."""

    def __init__(self, data: bytes) -> None:
        """Parse; damaged parts are ignored, and nothing is raised."""
        read = ifd.reads_bytes(data.removeprefix(b"Exif\0\0"))
        self._directories = _with_inner(next(ifd.chain(read, 1), None))

    @classmethod
    def of_page(cls, page: Directory) -> Exif:
        """The metadata of one page of a TIFF file."""
        exif = cls(b"")
        exif._directories = _with_inner(page)
        return exif

    def text(self, tag: int) -> bytes:
        """A value's bytes, empty without one."""
        return next(
            (directory.value(tag) for directory in self._directories if tag in directory), b""
        )

    def number(self, tag: int) -> int:
        """A value as an integer, 0 without one."""
        return next(
            (directory.first(tag) for directory in self._directories if tag in directory), 0
        )


def exif_of(info: Mapping[Any, Any]) -> Exif:
    """The EXIF among what a decoder found: bytes, or read already."""
    exif = info.get("exif")
    if isinstance(exif, Exif):
        return exif
    return Exif(exif if isinstance(exif, bytes) else b"")


def _with_inner(outer: Directory | None) -> list[Directory]:
    if outer is None:
        return []
    inner = ifd.directory_at(outer.read, outer.first(ifd.EXIF_DIRECTORY))
    return [outer] if inner is None else [outer, inner]

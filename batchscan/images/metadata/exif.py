"""What a block of EXIF, or a TIFF-based camera RAW file, says of its picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batchscan.images.metadata import ifd
from batchscan.images.metadata.ifd import Directory


class Exif:
    """The values of the first directory, and of the EXIF directory that it points to."""

    def __init__(self, data: bytes) -> None:
        """Read; what is damaged is as if it were not there, and nothing is raised."""
        read = ifd.reads_bytes(data.removeprefix(b"Exif\0\0"))
        self._directories = _with_inner(next(ifd.chain(read, 1), None))

    @classmethod
    def of_page(cls, page: Directory) -> Exif:
        """What one page of a TIFF file says."""
        found = cls(b"")
        found._directories = _with_inner(page)
        return found

    def text(self, tag: int) -> bytes:
        """A value's bytes, empty where there is none."""
        return next((each.value(tag) for each in self._directories if tag in each), b"")

    def number(self, tag: int) -> int:
        """A value as a whole number, 0 where there is none."""
        return next((each.first(tag) for each in self._directories if tag in each), 0)


def exif_of(info: Mapping[Any, Any]) -> Exif:
    """The EXIF among what a decoder found: bytes, or read already."""
    found = info.get("exif")
    if isinstance(found, Exif):
        return found
    return Exif(found if isinstance(found, bytes) else b"")


def _with_inner(outer: Directory | None) -> list[Directory]:
    if outer is None:
        return []
    inner = ifd.directory_at(outer.read, outer.first(ifd.EXIF_DIRECTORY))
    return [outer] if inner is None else [outer, inner]

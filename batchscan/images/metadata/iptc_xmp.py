"""Reading IPTC fields (IIM 4.2: datasets with number and length) and XMP properties.

Pillow's IPTC reader is not used: one damaged dataset makes it lose all those before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from xml.parsers import expat

CREATED: Final = (2, 55)
BY_LINE: Final = (2, 80)
CREDIT: Final = (2, 110)
COPYRIGHT: Final = (2, 116)

_HEADER: Final = struct.Struct(">BBBH")
_MARK: Final = 0x1C
_EXTENDED: Final = (
    0x8000  # the rest is the number of bytes that hold the length; no text is so long
)


def datasets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record, number and bytes of each dataset, up to the first damaged one."""
    position = 0
    while position + _HEADER.size <= len(data):
        mark, record, number, length = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        if mark != _MARK or length & _EXTENDED:
            return
        yield (record, number), data[position : position + length]
        position += length


MAX_LENGTH: Final = 1_000_000
"""Bytes that are read: packets of real pictures have a tenth of that."""

CREATOR: Final = "http://purl.org/dc/elements/1.1/ creator"
RIGHTS: Final = "http://purl.org/dc/elements/1.1/ rights"
XMP_CREDIT: Final = "http://ns.adobe.com/photoshop/1.0/ Credit"
XMP_CREATED: Final = "http://ns.adobe.com/photoshop/1.0/ DateCreated"

_WANTED: Final = frozenset({CREATOR, RIGHTS, XMP_CREDIT, XMP_CREATED})
_ITEM: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# li"


class _StopReading(Exception):
    """Ends the reading."""


def properties(data: bytes) -> dict[str, list[str]]:
    """The values of each wanted property, up to the first error."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    with suppress(
        expat.ExpatError, _StopReading, ValueError, LookupError
    ):  # the last: odd encodings
        parser.Parse(data[:MAX_LENGTH].rstrip(b"\0"), True)
    return reader.values


def _refuse(*_: object) -> None:
    raise _StopReading


class _Reader:
    """Collects texts: a property is an attribute, an element, or the items in an element."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self._inside: str | None = None  # the property
        self._depth = 0  # below it
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        for key in _WANTED & attributes.keys():
            self._keep(key, attributes[key])
        if self._inside is not None:
            self._depth += 1
        elif name in _WANTED:
            self._inside = name
        if name == _ITEM or self._depth == 0:
            self._text.clear()

    def text(self, text: str) -> None:
        if self._inside is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        if self._inside is None:
            return
        if name == _ITEM or self._depth == 0:
            self._keep(self._inside, "".join(self._text))
            self._text.clear()
        if self._depth == 0:
            self._inside = None
        else:
            self._depth -= 1

    def _keep(self, name: str, text: str) -> None:
        if text.strip():
            self.values.setdefault(name, []).append(text)

"""The XMP fields of a picture, read so that hostile XML can do nothing.

A document type is refused, so no entity can be declared and none is ever expanded or fetched
(what `defusedxml` does for other parsers). Nothing is built but the few texts that are wanted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from xml.parsers import expat

LONGEST: Final = 1_000_000
"""Bytes that are read: packets of real pictures have a tenth of that."""

CREATOR: Final = "http://purl.org/dc/elements/1.1/ creator"
RIGHTS: Final = "http://purl.org/dc/elements/1.1/ rights"
CREDIT: Final = "http://ns.adobe.com/photoshop/1.0/ Credit"
CREATED: Final = "http://ns.adobe.com/photoshop/1.0/ DateCreated"

_WANTED: Final = frozenset({CREATOR, RIGHTS, CREDIT, CREATED})
_ITEM: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# li"


class _Refused(Exception):
    """Ends the reading."""


def properties(data: bytes) -> dict[str, list[str]]:
    """Read the values of each property that is wanted; up to the fault, if there is one."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    with suppress(expat.ExpatError, _Refused, ValueError, LookupError):  # the last: odd encodings
        parser.Parse(data[:LONGEST].rstrip(b"\0"), True)
    return reader.found


def _refuse(*_: object) -> None:
    raise _Refused


class _Reader:
    """Collects texts: a property is an attribute, an element, or the items in an element."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
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
            self.found.setdefault(name, []).append(text)

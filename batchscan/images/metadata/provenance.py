"""Creator and rights of a picture from its own EXIF, IPTC and XMP: claims, not proofs.

EXIF comes before IPTC, and IPTC before XMP. Nothing is raised for any bytes, and texts are cut.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from batchscan.images.metadata import ifd, iptc_xmp
from batchscan.images.metadata.exif import Exif, exif_of
from batchscan.model import Provenance

MAX_LENGTH: Final = 500
"""Characters of a field."""

_BYTES: Final = 8 * MAX_LENGTH  # that are looked at: four a character, and room for what is trimmed
_PHOTOSHOP_IPTC: Final = 0x0404  # the resource of a JPEG that holds IPTC
_RAF_PREVIEW: Final = slice(84, 92)  # where a Fuji RAF's JPEG is, and how long it is
_RAF: Final = b"FUJIFILMCCD-RAW"
_FRACTION: Final = 9  # digits of a second
_CR3_HEAD: Final = 1_000_000  # bytes in which a Canon CR3 has its two EXIF directories
_CR3_BOXES: Final = (b"CMT1", b"CMT2")


def of_info(info: Mapping[Any, Any]) -> Provenance:
    """Read the metadata that Pillow found in a JPEG, PNG, GIF or WebP."""
    photoshop = info.get("photoshop")
    resource = photoshop.get(_PHOTOSHOP_IPTC) if isinstance(photoshop, dict) else None
    return _first(
        _of_exif(exif_of(info)),
        _of_iptc(_bytes(resource)),
        _of_xmp(_bytes(info.get("xmp"))),
    )


def of_raw(data: bytes) -> Provenance:
    """Read the metadata of a camera RAW file, if its format is known."""
    if data[4:12] == b"ftypcrx ":
        places = [data.find(name, 0, _CR3_HEAD) for name in _CR3_BOXES]
        return _first(*(_of_exif(Exif(data[at + 4 : at + _CR3_HEAD])) for at in places if at > 0))
    exif = Exif(data)
    return _first(_of_exif(exif), _of_iptc(exif.text(ifd.IPTC)), _of_xmp(exif.text(ifd.XMP)))


def taken_exactly(exif: Exif) -> str:
    """The time of exposure with fractions of a second; "" without both.

    Zeros do not count: cameras without a clock write them, and many without fractions do, so that
    all frames of a burst would have the same time.
    """
    moment, fraction = (exif.text(tag).strip(b"\0 ") for tag in (ifd.TAKEN, ifd.TAKEN_FRACTION))
    digits = fraction.rstrip(b"0")
    if not (moment.strip(b"0: ") and digits.isdigit() and len(fraction) <= _FRACTION):
        return ""
    return f"{_text(moment)}.{digits.decode()}"


def exif_of_raw(data: bytes) -> Exif:
    """The EXIF of a camera RAW file with the time of exposure, if its format is known."""
    preview = raf_preview(data)
    if preview:
        at = preview.find(b"Exif\0\0")
        return Exif(preview[at:] if at >= 0 else b"")
    if data[4:12] == b"ftypcrx ":
        at = data.find(b"CMT2", 0, _CR3_HEAD)
        return Exif(data[at + 4 : at + _CR3_HEAD] if at > 0 else b"")
    return Exif(data)


def raf_preview(data: bytes) -> bytes | None:
    """The JPEG in a Fuji RAF, which holds the file's metadata; None in other files."""
    if not data.startswith(_RAF):
        return None
    place = data[_RAF_PREVIEW].ljust(8, b"\0")
    start, length = int.from_bytes(place[:4], "big"), int.from_bytes(place[4:], "big")
    return data[start : start + length]


def _of_exif(exif: Exif) -> Provenance:
    # A copyright may hold the photographer's and, behind a NUL, the editor's.
    return Provenance(
        creator=_text(exif.text(ifd.ARTIST)),
        copyright=_joined(exif.text(ifd.COPYRIGHT).split(b"\0", 2)[:2]),
        created=_text(exif.text(ifd.TAKEN)),
    )


def _of_iptc(data: bytes) -> Provenance:
    values: dict[tuple[int, int], list[bytes]] = {}
    for key, value in iptc_xmp.datasets(data):
        values.setdefault(key, []).append(value)
    return Provenance(
        creator=_joined(values.get(iptc_xmp.BY_LINE, ())),
        copyright=_joined(values.get(iptc_xmp.COPYRIGHT, ())[:1]),
        credit=_joined(values.get(iptc_xmp.CREDIT, ())[:1]),
        created=_joined(values.get(iptc_xmp.CREATED, ())[:1]),
    )


def _of_xmp(data: bytes) -> Provenance:
    properties = iptc_xmp.properties(data) if data else {}
    return Provenance(
        creator=_joined(properties.get(iptc_xmp.CREATOR, ())),
        copyright=_joined(properties.get(iptc_xmp.RIGHTS, ())[:1]),  # the others are translations
        credit=_joined(properties.get(iptc_xmp.XMP_CREDIT, ())[:1]),
        created=_joined(properties.get(iptc_xmp.XMP_CREATED, ())[:1]),
    )


def _first(*provenances: Provenance) -> Provenance:
    """Merge: for each field the first value."""
    return Provenance(
        *(
            next((value for one in provenances if (value := getattr(one, name))), None)
            for name in ("creator", "copyright", "credit", "created")
        )
    )


def _joined(texts: Iterable[bytes | str]) -> str | None:
    return _cut("; ".join(value for text in texts if (value := _text(text))))


def _text(value: bytes | str) -> str | None:
    """Decode and clean: one line, no NULs or control characters."""
    text = _decoded(value.partition(b"\0")[0]) if isinstance(value, bytes) else value[:_BYTES]
    plain = (" " if unicodedata.category(char) == "Cc" else char for char in text)
    return _cut(" ".join("".join(plain).split()))


def _cut(text: str) -> str | None:
    return text[:MAX_LENGTH].strip() or None


def _decoded(data: bytes) -> str:
    """UTF-8, and else Latin-1, which can be anything."""
    some = data[:_BYTES]
    complete = len(some) == len(data)  # or the cut may have gone through a character
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(some, complete)
    except UnicodeDecodeError:
        return some.decode("latin-1")


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""

"""By what pictures are found to be versions of one, and how alike two are."""

from __future__ import annotations

from typing import NamedTuple


class Fingerprint(NamedTuple):
    """What a picture's other versions are found by (`renditions`)."""

    hash: bytes  # 32 bytes; alike pictures differ in few bits
    detail: float  # mean step between neighbouring grey values; a blank picture has 0
    width: int  # of the whole picture, upright, in pixels
    height: int
    taken: str = ""  # when, with fractions of a second; "" where the file does not say
    thumbnail: bytes = b""  # 48 x 48 x 3 values and a close-up, for a second look; not kept


class CoveredBy(NamedTuple):
    """The answered version of a picture that is not asked about, and how alike the two are."""

    path: str  # of the file that was asked about
    sha256: str
    distance: int  # bits of 256 in which their hashes differ
    difference: int  # the largest of any channel of their 48 x 48 thumbnails, 0 to 255
    rule: str  # that says they are one picture: "v1", "raw" or "joined"

"""Fingerprints by which versions of one picture are found, and how alike two of them are."""

from __future__ import annotations

from typing import Final, NamedTuple

RAW_RULE: Final = "raw"
"""The rule of two files of one shot: a RAW or HEIC and its JPEG."""

JOINED_RULE: Final = "joined"
"""The rule of two files of which people say that they are one picture."""

SAME_FILE: Final = "same"
"""The rule of two files with the same content: a twin is no version."""


class Fingerprint(NamedTuple):
    """The features by which versions of one picture are found (`batchscan.renditions`)."""

    hash: bytes  # 32 bytes; similar pictures differ in few bits
    detail: float  # mean step between neighbouring grey values; a blank picture has 0
    width: int  # of the whole picture, upright, in pixels
    height: int
    taken: str = ""  # time of exposure with fractions of a second; "" if the file has none
    thumbnail: bytes = b""  # 48 x 48 x 3 values and a close-up, to confirm a match; not stored


class Tie(NamedTuple):
    """Two files are one picture."""

    distance: int
    difference: int
    rule: str


class CoveredBy(NamedTuple):
    """The answered version of a picture that was not sent, and how alike the two are."""

    path: str  # of the file that was sent
    sha256: str
    distance: int  # bits of 256 in which their hashes differ
    difference: int  # the largest of any channel of their 48 x 48 thumbnails, 0 to 255
    rule: str  # by which they are one picture: "v1", "raw" or "joined"

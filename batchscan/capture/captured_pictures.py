"""Thumbnails of other people's pictures, made in a decoder process, and their likeness."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from PIL import Image

from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import FileSource
from batchscan.images.kinds import JPEG
from batchscan.images.likeness import fingerprint, likeness
from batchscan.images.rules import RuleViolation
from batchscan.images.signature import HEAD_BYTES, sniff
from batchscan.ledger.recheck_types import Reference

EDGE: Final = 512
"""Pixels that neither side has more of."""

_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class FingerprintedPreview:
    """Thumbnail and fingerprint of a picture, as stored in the ledger."""

    jpeg: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)  # by which pictures are compared


class Shares(NamedTuple):
    """How alike a picture is to others, each 0 to 1; None without one to compare with."""

    first: float | None  # to their picture as first fetched
    ours: float | None  # to our picture


def make_preview(data: bytes, decoders: Decoders) -> FingerprintedPreview | None:
    """Make a thumbnail of an untrusted picture; blocking. None if it cannot be decoded.

    Its bytes are decoded in a decoder process only.
    """
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        return None
    try:
        converted = decoders.convert(kind, FileSource(data), check_raw=kind.group == "raw")
    except RuleViolation:
        return None
    with Image.open(io.BytesIO(converted.data), formats=("JPEG",)) as image:
        mark = fingerprint(image)
    with Image.open(io.BytesIO(converted.data), formats=("JPEG",)) as image:
        image.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
        small = io.BytesIO()
        image.convert("RGB").save(small, "JPEG", quality=_QUALITY, optimize=True)
    return FingerprintedPreview(small.getvalue(), mark)


def compare(mark: bytes, sha256: bytes, reference: Reference, decoders: Decoders) -> Shares:
    """Compare their picture with the one first fetched there, and with ours; blocking.

    Args:
        mark: its fingerprint.
        sha256: of its bytes: identical bytes need no comparison.
        reference: what it is compared with.
        decoders: processes in which our thumbnail is decoded.
    """
    same, ours = sha256 == reference.sha256, sha256 == reference.our_sha256
    return Shares(
        1.0 if same else likeness(mark, reference.fingerprint),
        1.0 if ours else _likeness_to_ours(mark, reference.ours, decoders),
    )


def _likeness_to_ours(mark: bytes, ours: bytes | None, decoders: Decoders) -> float | None:
    if ours is None:
        return None
    try:
        return likeness(mark, decoders.fingerprint(JPEG, ours).fingerprint)
    except RuleViolation:
        return None

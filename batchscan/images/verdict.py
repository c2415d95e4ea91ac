"""What a judge says of a file's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from batchscan.names import FailReason, RejectReason

EXTENSION_MISMATCH = "extension_mismatch"
MISSING_END_MARKER = "missing_end_marker"
METADATA_DAMAGED = "metadata_damaged"
ANIMATED = "animated"
LATER_FRAMES_DAMAGED = "later_frames_damaged"
LATER_FRAMES_UNCHECKED = "later_frames_unchecked"
RAW_UNDECODABLE = "raw_undecodable"


class Size(NamedTuple):
    """Width and height in pixels; of an animation one frame, of an icon the largest entry."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height: what the service's limit speaks of."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service takes these bytes, or a JPEG made of them.

    A warning is a stable word, or `word: detail`. A size of 0 x 0 is not known before decoding.
    """

    kind: str  # `Kind.name`
    format: str
    content_type: str
    extension: str  # fits the content, lower-case with its dot; the name's own where that fits
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    convert: bool = False  # it is the JPEG that the service takes


@dataclass(frozen=True, slots=True)
class Refused:
    """These bytes will not be sent; what was learned before the refusal is kept."""

    reason: RejectReason | FailReason
    detail: str
    format: str | None = None
    width: int | None = None
    height: int | None = None


Verdict: TypeAlias = Accepted | Refused


class Unfit(Exception):
    """Raised by a rule that a picture breaks; a `Judge` turns it into `Refused`."""

    def __init__(
        self, reason: RejectReason | FailReason, detail: str, size: Size | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.size = size

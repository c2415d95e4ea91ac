"""The rules that pictures are judged by, their fingerprint for the ledger, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Final, NamedTuple, TypeAlias

from batchscan.enums import FailReason, RejectReason
from batchscan.model import Stat
from batchscan.rendition_types import Fingerprint
from batchscan.settings.model import Check, Scan, Send

RULES_VERSION = 2
"""Raised whenever a change of this package changes a verdict: rejected files are judged again."""

CONVERSION_VERSION = 1
"""The same for conversions: files that could not be converted are tried again."""

NEVER = "never"
"""Ends the fingerprint of rejections that were made without any conversion."""


MAX_DECODED_PIXELS = 200_000_000
"""The most pixels of a picture to convert: more would not fit a decoder process's memory."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How closely to check, the limits of the service, and what to convert."""

    check: Check = "full"
    max_bytes: int = 20_000_000  # exclusive
    max_pixels: int = 75_000_000  # inclusive
    max_source_bytes: int = 4_000_000_000  # of a file that is converted
    convert: bool = False  # send a JPEG of what the service would refuse
    strip: bool = False  # send no metadata
    fingerprints: bool = False  # compute fingerprints to find versions

    @classmethod
    def of(cls, scan: Scan, send: Send) -> Rules:
        """The rules of the settings."""
        return cls(
            scan.check,
            scan.max_bytes,
            scan.max_pixels,
            max(scan.max_source_bytes, scan.max_bytes),
            convert=send.convert == "auto",
            strip=send.metadata == "strip",
            # A fast check decodes nothing, so it takes a reason to.
            fingerprints=scan.renditions == "cover"
            or (scan.renditions == "report" and scan.check == "full"),
        )

    @property
    def fingerprint(self) -> str:
        """Differs if the same bytes might get another verdict without conversion."""
        return f"{RULES_VERSION}-{self.check}-{self.max_bytes}-{self.max_pixels}"

    @property
    def conversion_fingerprint(self) -> str:
        """The same for verdicts that depend on the rules for conversions and installed decoders.

        It begins with `fingerprint`.
        """
        if not self.convert:
            return f"{self.fingerprint}-{NEVER}"
        decoders = "".join(f"-{name}" for name in optional_decoders())
        return (
            f"{self.fingerprint}-convert{CONVERSION_VERSION}-{self.max_source_bytes}"
            f"{'' if self.strip else '-keep'}{decoders}"
        )

    def limit(self, size: Size) -> None:
        """Check a picture's size against the pixel limit, before anything is decoded.

        Raises:
            RuleViolation: it has more pixels than the service takes.
        """
        if size.pixels > self.max_pixels:
            raise RuleViolation(
                RejectReason.TOO_MANY_PIXELS,
                f"{size} is {size.pixels:,} pixels; the service takes {self.max_pixels:,}: "
                "scale it down",
                size,
            )


@cache
def optional_decoders() -> tuple[str, ...]:
    """The decoders of the extra `formats` that are installed."""
    return tuple(name for name in ("pillow_heif", "pylibjxl") if find_spec(name) is not None)


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
        """Width times height."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service takes these bytes, or a JPEG made from them.

    A warning is a stable word, or `word: detail`. A size of 0 x 0 is not known before decoding.
    """

    kind: str  # `ImageFormat.name`
    format: str
    content_type: str
    extension: str  # lower-case with its dot; the name's own if it fits the content
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    convert: bool = False  # the service takes only a JPEG made from them
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class RejectedBytes:
    """These bytes will not be sent; with what is known of them."""

    reason: RejectReason | FailReason
    detail: str
    format: str | None = None
    width: int | None = None
    height: int | None = None


Verdict: TypeAlias = Accepted | RejectedBytes


class RuleViolation(Exception):
    """Raised if a picture breaks a rule; a `Judge` turns it into `RejectedBytes`."""

    def __init__(
        self, reason: RejectReason | FailReason, detail: str, size: Size | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.size = size


_MIB_LIMIT: Final = 20 * 1024 * 1024


class InspectionFailed(Exception):
    """Ends an inspection, with what is known of the file."""

    def __init__(
        self, reason: RejectReason | FailReason, detail: str, status: Stat | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status


def check_size(status: Stat, rules: Rules) -> None:
    """Check a file's size, before a byte is read.

    Raises:
        InspectionFailed: it is empty or too large.
    """
    if not status.size:
        raise InspectionFailed(RejectReason.EMPTY, "the file is empty", status)
    if status.size >= (rules.max_source_bytes if rules.convert else rules.max_bytes):
        raise too_large(status, rules)


def too_large(status: Stat, rules: Rules) -> InspectionFailed:
    """The error for a file that has too many bytes and is not converted."""
    return InspectionFailed(
        RejectReason.TOO_LARGE, _too_large(status.size, rules.max_bytes), status
    )


def _too_large(size: int, limit: int) -> str:
    detail = (
        f"{size / 1e6:.1f} MB ({size:,} bytes); the service takes less than {limit / 1e6:g} MB "
        f"({limit:,} bytes): scale it down or compress it more"
    )
    if limit <= size < _MIB_LIMIT:
        detail += (
            f". It is less than 20 MiB, which the service may mean: set scan.max_bytes to "
            f"{_MIB_LIMIT:,} to try"
        )
    return detail

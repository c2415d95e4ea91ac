"""The limits that pictures are judged by, and their fingerprint for the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from batchscan.images.verdict import Size, Unfit
from batchscan.names import RejectReason
from batchscan.settings.model import Check, Scan, Send

RULES_VERSION = 2
"""Raised whenever a change of this package changes a verdict: rejected files are judged again."""

CONVERSION_VERSION = 1
"""The same for conversions: what one could not be made of is tried again."""

NEVER = "never"
"""Ends the fingerprint of rejections that were made without any conversion."""


MAX_DECODED_PIXELS = 200_000_000
"""Of a picture that is converted: more would not fit the memory of a decoder process."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How closely to look, the service's limits, and what is made of what exceeds them."""

    check: Check = "full"
    max_bytes: int = 20_000_000  # a file of this size is too large already
    max_pixels: int = 75_000_000  # a picture of this size still passes
    max_source_bytes: int = 4_000_000_000  # of a file that is converted
    convert: bool = False  # what the service would refuse is sent as a JPEG
    strip: bool = False  # what is sent carries no metadata

    @classmethod
    def of(cls, scan: Scan, send: Send) -> Rules:
        """Take the rules out of the settings."""
        return cls(
            scan.check,
            scan.max_bytes,
            scan.max_pixels,
            max(scan.max_source_bytes, scan.max_bytes),
            convert=send.convert == "auto",
            strip=send.metadata == "strip",
        )

    @property
    def fingerprint(self) -> str:
        """Differs whenever the same bytes might get another verdict, conversions apart."""
        return f"{RULES_VERSION}-{self.check}-{self.max_bytes}-{self.max_pixels}"

    @property
    def conversion_fingerprint(self) -> str:
        """The same for rejections that a conversion might have avoided, or that one led to.

        It begins with the fingerprint. Decoders count: an installed one changes a verdict.
        """
        if not self.convert:
            return f"{self.fingerprint}-{NEVER}"
        decoders = "".join(f"-{name}" for name in optional_decoders())
        return (
            f"{self.fingerprint}-convert{CONVERSION_VERSION}-{self.max_source_bytes}"
            f"{'' if self.strip else '-keep'}{decoders}"
        )

    def limit(self, size: Size) -> None:
        """Hold a picture's size against the pixel limit, before anything is decoded.

        Raises:
            Unfit: it has more pixels than the service takes.
        """
        if size.pixels > self.max_pixels:
            raise Unfit(
                RejectReason.TOO_MANY_PIXELS,
                f"{size} is {size.pixels:,} pixels; the service takes {self.max_pixels:,}: "
                "scale it down",
                size,
            )


@cache
def optional_decoders() -> tuple[str, ...]:
    """The decoders of the extra `formats` that are installed."""
    return tuple(name for name in ("pillow_heif", "pylibjxl") if find_spec(name) is not None)

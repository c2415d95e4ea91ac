"""The limits that pictures are judged by, and their fingerprint for the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from batchscan.images.verdict import Size, Unfit
from batchscan.names import RejectReason
from batchscan.settings.model import Check, Scan

RULES_VERSION = 2
"""Raised whenever a change of this package changes a verdict: rejected files are judged again."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How closely to look, and the service's limits."""

    check: Check = "full"
    max_bytes: int = 20_000_000  # a file of this size is too large already
    max_pixels: int = 75_000_000  # a picture of this size still passes

    @classmethod
    def of(cls, scan: Scan) -> Rules:
        """Take the rules out of the settings."""
        return cls(scan.check, scan.max_bytes, scan.max_pixels)

    @property
    def fingerprint(self) -> str:
        """Differs whenever the same bytes might get another verdict."""
        return f"{RULES_VERSION}-{self.check}-{self.max_bytes}-{self.max_pixels}"

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

"""What a site itself answered about a match when it was asked last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from batchscan.enums import RecheckVerdict


class RecheckedPage(NamedTuple):
    """What a page of a match answered when it was asked last."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float  # seconds since 1970
    detail: str | None


@dataclass(frozen=True, slots=True)
class MatchRecheck:
    """What a match's picture answered when it was asked last, and its pages."""

    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float  # seconds since 1970
    detail: str | None
    gone_since: float | None  # the first of the answers that it is gone
    likeness: float | None  # to their picture as first fetched, 0 to 1
    our_likeness: float | None  # to our picture, 0 to 1
    overruled_at: float | None  # when a later paid answer named the match again
    pages: tuple[RecheckedPage, ...] = ()

    @property
    def is_gone(self) -> bool:
        """Whether the picture is gone, and no later answer says otherwise."""
        return self.verdict is RecheckVerdict.GONE and self.overruled_at is None

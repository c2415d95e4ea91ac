"""The last answers of a site about a match, its picture and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from batchscan.enums import RecheckVerdict

ALIKE: Final = 0.7
"""The likeness from which on two pictures count as the same one."""


def is_unproven(likeness: float | None, our_likeness: float | None) -> bool:
    """Whether a picture is unlike ours, and none was fetched before to compare it with."""
    return likeness is None and our_likeness is not None and our_likeness < ALIKE


class RecheckedPage(NamedTuple):
    """The last answer of a page that shows a match."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float  # seconds since 1970
    detail: str | None


@dataclass(frozen=True, slots=True)
class MatchRecheck:
    """The last answer at the address of a match's picture, and those of its pages."""

    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float  # seconds since 1970
    detail: str | None
    gone_since: float | None  # time of the first answer that it is gone
    likeness: float | None  # to their picture as first fetched, 0 to 1
    our_likeness: float | None  # to our picture, 0 to 1
    overruled_at: float | None  # time of a later paid answer that contains the match again
    pages: tuple[RecheckedPage, ...] = ()

    @property
    def is_gone(self) -> bool:
        """Whether the picture is gone, and no later paid answer contains it."""
        return self.verdict is RecheckVerdict.GONE and self.overruled_at is None

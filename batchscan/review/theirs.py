"""Their picture as last fetched, by a capture or by a recheck."""

from __future__ import annotations

from typing import Final, NamedTuple

from batchscan.enums import RecheckVerdict
from batchscan.ledger import Ledger
from batchscan.ledger.match_rows import MatchKey


class KeptPreview(NamedTuple):
    """A thumbnail of their picture."""

    at: float  # when it was fetched, seconds since 1970
    how: str  # "Captured" or "Seen by a recheck"
    jpeg: bytes
    our_likeness: float | None  # to our picture, 0 to 1


def newest_preview(ledger: Ledger, place: MatchKey) -> KeptPreview | None:
    """The newest thumbnail of their picture; None if it was never fetched."""
    previews = []
    captured = ledger.captures.preview(*place)
    if captured is not None:
        previews.append(
            KeptPreview(captured.captured_at, "Captured", captured.jpeg, captured.our_likeness)
        )
    seen = ledger.rechecks.latest.preview(place)
    if seen is not None:
        previews.append(KeptPreview(seen.seen_at, "Seen by a recheck", seen.jpeg, None))
    return max(previews, key=lambda preview: preview.at, default=None)


VERDICTS: Final = {
    RecheckVerdict.THERE: "still there",
    RecheckVerdict.CHANGED: "something else is there",
    RecheckVerdict.GONE_ONCE: "not found, once so far",
    RecheckVerdict.GONE: "gone",
    RecheckVerdict.UNKNOWN: "not known",
}
"""The verdicts of rechecks, as text for users."""

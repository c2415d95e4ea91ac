"""Their picture, as we last got it ourselves: captured as evidence, or seen by a recheck."""

from __future__ import annotations

from typing import NamedTuple

from batchscan.ledger import Ledger
from batchscan.ledger.dispositions import Place


class Look(NamedTuple):
    """A small JPEG that we made of their picture."""

    at: float  # when it was fetched, seconds since 1970
    how: str  # for people
    jpeg: bytes


def newest_look(ledger: Ledger, place: Place) -> Look | None:
    """What their picture looked like last; None where nobody fetched it."""
    looks = []
    captured = ledger.captures.preview(*place)
    if captured is not None:
        looks.append(Look(captured.captured_at, "Captured", captured.jpeg))
    seen = ledger.rechecks.latest.preview(place)
    if seen is not None:
        looks.append(Look(seen.seen_at, "Seen by a recheck", seen.jpeg))
    return max(looks, default=None)

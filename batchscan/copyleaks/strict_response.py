"""A check's answer exactly as the vendor's page shows it: nearly all are, and are read at once.

What is missing, odd or at odds with itself is left to the tolerant reading, which says the same
of these and warns of the others.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MAX_COUNT = 2**53 - 1  # that a count can be: it fits the ledger, and a float

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Word = Annotated[str, msgspec.Meta(min_length=1)]


class StrictPage(msgspec.Struct, gc=False):
    """An entry of `webPages`."""

    url: Word


class StrictMatch(msgspec.Struct, rename="camel", gc=False):
    """An entry of `matches.internet`; the vendor leaves `webPages` out where no page is known."""

    url: Word
    match_type: Literal[0, 1]
    web_pages: list[StrictPage] = []


_SCORE_NAMES = {"total": "totalMatches", "full": "fullMatches", "partial": "partialMatches"}


class Score(msgspec.Struct, frozen=True, rename=_SCORE_NAMES):
    """`matches.score`: how many matches the service counted."""

    total: Count
    full: Count
    partial: Count


class StrictMatches(msgspec.Struct):
    """`matches`."""

    internet: list[StrictMatch]
    score: Score


class ScannedImage(msgspec.Struct, rename="camel"):
    """`scannedImage`."""

    scan_id: str
    actual_credits: Count
    expected_credits: Count | None = None


class StrictResponse(msgspec.Struct, rename="camel"):
    """A 200's body."""

    matches: StrictMatches
    scanned_image: ScannedImage

    def agrees(self, scan_id: str | None) -> bool:
        """Whether it answers this question, names each match once, and counts them right."""
        entries, score = self.matches.internet, self.matches.score
        partial = sum(entry.match_type for entry in entries)
        return (
            scan_id in (None, self.scanned_image.scan_id)
            and len({entry.url for entry in entries}) == len(entries)
            and not any(entry.url.isspace() for entry in entries)
            and score.total == len(entries)
            and score.partial == partial
            and score.full == len(entries) - partial
        )


_DECODER = msgspec.json.Decoder(StrictResponse)
# An error beside the matches, or a second list of them, would go unseen.
_MAX_OF = {b'"error': 0, b'"Error': 0, b'"ERROR': 0, b'"matches"': 1, b'"internet"': 1}


def documented(body: bytes, scan_id: str | None) -> StrictResponse | None:
    """Read a body that is as documented; None where it is not."""
    if any(body.count(word) > most for word, most in _MAX_OF.items()):
        return None
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.agrees(scan_id) else None

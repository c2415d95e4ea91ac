"""Fast parsing of answers that are exactly as documented, which nearly all are.

Anything else is left to the tolerant parser, which gives the same result for valid answers and
warnings for others.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Annotated, Literal

import msgspec

MAX_COUNT = 2**53 - 1  # of a count: fits the ledger, and a float exactly

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Word = Annotated[str, msgspec.Meta(min_length=1)]


class StrictPage(msgspec.Struct, gc=False):
    """An entry of `webPages`."""

    url: Word


class StrictMatch(msgspec.Struct, rename="camel", gc=False):
    """An entry of `matches.internet`; the vendor omits `webPages` if no page is known."""

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
        """Whether it names this scan id, has no duplicate matches, and its counts are right."""
        entries, score = self.matches.internet, self.matches.score
        partial = sum([entry.match_type for entry in entries])
        urls = {entry.url for entry in entries}
        return (
            scan_id in (None, self.scanned_image.scan_id)
            and len(urls) == len(entries)
            and not any(map(str.isspace, urls))
            and score.total == len(entries)
            and score.partial == partial
            and score.full == len(entries) - partial
        )


class _OnlyImage(ScannedImage, forbid_unknown_fields=True):
    creation_time: str | None = None
    width: Count | None = None
    height: Count | None = None
    filename: str | None = None


class _OnlyScore(Score, frozen=True, forbid_unknown_fields=True, rename=_SCORE_NAMES):
    pass


class _OnlyMatches(StrictMatches, forbid_unknown_fields=True):
    score: _OnlyScore


class _OnlyResponse(StrictResponse, forbid_unknown_fields=True):
    matches: _OnlyMatches
    scanned_image: _OnlyImage
    developer_payload: str | None = None


_DECODER = msgspec.json.Decoder(StrictResponse)
_ONLY_DECODER = msgspec.json.Decoder(_OnlyResponse)
ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
"""The start of an escaped ASCII letter, which no serializer writes: it may hide a key."""
# An error beside the matches, or a second list of them, would be overlooked.
_KEYS = re.compile(rb'"(?:[eE]rror|ERROR|matches"|internet")')
_EXPECTED = [b'"internet"', b'"matches"']
_ONCE = (b'"score"', b'"totalMatches"', b'"fullMatches"', b'"partialMatches"')


def charged_answer(body: bytes, scan_id: str) -> bool:
    """Whether a body is exactly a documented answer to this scan id, charged for, and nothing else.

    No error page is: it has another field, or lacks the id or the charge.
    """
    if _hides_something(body):
        return False
    response = _only_documented(body)
    if response is None or not response.scanned_image.actual_credits:
        return False
    return response.agrees(scan_id)


def documented(body: bytes, scan_id: str | None) -> StrictResponse | None:
    """Parse a body that is as documented; None if it is not.

    If it says that there is no match, it must have no other field: one may contradict that.
    """
    if _hides_something(body):
        return None
    try:
        response = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not response.matches.internet and _only_documented(body) is None:
        return None
    return response if response.agrees(scan_id) else None


def _only_documented(body: bytes) -> _OnlyResponse | None:
    """Parse a body that has documented fields only, and its counts once; None if it is another one."""
    if any(body.count(name) != 1 for name in _ONCE):
        return None
    try:
        response = _ONLY_DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return response if response.developer_payload is None else None


def _hides_something(body: bytes) -> bool:
    keys = (found[0] for found in islice(_KEYS.finditer(body), len(_EXPECTED) + 1))
    return sorted(keys) != _EXPECTED or ESCAPED_LETTER.search(body) is not None

"""Parsing the 200 of an image plagiarism check tolerantly, into the vendor's terms.

Only the list `matches.internet` is required; anything else that is missing or invalid becomes a
warning. The shape is that of the vendor's page on the image plagiarism response. As an answer is
paid for, nothing is raised: if matches cannot be read, or are fewer than their stated number,
`trouble` is set beside what could be read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from batchscan.copyleaks.error_table import NotJson, clean, decode, repeated_keys
from batchscan.copyleaks.errors import BadResponse
from batchscan.copyleaks.no_match import contradiction
from batchscan.copyleaks.strict_response import (
    ESCAPED_LETTER,
    MAX_COUNT,
    Score,
    StrictMatch,
    StrictResponse,
    documented,
)

FULL, PARTIAL = 0, 1  # matchType
READER = 4  # version of `read_check`; increased whenever it can read more
_OF_SCORE = {"score", "totalMatches", "fullMatches", "partialMatches"}
_TYPES = (str(FULL), str(PARTIAL))  # some services write numbers as strings
_NUMBER = re.compile(r"\s*\+?[0-9]{1,20}(\.[0-9]{0,20})?\s*")
_BLANK = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"  # bytes that may precede an object in any encoding


class InternetMatch(msgspec.Struct, frozen=True, gc=False):
    """An entry of `matches.internet`; `match_type` is None if it is not a documented one."""

    url: str
    match_type: int | None
    web_pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The parsed answer to a check."""

    internet: tuple[InternetMatch, ...]
    score: Score | None
    actual_credits: int | None
    expected_credits: int | None
    warnings: tuple[str, ...]
    trouble: str | None = None  # why the matches may be incomplete


class _Warnings:
    """Collects words in order, without duplicates."""

    def __init__(self) -> None:
        self.words: dict[str, None] = {}

    def add(self, word: str) -> None:
        self.words[word] = None


def may_be_answer(body: bytes) -> bool:
    """Whether a 200's body may be the service's answer: a JSON object, even a truncated one.

    A web page, an empty body or a bare list comes from something else: a portal or a proxy.
    """
    return body[:64].lstrip(_BLANK).startswith(b"{")


def read_check(body: bytes, scan_id: str | None = None) -> CheckResult:
    """Parse a 200's body; problems are part of the result."""
    exact = documented(body, scan_id)
    return _exactly(exact) if exact else _tolerantly(body, scan_id)


def _exactly(answer: StrictResponse) -> CheckResult:
    image = answer.scanned_image
    return CheckResult(
        internet=tuple(
            [
                InternetMatch(entry.url, entry.match_type, _pages_of(entry))
                for entry in answer.matches.internet
            ]
        ),
        score=answer.matches.score,
        actual_credits=image.actual_credits,
        expected_credits=image.expected_credits,
        warnings=(),
    )


def _pages_of(entry: StrictMatch) -> tuple[str, ...]:
    pages = entry.web_pages
    if len(pages) == 1:  # nearly always
        return (pages[0].url,)
    return tuple(dict.fromkeys([page.url for page in pages]))


def _tolerantly(body: bytes, scan_id: str | None) -> CheckResult:
    try:
        decoded = _decode(body)
    except BadResponse as error:
        return CheckResult((), None, None, None, (), str(error))
    matches = decoded.get("matches")
    matches = matches if isinstance(matches, dict) else {}
    warnings = _Warnings()
    image = decoded.get("scannedImage")
    image = image if isinstance(image, dict) else {}
    entries = matches.get("internet")
    listed, unread = _internet(entries if isinstance(entries, list) else [], warnings)
    internet = _merged(listed, warnings)
    score = _score(matches.get("score"), internet, warnings)
    if scan_id is not None and image.get("scanId") != scan_id:
        warnings.add("scan_id_missing" if image.get("scanId") is None else "scan_id_mismatch")
    actual = _charge(image.get("actualCredits"))
    if actual is None:
        warnings.add("credits_missing")
    troubles = (
        None if isinstance(entries, list) else "the answer holds no list of matches",
        _stated_error(decoded, image, matches, matches.get("score")),
        _duplicate_list(body, empty=not listed),
        _too_few(matches.get("score"), len(listed)),
        contradiction(decoded) if entries == [] else None,
        # If the service counted no more than could be read, an invalid entry is only a warning.
        f"{unread:,} of its {len(listed) + unread:,} matches cannot be read"
        if unread and (score is None or not listed)
        else None,
    )
    return CheckResult(
        internet=internet,
        score=score,
        actual_credits=actual,
        expected_credits=_count(image.get("expectedCredits")),
        warnings=tuple(warnings.words),
        trouble=next(filter(None, troubles), None),
    )


def read_credits(body: bytes) -> int:
    """Parse the balance: `{"Amount": 100}` (the vendor's credits page).

    Raises:
        BadResponse: it has no such number.
    """
    decoded = {str(key).lower(): value for key, value in _decode(body).items()}
    amount = _count(decoded.get("amount"))
    if amount is None:
        raise BadResponse("the answer holds no balance", body=body)
    return amount


def _decode(body: bytes) -> dict[str, Any]:
    try:
        decoded = decode(body)
    except NotJson as error:
        raise BadResponse("the answer is not JSON", body=body) from error
    if not isinstance(decoded, dict):
        raise BadResponse("the answer is not a JSON object", body=body)
    return decoded


def _stated_error(*objects: object) -> str | None:
    """An error in a 200's objects, in which case its list may be incomplete."""
    for fields in objects:
        for name, value in fields.items() if isinstance(fields, dict) else ():
            if name.lower().startswith("error") and value:
                text = clean(str(value)[:1_000])
                return f"the answer says that there was an error: {name}: {text}"
    return None


def _duplicate_list(body: bytes, *, empty: bool) -> str | None:
    """A list of matches that occurs twice, of which only one is read; or its score."""
    keys = {"matches", "internet"} | (_OF_SCORE if empty else set())
    escaped = ESCAPED_LETTER.search(body) is not None
    suspects = {key for key in keys if escaped or body.count(key.encode()) > 1}
    twice = suspects and suspects & repeated_keys(body)
    return f"the answer says {min(twice)!r} more than once" if twice else None


def _too_few(score: object, listed: int) -> str | None:
    """The trouble if the service counted more matches than could be read."""
    fields = score if isinstance(score, dict) else {"totalMatches": score}
    stated = {name.lower(): value for name, value in fields.items()}
    counts = ("totalmatches", "fullmatches", "partialmatches")
    total, full, partial = (_promised(stated.get(name)) for name in counts)
    promised = max(total, full + partial)
    if promised <= listed:
        return None
    counted = math.ceil(promised)
    matches = "1 match" if counted == 1 else f"{counted:,} matches"
    return f"the service counted {matches}, and {listed:,} could be read"


def _promised(value: object) -> float:
    """A stated count in any notation; 0 if it is not a number."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return 0.0
    return float(min(max(value, 0), 10**18))


def _internet(entries: list[Any], warnings: _Warnings) -> tuple[list[InternetMatch], int]:
    """The valid entries, and the number of invalid ones."""
    internet = []
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or not url.strip():
            warnings.add("odd_match")
            continue
        kind = _match_type(entry.get("matchType"), warnings)
        internet.append(InternetMatch(url, kind, _web_pages(entry.get("webPages"), warnings)))
    return internet, len(entries) - len(internet)


def _merged(matches: Iterable[InternetMatch], warnings: _Warnings) -> tuple[InternetMatch, ...]:
    """Merge entries with the same URL: their worst kind, and all their pages."""
    by_url: dict[str, list[InternetMatch]] = {}
    for match in matches:
        by_url.setdefault(match.url, []).append(match)
    if any(len(same) > 1 for same in by_url.values()):
        warnings.add("duplicate_match")
    return tuple(same[0] if len(same) == 1 else _one(same) for same in by_url.values())


def _one(same: Sequence[InternetMatch]) -> InternetMatch:
    """One entry for several with the same URL."""
    kinds = [entry.match_type for entry in same if entry.match_type is not None]
    pages = dict.fromkeys(page for entry in same for page in entry.web_pages)
    return InternetMatch(same[0].url, min(kinds, default=None), tuple(pages))


def _match_type(value: object, warnings: _Warnings) -> int | None:
    number = int(value) if isinstance(value, str) and value in _TYPES else _count(value)
    if number in (FULL, PARTIAL):
        return number
    warnings.add("unknown_match_type")
    return None


def _web_pages(value: object, warnings: _Warnings) -> tuple[str, ...]:
    """The pages; the vendor omits the key if no page is known."""
    if value is not None and not isinstance(value, list):
        warnings.add("odd_web_pages")
        return ()
    return tuple(dict.fromkeys(_page_urls(value or (), warnings)))


def _page_urls(pages: Iterable[Any], warnings: _Warnings) -> Iterator[str]:
    for page in pages:
        url = page.get("url") if isinstance(page, dict) else None
        if isinstance(url, str) and url:
            yield url
        else:
            warnings.add("odd_web_pages")


def _score(value: object, internet: Sequence[InternetMatch], warnings: _Warnings) -> Score | None:
    fields = value if isinstance(value, dict) else {}
    counts = [
        _count(fields.get(name)) for name in ("totalMatches", "fullMatches", "partialMatches")
    ]
    total, full, partial = counts
    if total is None or full is None or partial is None:
        warnings.add("score_missing")
        return None
    listed = [match.match_type for match in internet]
    if (total, full, partial) != (len(listed), listed.count(FULL), listed.count(PARTIAL)):
        warnings.add("score_mismatch")
    return Score(total, full, partial)


def _charge(value: object) -> int | None:
    """A charge in credits, rounded up so that budgets hold; some services write it as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, float) and 0 < value < MAX_COUNT:
        return math.ceil(value)
    return _count(value)


def _count(value: object) -> int | None:
    """A count that fits the ledger (64 bits); some services write integers as 1.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    return value if 0 <= value <= MAX_COUNT else None

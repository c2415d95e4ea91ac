"""What a 200 of the image plagiarism check says, in the vendor's words, read tolerantly.

Only `matches.internet` as a list is required; whatever else is missing or odd is a warning. The
shape is that of the vendor's page on the image plagiarism response.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from batchscan.copyleaks.decoding import NotJson, decode
from batchscan.copyleaks.documented import MOST, Documented, documented
from batchscan.copyleaks.errors import BadResponse

FULL, PARTIAL = 0, 1  # matchType
LONG_ANSWER = 64 * 1024  # bytes; 1 MiB is read in 0.3 s, in which no other task would get on


@dataclass(frozen=True, slots=True)
class InternetMatch:
    """An entry of `matches.internet`; `match_type` is None where it is none of the documented."""

    url: str
    match_type: int | None
    web_pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """`matches.score`."""

    total_matches: int
    full_matches: int
    partial_matches: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's answer."""

    internet: tuple[InternetMatch, ...]
    score: Score | None
    actual_credits: int | None
    expected_credits: int | None
    warnings: tuple[str, ...]


class _Warnings:
    """Collects each word once, in order."""

    def __init__(self) -> None:
        self.words: dict[str, None] = {}

    def add(self, word: str) -> None:
        self.words[word] = None


def read_check(body: bytes, scan_id: str | None = None) -> CheckResult:
    """Read a 200's body.

    Raises:
        BadResponse: it is no JSON, or `matches.internet` is no list.
    """
    exact = documented(body, scan_id)
    return _exactly(exact) if exact else _tolerantly(_decode(body), body, scan_id)


def _exactly(answer: Documented) -> CheckResult:
    score, image = answer.matches.score, answer.scanned_image
    return CheckResult(
        internet=tuple(
            InternetMatch(
                entry.url,
                entry.match_type,
                tuple(dict.fromkeys([page.url for page in entry.web_pages])),
            )
            for entry in answer.matches.internet
        ),
        score=Score(score.total_matches, score.full_matches, score.partial_matches),
        actual_credits=image.actual_credits,
        expected_credits=image.expected_credits,
        warnings=(),
    )


def _tolerantly(decoded: dict[str, Any], body: bytes, scan_id: str | None) -> CheckResult:
    matches = decoded.get("matches")
    entries = matches.get("internet") if isinstance(matches, dict) else None
    if not isinstance(matches, dict) or not isinstance(entries, list):
        raise BadResponse("the answer holds no list of matches", body=body)
    warnings = _Warnings()
    internet = _internet(entries, warnings)
    score = _score(matches.get("score"), internet, warnings)
    image = decoded.get("scannedImage")
    image = image if isinstance(image, dict) else {}
    if scan_id is not None and image.get("scanId") != scan_id:
        warnings.add("scan_id_missing" if image.get("scanId") is None else "scan_id_mismatch")
    actual = _charge(image.get("actualCredits"))
    if actual is None:
        warnings.add("credits_missing")
    return CheckResult(
        internet=internet,
        score=score,
        actual_credits=actual,
        expected_credits=_count(image.get("expectedCredits")),
        warnings=tuple(warnings.words),
    )


def read_credits(body: bytes) -> int:
    """Read the balance: `{"Amount": 100}` (the vendor's credits page).

    Raises:
        BadResponse: there is no such number.
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


def _internet(entries: list[Any], warnings: _Warnings) -> tuple[InternetMatch, ...]:
    found: dict[str, InternetMatch] = {}
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or not url:
            warnings.add("odd_match")
        elif url in found:
            warnings.add("duplicate_match")
        else:
            found[url] = InternetMatch(
                url=url,
                match_type=_match_type(entry.get("matchType"), warnings),
                web_pages=_web_pages(entry.get("webPages"), warnings),
            )
    return tuple(found.values())


def _match_type(value: object, warnings: _Warnings) -> int | None:
    number = None if isinstance(value, bool) else _count(value)
    if number in (FULL, PARTIAL):
        return number
    warnings.add("unknown_match_type")
    return None


def _web_pages(value: object, warnings: _Warnings) -> tuple[str, ...]:
    """The pages; the vendor leaves the key out where no page is known."""
    pages: dict[str, None] = {}
    if value is not None and not isinstance(value, list):
        warnings.add("odd_web_pages")
        return ()
    for page in value or ():
        url = page.get("url") if isinstance(page, dict) else None
        if isinstance(url, str) and url:
            pages[url] = None
        else:
            warnings.add("odd_web_pages")
    return tuple(pages)


def _score(value: object, internet: tuple[InternetMatch, ...], warnings: _Warnings) -> Score | None:
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
    """A charge in whole credits, a part of one counted whole: a budget must hold all the same."""
    if isinstance(value, float) and 0 < value < MOST:
        return math.ceil(value)
    return _count(value)


def _count(value: object) -> int | None:
    """A count that fits the ledger (64 bits); some services write whole numbers as 1.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    return value if 0 <= value <= MOST else None

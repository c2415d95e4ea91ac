"""The result of a recheck, as text and as JSON."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from batchscan.commands.recheck import RecheckRequest, RecheckResult
from batchscan.commands.recheck_progress import wording
from batchscan.enums import Disposition, RecheckVerdict
from batchscan.ledger.recheck_types import CheckedAddress, CheckedMatch
from batchscan.rechecked import is_unproven
from batchscan.report.wording import amount
from batchscan.util.escaping import printable, replace_surrogates
from batchscan.util.timestamps import rfc3339

_WIDTH = max(len(verdict.value) for verdict in RecheckVerdict)


class PageVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict about a page."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: str
    detail: str | None


class MatchVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict about a match, with its pages."""

    url: str
    path: str | None
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: str
    pages: list[PageVerdict]
    detail: str | None
    gone_since: str | None
    likeness: float | None  # to their picture as first fetched, 0 to 1
    our_likeness: float | None  # to our picture, 0 to 1
    disposition: Disposition


class Rechecked(msgspec.Struct, frozen=True, kw_only=True):
    """`recheck --json`."""

    schema: Literal[1] = 1
    counts: dict[RecheckVerdict, int]  # of pictures
    page_counts: dict[RecheckVerdict, int]
    marked: int
    partial: bool  # interrupted: the rest was not asked
    matches: list[MatchVerdict]


def in_json(result: RecheckResult) -> bytes:
    """One object in one line."""
    rechecked = Rechecked(
        counts=_counts(result.counts),
        page_counts=_counts(result.page_counts),
        marked=result.marked,
        partial=result.signal is not None,
        matches=[_match(match) for match in result.matches],
    )
    return msgspec.json.encode(rechecked) + b"\n"


def _counts(counts: Counter[RecheckVerdict]) -> dict[RecheckVerdict, int]:
    return {verdict: counts[verdict] for verdict in RecheckVerdict}


def _match(checked: CheckedMatch) -> MatchVerdict:
    picture = checked.picture
    return MatchVerdict(
        url=picture.url,
        path=replace_surrogates(os.fsdecode(checked.path)) if checked.path else None,
        verdict=picture.verdict,
        http_status=picture.http_status,
        checked_at=rfc3339(picture.checked_at),
        pages=[_page(page) for page in checked.pages],
        detail=picture.detail,
        gone_since=None if checked.gone_since is None else rfc3339(checked.gone_since),
        likeness=_share(picture.likeness),
        our_likeness=_share(picture.our_likeness),
        disposition=checked.disposition,
    )


def _page(page: CheckedAddress) -> PageVerdict:
    return PageVerdict(
        url=page.url,
        verdict=page.verdict,
        http_status=page.http_status,
        checked_at=rfc3339(page.checked_at),
        detail=page.detail,
    )


def _share(likeness: float | None) -> float | None:
    return None if likeness is None else round(likeness, 2)


def as_text(result: RecheckResult) -> str:
    """A paragraph for each match, and the number of matches by verdict."""
    lines = [line for match in result.matches for line in _lines(match)]
    return "".join(f"{line}\n" for line in lines) + as_summary(result)


def as_summary(result: RecheckResult) -> str:
    """How many there are of each verdict, of pictures and of pages."""
    pictures, pages = result.counts, result.page_counts
    lines = [f"{amount(pictures.total(), 'match')}: {_summary(pictures)}"]
    if pages:
        lines.append(f"{amount(pages.total(), 'page')}: {_summary(pages)}")
    return "".join(f"{line}\n" for line in lines)


def _lines(checked: CheckedMatch) -> Iterator[str]:
    url = printable(checked.picture.url) or "an empty address"
    yield f"{checked.picture.verdict.value:{_WIDTH}}  {url}"
    if text := "; ".join(_details(checked)):
        yield f"{'':{_WIDTH}}  {printable(text)}"
    for page in checked.pages:
        why = f" ({printable(page.detail)})" if page.detail else ""
        yield f"{'':{_WIDTH}}  page {wording(page.verdict)}: {printable(page.url)}{why}"


def _details(checked: CheckedMatch) -> Iterator[str]:
    picture = checked.picture
    if picture.detail:
        yield picture.detail
    if checked.gone_since is not None:
        gone = "gone" if picture.verdict is RecheckVerdict.GONE else "not found"
        yield f"{gone} since {rfc3339(checked.gone_since)}"
    if picture.likeness is not None:
        yield f"{picture.likeness:.0%} like what was first fetched"
    if picture.our_likeness is not None:
        yield f"{picture.our_likeness:.0%} like ours"
        if is_unproven(picture.likeness, picture.our_likeness):
            yield "not fetched before, so it may have been another picture"
    if checked.path:
        yield f"ours is {os.path.basename(os.fsdecode(checked.path))}"


def _summary(counts: Counter[RecheckVerdict]) -> str:
    parts = [
        f"{counts[verdict]:,} {wording(verdict)}" for verdict in RecheckVerdict if counts[verdict]
    ]
    return ", ".join(parts) or "nothing to check"


def notes(result: RecheckResult, request: RecheckRequest) -> Iterator[str]:
    """The notes on stderr."""
    if result.resumed:
        yield "Continued an interrupted recheck."
    if result.signal is not None:
        yield "Interrupted: run the same command again to continue."
    if not result.matches and not request.urls:
        word = request.disposition or Disposition.NOTICED
        yield f"No match is marked {word}: `batchscan mark {word} SITE`, or name another --disposition."
    if result.marked:
        yield f"{amount(result.marked, 'match')} marked removed; `batchscan mark --undo` undoes this."
    elif gone := result.counts[RecheckVerdict.GONE]:
        verb = "is" if gone == 1 else "are"
        yield f"{gone:,} {verb} gone: `batchscan recheck --mark` marks that removed."
    if result.counts[RecheckVerdict.GONE_ONCE]:
        yield "`gone once` is not `gone` yet: recheck a day later."

"""The pictures that `report.html` has room for, the worst first, and what it says ahead of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import Match
from batchscan.report.html_assets import environment
from batchscan.report.html_escaping import cut, data_uri
from batchscan.report_sections import PictureMatches
from batchscan.util.escaping import replace_surrogates
from batchscan.util.paths import split_path

MAX_BYTES = 16_000_000  # of all pictures; a browser opens that much in a moment
MAX_PICTURES = 5_000
MAX_MATCHES = 20  # that are shown of a picture
MAX_PAGES = 5  # that are shown of a match
MAX_NEWS = 100  # new matches that are shown ahead of the pictures
MAX_NEWS_PER_MATCH = 10  # of them, of one picture

NEWS = (MatchState.NEW, MatchState.RETURNED)
_KINDS = tuple(MatchKind)


class MatchView(NamedTuple):
    """A match as it is shown."""

    url: str
    kind: str
    state: str | None
    disposition: str | None
    domain: str
    pages: tuple[str, ...]
    more_pages: int
    first_seen: str | None
    last_seen: str | None


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture as it is shown."""

    number: int
    picture: PictureMatches
    folder: Markup  # may be broken after each slash
    name: str
    thumbnail: Markup | None
    findings: tuple[MatchView, ...]
    more: int  # matches that are not shown
    total: int  # matches that are there
    full: int
    partial: int
    news: int
    newest: int  # when its newest match was first seen
    asked: str


class NewsView(NamedTuple):
    """A picture with new matches, as it is shown ahead of the others."""

    entry: PictureView
    findings: tuple[MatchView, ...]
    more: int


@dataclass(slots=True)
class PictureList:
    """What a page shows of the pictures."""

    articles: list[Markup] = field(default_factory=list)
    news: list[NewsView] = field(default_factory=list)
    news_shown: int = 0
    present: int = 0  # articles of pictures with matches that are there
    first_of: dict[str, int] = field(default_factory=dict)  # by domain: the first article
    complete: bool = True  # no picture was left out


def picture_list(pictures: Iterable[PictureMatches]) -> PictureList:
    """Take as many pictures, in their order, as the file has room for; no more are asked for."""
    shown = PictureList()
    template = environment().get_template("picture.html")
    room = MAX_BYTES
    for number, picture in enumerate(pictures, 1):
        entry = view_of(number, picture)
        article = template.render(entry=entry)
        room -= len(article.encode())
        if room < 0 or number > MAX_PICTURES:
            shown.complete = False
            break
        shown.articles.append(Markup(article))  # noqa: S704 - a template has escaped it
        shown.present += entry.total > 0
        for finding in entry.findings:
            shown.first_of.setdefault(finding.domain, number)
        _add_news(shown, entry)
    return shown


def view_of(number: int, picture: PictureMatches) -> PictureView:
    """Make up what is shown of a picture."""
    there = [match for match in picture.matches if match.state != MatchState.GONE]
    kinds = [match.kind for match in there]
    ordered = sorted(picture.matches, key=_rank)[:MAX_MATCHES]
    folder, name = split_path(os.fsdecode(picture.path))
    seen = (match.first_seen for match in there if match.first_seen is not None)
    return PictureView(
        number=number,
        picture=picture,
        folder=_breakable(folder if folder.endswith("/") or not folder else f"{folder}/"),
        name=name,
        thumbnail=data_uri(picture.thumbnail),
        findings=tuple(map(_finding, ordered)),
        more=len(picture.matches) - len(ordered),
        total=len(there),
        full=kinds.count(MatchKind.FULL),
        partial=kinds.count(MatchKind.PARTIAL),
        news=sum(match.state in NEWS for match in there),
        newest=int(max(seen, default=picture.scanned_at)),
        asked=moment(picture.scanned_at),
    )


def moment(seconds: float) -> str:
    """Write an instant to the minute: `2026-11-23 18:02 UTC`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _breakable(folder: str) -> Markup:
    return Markup("/<wbr>").join(cut(folder).split("/"))


def _add_news(shown: PictureList, entry: PictureView) -> None:
    room = min(MAX_NEWS_PER_MATCH, MAX_NEWS - shown.news_shown)
    findings = tuple(found for found in entry.findings if found.state in NEWS)[:room]
    if findings:
        shown.news.append(NewsView(entry, findings, entry.news - len(findings)))
        shown.news_shown += len(findings)


def _rank(match: Match) -> tuple[bool, bool, bool, int]:
    """New ones first, then what needs work, full copies first; the gone ones last."""
    return (
        match.state == MatchState.GONE,
        match.state not in NEWS,
        match.disposition not in (None, Disposition.OPEN, Disposition.REVIEWED),
        _KINDS.index(match.kind),
    )


def _finding(match: Match) -> MatchView:
    return MatchView(
        url=match.url,
        kind=match.kind.value,
        state=match.state and match.state.value,
        disposition=match.disposition and match.disposition.value,
        domain=replace_surrogates(match.domain),
        pages=match.pages[:MAX_PAGES],
        more_pages=max(0, len(match.pages) - MAX_PAGES),
        first_seen=_day(match.first_seen),
        last_seen=_day(match.last_seen),
    )


def _day(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)[: len("2026-11-23")]

"""The pictures that `report.html` has room for, those with new matches first.

Room is counted in bytes. A picture takes at most a part of what is left, and a match a part of its
picture's, so that a picture with very many matches does not displace the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from jinja2.environment import TemplateModule
from markupsafe import Markup

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import TrackedMatch
from batchscan.report.html_assets import environment
from batchscan.report.html_escaping import MAX_LINK, MAX_SHOWN, cut, data_uri, whole
from batchscan.report.match_counts import NEWS, FacetCounts, counts_of
from batchscan.report.rechecks import described
from batchscan.report.versions import likeness_of
from batchscan.report.wording import size
from batchscan.report_sections import MatchFacets, PictureMatches
from batchscan.util.escaping import replace_surrogates
from batchscan.util.paths import split_path
from batchscan.util.timestamps import utc_time

MAX_BYTES = 16_000_000  # of all pictures; browsers open that much quickly
SHARE = 4  # a picture takes at most 1/4 of the room left, and a match 1/4 of its picture's

_KINDS = tuple(MatchKind)
_LINK_BYTES = 150  # of the markup around an address
_MAX_VERSIONS = 12  # of a picture
VERSIONS_SHARE = 8  # previews of versions take at most 1/8 of all room
_MAX_DECISIONS = 5  # about a match, the newest
_TIMES = 1_000  # that are remembered as text


class DecisionView(NamedTuple):
    """A decision on the page."""

    day: str
    who: str
    disposition: str
    note: str | None
    undoes: bool


class MatchView(NamedTuple):
    """A match on the page."""

    url: str
    kind: str
    state: str
    disposition: str
    domain: str
    pages: tuple[str, ...]
    more_pages: int
    first_seen: str
    last_seen: str
    decisions: tuple[DecisionView, ...]  # the newest first
    recheck: str | None  # the last answer of its site
    theirs: Markup | None  # a thumbnail of their picture
    theirs_at: str | None


class VersionView(NamedTuple):
    """A version of a picture on the page."""

    name: str
    facts: str  # its size, and how alike the two are
    preview: Markup | None


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture on the page."""

    number: int
    picture: PictureMatches
    folder: Markup  # may be broken after each slash
    long_folder: Markup | None  # complete, if the shown one is cut
    name: str
    thumbnail: Markup | None
    findings: tuple[Markup, ...]
    sites: frozenset[str]  # of these
    more: int  # matches that are not shown
    total: int  # present matches
    full: int
    partial: int
    news: int
    versions: tuple[VersionView, ...]  # that were not asked about, the largest first
    more_versions: int
    newest: int  # when its newest match was first seen
    asked: str


@dataclass(slots=True)
class PictureList:
    """The pictures on a page."""

    fresh: list[Markup] = field(default_factory=list)  # articles of pictures with new matches
    known: list[Markup] = field(default_factory=list)  # articles of the others
    matches: int = 0  # that are shown
    present: int = 0  # articles of pictures with present matches
    first_of: dict[str, int] = field(default_factory=dict)  # by domain: the first article
    complete: bool = True  # no picture was left out
    counted: MatchFacets | None = None  # over all pictures; None if some were left out

    @property
    def shown(self) -> int:
        """How many pictures are shown."""
        return len(self.fresh) + len(self.known)


def picture_list(pictures: Iterable[PictureMatches], table: str) -> PictureList:
    """Take as many pictures as the file has room for; the others are not read.

    Args:
        pictures: those with new matches first.
        table: name of the file with all matches.
    """
    shown, counts = PictureList(), FacetCounts()
    template = environment().get_template("picture.html")
    room, counted = MAX_BYTES, True
    for_previews = MAX_BYTES // VERSIONS_SHARE
    for number, picture in enumerate(pictures, 1):
        entry = view_of(number, picture, room // SHARE, for_previews)
        for_previews -= sum(len(version.preview or "") for version in entry.versions)
        article = template.render(entry=entry, table=table)
        room -= len(article.encode())
        if room < 0:
            shown.complete = False
            break
        markup = Markup(article)  # noqa: S704 - a template has escaped it
        (shown.fresh if entry.news else shown.known).append(markup)
        shown.present += entry.total > 0
        shown.matches += len(entry.findings)
        counts.add(picture)
        for site in entry.sites:
            shown.first_of.setdefault(site, number)
        counted = counted and picture.counts is None
    shown.counted = counts.facets() if shown.complete and counted else None
    return shown


def view_of(number: int, picture: PictureMatches, room: int, for_previews: int = 0) -> PictureView:
    """The view of a picture.

    Args:
        number: of its article.
        picture: the picture.
        room: bytes for it.
        for_previews: bytes for previews of its versions.
    """
    counts = picture.counts or counts_of(picture.matches)
    findings = tuple(_findings(picture, room))
    folder, name = split_path(os.fsdecode(picture.path))
    folder = folder if folder.endswith("/") or not folder else f"{folder}/"
    return PictureView(
        number=number,
        picture=picture,
        folder=_breakable(folder),
        long_folder=Markup.escape(whole(folder)) if len(folder) >= MAX_SHOWN else None,
        name=name,
        thumbnail=data_uri(picture.thumbnail),
        findings=tuple(text for _, text in findings),
        sites=frozenset(site for site, _ in findings),
        more=counts.all - len(findings),
        total=counts.present,
        full=counts.full,
        partial=counts.partial,
        news=counts.news,
        versions=tuple(_versions(picture, for_previews)),
        more_versions=max(0, len(picture.versions) - _MAX_VERSIONS),
        newest=int(picture.scanned_at if counts.newest is None else counts.newest),
        asked=moment(picture.scanned_at),
    )


def _versions(picture: PictureMatches, room: int) -> Iterator[VersionView]:
    """The first of a picture's versions; with their folders if these differ."""
    folder, _ = split_path(picture.path)
    for version in picture.versions[:_MAX_VERSIONS]:
        version_folder, name = split_path(version.path)
        shown = os.fsdecode(name if version_folder == folder else version.path)
        preview = data_uri(version.preview)
        room -= len(preview or "")
        facts = (
            f"{version.width:,} × {version.height:,}, {size(version.size)}, {likeness_of(version)}"
        )
        yield VersionView(cut(replace_surrogates(shown)), facts, preview if room >= 0 else None)


@lru_cache(_TIMES)  # the matches of an answer have the same
def moment(seconds: float) -> str:
    """Format a time to the minute: `2026-11-23 18:02 UTC`."""
    return utc_time(seconds).strftime("%Y-%m-%d %H:%M UTC")


def _breakable(folder: str) -> Markup:
    """A folder whose parts keep their order, even with right-to-left names."""
    parts = (_isolated(part) for part in cut(folder).split("/"))
    return Markup("/<wbr>").join(parts)


def _isolated(part: str) -> str | Markup:
    return part if part.isascii() else Markup("<bdi>{}</bdi>").format(part)


@cache
def _macros() -> TemplateModule:
    return environment().get_template("macros.html").module


def _findings(picture: PictureMatches, room: int) -> Iterator[tuple[str, Markup]]:
    """The matches that fit, with their sites; at least the first one."""
    for place, match in enumerate(sorted(picture.matches, key=rank)):
        view = _finding(match, picture, room // SHARE)
        text = Markup(_macros().finding(view))  # type: ignore[attr-defined]  # noqa: S704 - a template has escaped it
        room -= len(text.encode())
        if room < 0 and place:
            return
        yield match.domain, text


def rank(match: TrackedMatch) -> tuple[bool, bool, bool, int]:
    """A sort key: new matches, then those on the worklist, full copies first; gone ones last."""
    return (
        match.state == MatchState.GONE,
        match.state not in NEWS,
        match.disposition not in (Disposition.OPEN, Disposition.REVIEWED),
        _KINDS.index(match.kind),
    )


def _finding(match: TrackedMatch, picture: PictureMatches, room: int) -> MatchView:
    pages = tuple(_pages(match, room))
    decisions = picture.decisions.get(match.url, ())
    theirs = picture.previews.get(match.url)
    return MatchView(
        url=match.url,
        kind=match.kind.value,
        state=match.state.value,
        disposition=match.disposition.value,
        domain=replace_surrogates(match.domain),
        pages=pages,
        more_pages=len(match.pages) - len(pages),
        first_seen=_day(match.first_seen),
        last_seen=_day(match.last_seen),
        decisions=tuple(
            DecisionView(
                moment(decision.at),
                decision.who,
                decision.after.value,
                decision.note,
                undoes=decision.undoes,
            )
            for decision in decisions[:_MAX_DECISIONS]
        ),
        recheck=None if match.recheck is None else described(match.recheck),
        theirs=data_uri(theirs.jpeg) if theirs else None,
        theirs_at=_day(theirs.seen_at) if theirs else None,
    )


def _pages(match: TrackedMatch, room: int) -> Iterator[str]:
    """The pages that fit; at least the first one."""
    for place, page in enumerate(match.pages):
        room -= 2 * min(len(page), MAX_LINK) + _LINK_BYTES  # as the link, and as its text
        if room < 0 and place:
            return
        yield page


def _day(seconds: float) -> str:
    return moment(seconds)[: len("2026-11-23")]

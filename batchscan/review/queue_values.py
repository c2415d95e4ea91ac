"""The values for the queue's templates: one match, and the list around it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import Markup

from batchscan.enums import Disposition, RecheckVerdict
from batchscan.ledger.review import QueuedMatch
from batchscan.ledger.review_details import MatchFacts, PictureFacts, PictureFile, SiteSize
from batchscan.rechecked import MatchRecheck
from batchscan.report.html_escaping import cut, link, sentence
from batchscan.report.html_pictures import moment
from batchscan.report.wording import size
from batchscan.review.actions import ActionResult
from batchscan.review.filters import MatchId, View
from batchscan.review.pages import UNKNOWN_SITE, attribute, filter_values, site_query
from batchscan.review.queue import QueuePage
from batchscan.review.theirs import VERDICTS, KeptPreview

MAX_FILES: Final = 5  # of a picture that are named
MAX_VERSIONS: Final = 5  # of a picture that are described
_MAX_ADDRESS: Final = 60  # characters of an address in the list


class QueueEntry(NamedTuple):
    """A line of a list of matches."""

    address: Markup
    seen: str
    text: str
    kind: str
    word: str
    now: bool
    heading: str | None  # of the lines from here on
    ours: str  # the name of our picture; "" where the heading has it


class Ours(NamedTuple):
    """Our picture on the page."""

    name: str
    source: str
    small: bool  # the preview of the ledger
    why: str


class ShownPreview(NamedTuple):
    """Their picture on the page."""

    source: str
    at: str


class Row(NamedTuple):
    """A line of a match's history."""

    at: str
    what: str
    note: str | None


@dataclass(frozen=True, slots=True)
class CurrentMatch:
    """Everything on the page about the current match."""

    facts: MatchFacts
    picture: PictureFacts
    current: PictureFile | None  # that still is what was scanned
    names: Mapping[int, str]  # of the pictures in the list, by their numbers
    theirs: KeptPreview | None
    recheck: MatchRecheck | None
    site: SiteSize


def queue_values(
    view: View, page: QueuePage, looked: CurrentMatch | None, done: ActionResult | None
) -> dict[str, object]:
    """The values for the queue's templates."""
    values = filter_values(view) | {
        "page": page,
        "done": done,
        "query": attribute(view.query()),
        "narrowed": view.is_narrowed,
        "left_word": _left_word(view, page.total),
    }
    now = page.current
    if now is None or looked is None:
        return values
    picture, facts = looked.picture, looked.facts
    files = [os.fsdecode(file.path) for file in picture.files]
    return values | {
        "seen": seen(now),
        "ours": _ours(looked),
        **theirs_values(view, now, looked.theirs, looked.recheck),
        "facts": facts,
        "site": looked.site,
        "picture": picture,
        "files": files[:MAX_FILES],
        "more_files": max(0, len(files) - MAX_FILES),
        "versions": _versions(picture),
        "history": list(_history(facts)),
        "next": _address(view, page.next),
        "previous": _address(view, page.previous),
        "site_page": attribute(f"/site?{site_query(now.domain)}"),
        "entries": list(_entries(view, page, looked.names)),
    }


def seen(match: QueuedMatch) -> str:
    """A match's id and disposition in a form."""
    return f"{MatchId.of(match.place)}:{match.disposition}"


def short(url: str, site: str = "") -> str:
    """An address in a list: without its scheme, and with its middle cut if it is long.

    Args:
        url: the address.
        site: the site of the list, which is left out.
    """
    text = url.strip().partition("://")[2] or url.strip()
    host, slash, path = text.partition("/")
    if site and slash and host in (site, f"www.{site}"):
        text = f"/{path}"
    elif site and slash and host.endswith(f".{site}"):
        text = f"{host.removesuffix(f'.{site}')}…/{path}"
    if len(text) <= _MAX_ADDRESS:
        return cut(text)
    tail = _MAX_ADDRESS // 2
    return f"{cut(text[: _MAX_ADDRESS - tail])}…{cut(text[-tail:])}"


def entry(
    match: QueuedMatch,
    address: str,
    site: str = "",
    *,
    ours: str = "",
    now: bool = False,
    heading: str | None = None,
) -> QueueEntry:
    """A line of a list, which may be about one `site` only."""
    return QueueEntry(
        attribute(address),
        seen(match),
        short(match.url, site) or "an empty address",
        match.kind.value,
        match.disposition.value,
        now,
        heading,
        ours,
    )


def _entries(view: View, page: QueuePage, names: Mapping[int, str]) -> Iterator[QueueEntry]:
    last: object = None
    now, by_site = page.current, view.order == "site"
    for match in (*page.before, *((now,) if now else ()), *page.after):
        site, ours = match.domain or UNKNOWN_SITE, names.get(match.place.picture_id, "")
        group = match.domain if by_site else match.place.picture_id
        heading = None
        if group != last:
            last, heading = group, site if by_site else ours
        yield entry(
            match,
            _address(view, match),
            match.domain if by_site else "",
            ours=ours if by_site else "",
            now=match is now,
            heading=heading,
        )


def _address(view: View, match: QueuedMatch | None) -> Markup:
    return attribute(f"/queue?{view.at_match(match.place).query()}") if match else Markup()


def _ours(looked: CurrentMatch) -> Ours:
    picture = looked.picture
    file = looked.current or next(iter(picture.files), None)
    name = os.path.basename(os.fsdecode(file.path)) if file else "picture"
    if looked.current:
        return Ours(name, f"/picture/{picture.id}/large", small=False, why="")
    what = (
        "this is the small preview from then" if picture.has_thumbnail else "no preview was stored"
    )
    why = f"Its files have changed since they were scanned: {what}."
    return Ours(name, f"/picture/{picture.id}/small", small=True, why=why)


def theirs_values(
    view: View, match: QueuedMatch, preview: KeptPreview | None, asked: MatchRecheck | None
) -> dict[str, object]:
    """The values for the figure with their picture."""
    return {
        "theirs": None if preview is None else _theirs(match, preview),
        "recheck": _recheck(asked),
        "now": match,
        "seen": seen(match),
        "query": attribute(view.query()),
        "can_be_captured": link(match.url) is not None,
    }


def _theirs(match: QueuedMatch, preview: KeptPreview) -> ShownPreview:
    # The time in the address keeps the browser from showing a cached picture.
    source = f"/capture/{MatchId.of(match.place)}?at={preview.at:.0f}"
    alike = "" if preview.our_likeness is None else f", {preview.our_likeness:.0%} like ours"
    return ShownPreview(source, f"{preview.how} {moment(preview.at)}{alike}")


def _recheck(recheck: MatchRecheck | None) -> list[str]:
    """The last recheck as lines of text."""
    if recheck is None:
        return []
    answered = recheck.detail or (f"HTTP {recheck.http_status}" if recheck.http_status else "")
    because = f" ({answered})" if answered else ""
    lines = [f"Asked {moment(recheck.checked_at)}: {VERDICTS[recheck.verdict]}{because}"]
    if recheck.verdict is RecheckVerdict.GONE_ONCE:
        lines.append("It counts as gone if it is not found again at least a day later.")
    if recheck.overruled_at is not None:
        lines.append(f"a scan found it again, {moment(recheck.overruled_at)}")
    if recheck.our_likeness is not None:
        lines[0] += f", {recheck.our_likeness:.0%} like ours"
    return lines


def _versions(picture: PictureFacts) -> str:
    if not picture.versions:
        return "no other version of this picture is known"
    versions = [
        f"{version.format} {version.width:,} × {version.height:,}, {size(version.size)}"
        for version in picture.versions[:MAX_VERSIONS]
    ]
    more = len(picture.versions) - len(versions)
    others = f", and {more:,} more" if more else ""
    return f"also {'; '.join(versions)}{others}, with this answer"


def _history(facts: MatchFacts) -> Iterator[Row]:
    """The history of a match, the newest first."""
    rows = [(facts.first_seen, Row(moment(facts.first_seen), "first seen", None))]
    if facts.last_seen != facts.first_seen:
        rows.append((facts.last_seen, Row(moment(facts.last_seen), "last seen", None)))
    for decision in facts.decisions:
        by = f" by {decision.who}" if decision.who else ""
        before, after = _word(decision.before), _word(decision.after)
        if decision.undoes:
            what = f"undone{by}: {after} again"
        elif before == after:
            what = f"noted{by}"
        else:
            what = f"{after}{by}, {before} before"
        rows.append((decision.at, Row(moment(decision.at), what, sentence(decision.note or ""))))
    rows.sort(key=lambda row: -row[0])
    return (row for _, row in rows)


def _left_word(view: View, total: int) -> str:
    chosen = view.chosen
    if chosen.disposition in (None, Disposition.OPEN.value):
        return "left"
    if chosen.disposition == "any":
        return "match" if total == 1 else "matches"
    return _word(Disposition(chosen.disposition))


def _word(word: Disposition) -> str:
    return word.value.replace("_", " ")

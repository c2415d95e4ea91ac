"""Handlers for the overview, the queue, decisions, and our pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import QueuedMatch, ReviewFilter, SiteCount
from batchscan.ledger.review_details import MatchFacts, PictureFacts, SiteSize
from batchscan.rechecked import MatchRecheck
from batchscan.report.image_type import image_subtype
from batchscan.review import pages, queue_values
from batchscan.review.actions import ActionResult, FormMatch
from batchscan.review.desk import Desk, picture_names
from batchscan.review.filters import View
from batchscan.review.forms import decision, form_of
from batchscan.review.queue import QueueCounts, QueuePage, resolve
from batchscan.review.theirs import KeptPreview, newest_preview

MAX_SITES: Final = 200  # that the overview lists
MAX_PICTURES: Final = 50
PART: Final = "part"


_NOWHERE: Final = SiteSize(0, 0)
REVIEWED: Final = ReviewFilter(disposition=Disposition.REVIEWED.value)
MAX_REVIEWED: Final = 3  # sites that are named


@dataclass(frozen=True, slots=True)
class _SiteRow:
    name: str
    address: str
    left: int
    total: int


@dataclass(frozen=True, slots=True)
class _Reviewed:
    """Reviewed matches that wait for a notice."""

    left: int
    sites: list[_SiteRow]
    more: int  # sites that are not named


@dataclass(frozen=True, slots=True)
class _QueueData:
    """The data for a page of the queue."""

    page: QueuePage
    facts: MatchFacts | None
    picture: PictureFacts | None
    names: dict[int, str]
    theirs: KeptPreview | None = None
    recheck: MatchRecheck | None = None
    site: SiteSize = _NOWHERE
    reviewed: _Reviewed | None = None


class Views:
    """The pages of the queue."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def overview(self, request: web.Request) -> web.Response:
        """How much is left, and where."""
        view = View.parse(request.query_string)

        def query(ledger: Ledger) -> dict[str, object]:
            counts = self._desk.counts(ledger, view.chosen)
            pictures = list(_picture_rows(ledger, view.chosen))
            return {
                "counts": counts,
                "sites": list(_site_rows(counts)),
                "pictures": pictures,
                "reviewed": _reviewed(self._desk.counts(ledger, REVIEWED)),
            }

        values = await self._desk.ledger.read(query)
        return pages.html(
            pages.render(
                "overview.html", most_pictures=MAX_PICTURES, **values, **pages.filter_values(view)
            )
        )

    async def queue(self, request: web.Request) -> web.Response:
        """One match, and its neighbours."""
        view = View.parse(request.query_string)
        return await self.show(view, part=request.path.endswith(PART))

    async def again(self, request: web.Request) -> web.Response:
        """The queue, for a browser that opens the address of a form again."""
        raise web.HTTPSeeOther(f"/queue?{request.query_string}")

    async def decide(self, request: web.Request) -> web.Response:
        """Decide about the current match, or about the selected ones."""
        view, form = View.parse(request.query_string), await form_of(request)
        word, note = decision(form.get("word", "")), form.get("note", "") or None
        at = FormMatch.parse(form.get("at", ""))
        picked = [FormMatch.parse(text) for text in form.getall("pick", [])]
        chosen = [match for match in picked if match] or ([at] if at else [])
        done = await self._desk.actions.decide(chosen, word, note)
        self._desk.queues.decided(view.chosen, done.changes)
        about_it = at is not None and at.name in {match.name for match in chosen}
        return await self.show(
            view, part=PART in form, at=at, done=done, onward=done.moved and about_it
        )

    async def allow(self, request: web.Request) -> web.Response:
        """Allow the site of the current match."""
        view, form = View.parse(request.query_string), await form_of(request)
        at = FormMatch.parse(form.get("at", ""))

        def query(ledger: Ledger) -> QueuedMatch | None:
            place = resolve(ledger, at.name if at else None)
            return ledger.review_queue.at(place) if place else None

        match = await self._desk.ledger.read(query)
        if match is None or not match.domain:
            raise UsageError("no site is known of this match")
        done = await self._desk.actions.allow(match.domain, form.get("reason", ""))
        self._desk.queues.forget()
        return await self.show(view, part=PART in form, at=at, done=done, onward=True)

    async def undo(self, request: web.Request) -> web.Response:
        """Undo the last action of this window."""
        view, form = View.parse(request.query_string), await form_of(request)
        done = await self._desk.actions.undo(form.get("what", ""))
        self._desk.queues.forget()
        return await self.show(view, part=PART in form, done=done)

    async def large(self, request: web.Request) -> web.Response:
        """Our picture from its file, if that has the scanned content."""
        number = int(request.match_info["number"])
        files = await self._desk.ledger.read(
            lambda ledger: ledger.review_queue.details.files(number)
        )
        data = await self._desk.pictures.large(files)
        return await self.small(request) if data is None else image(data)

    async def small(self, request: web.Request) -> web.Response:
        """The preview of our picture from the ledger."""
        number = int(request.match_info["number"])
        data = await self._desk.ledger.read(
            lambda ledger: ledger.review_queue.details.thumbnail(number)
        )
        if data is None:
            return web.Response(text=pages.read("none.svg"), content_type="image/svg+xml")
        return image(data)

    async def show(
        self,
        view: View,
        *,
        part: bool,
        at: FormMatch | None = None,
        done: ActionResult | None = None,
        onward: bool = False,
    ) -> web.Response:
        """Show the queue at the match of the address or of a form.

        Args:
            view: the queue.
            part: whether to omit the frame, for the script.
            at: the match of a form.
            done: the result of the form's action.
            onward: whether to go on to the next one.
        """
        name = at.name if at else view.at

        def query(ledger: Ledger) -> _QueueData:
            place = resolve(ledger, name)
            if place is not None and onward:
                place = self._next(ledger, view, place)
            counts = self._desk.counts(ledger, view.chosen, exact=not part)
            page = self._desk.queues.page(ledger, view, counts, place)
            return self._queue_data(ledger, page)

        data = await self._desk.ledger.read(query)
        looked = None
        if data.facts is not None and data.picture is not None:
            current = await self._desk.pictures.current(data.picture.files)
            looked = queue_values.CurrentMatch(
                data.facts,
                data.picture,
                current,
                data.names,
                data.theirs,
                data.recheck,
                data.site,
            )
        now = data.page.current
        view = view.at_match(now.place if now else None)
        values = queue_values.queue_values(view, data.page, looked, done)
        values["reviewed"] = data.reviewed
        return pages.html(pages.render("part.html" if part else "queue.html", **values))

    def _queue_data(self, ledger: Ledger, page: QueuePage) -> _QueueData:
        now = page.current
        if now is None:
            counts = self._desk.counts(ledger, REVIEWED)
            return _QueueData(page, None, None, {}, reviewed=_reviewed(counts))
        numbers = [match.place.picture_id for match in (*page.before, now, *page.after)]
        return _QueueData(
            page,
            ledger.review_queue.details.match(now.place),
            ledger.review_queue.details.picture(now.place.picture_id),
            picture_names(ledger, numbers),
            newest_preview(ledger, now.place),
            ledger.rechecks.latest.of_match(now.place),
            self._desk.queues.site(ledger, now.domain, self._desk.ledger.answers),
        )

    def _next(self, ledger: Ledger, view: View, place: MatchKey) -> MatchKey | None:
        match = ledger.review_queue.at(place)
        counts = self._desk.counts(ledger, view.chosen, exact=False)
        following = self._desk.queues.following(ledger, view, counts, match, 1)
        return following[0].place if following else None


def _site_rows(counts: QueueCounts) -> Iterator[_SiteRow]:
    yield from map(_site_row, map(counts.sites.__getitem__, counts.order[:MAX_SITES]))


def _site_row(site: SiteCount) -> _SiteRow:
    address = pages.attribute(f"/site?{pages.site_query(site.domain)}")
    return _SiteRow(site.domain or pages.UNKNOWN_SITE, address, site.meant, site.total)


def _reviewed(counts: QueueCounts) -> _Reviewed:
    waiting = [_site_row(site) for site in counts.sites.values() if site.meant]
    waiting.sort(key=lambda row: (-row.left, row.name))
    return _Reviewed(counts.left, waiting[:MAX_REVIEWED], max(0, len(waiting) - MAX_REVIEWED))


def _picture_rows(ledger: Ledger, chosen: ReviewFilter) -> Iterator[_SiteRow]:
    rows = ledger.review_queue.pictures(chosen, MAX_PICTURES)
    names = picture_names(ledger, [row.picture_id for row in rows])
    for row in rows:
        first = ledger.review_queue.of_pictures(chosen, MatchKey(row.picture_id, ""), 1)
        address = _picture_address(first, row.picture_id)
        yield _SiteRow(names[row.picture_id], address, row.meant, row.total)


def _picture_address(first: list[QueuedMatch], number: int) -> str:
    """The address of a picture's first match in the queue; that of the queue without one."""
    view = View(order="picture")
    if first and first[0].place.picture_id == number:
        view = view.at_match(first[0].place)
    return pages.attribute(f"/queue?{view.query()}")


def image(data: bytes) -> web.Response:
    """A picture that we made."""
    return web.Response(body=data, content_type=f"image/{image_subtype(data) or 'jpeg'}")

"""Handlers about the site of one match: capture, recheck, and their picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import QueuedMatch
from batchscan.rechecked import MatchRecheck
from batchscan.review import pages, queue_values
from batchscan.review.actions import ActionResult, FormMatch
from batchscan.review.asking import capture_one, recheck_one
from batchscan.review.desk import Desk
from batchscan.review.filters import MatchId, View
from batchscan.review.forms import form_of
from batchscan.review.queue import resolve
from batchscan.review.theirs import KeptPreview, newest_preview
from batchscan.review.views import PART, Views, image


class MatchPages:
    """Handlers of the buttons below the picture on the web."""

    def __init__(self, desk: Desk, views: Views) -> None:
        self._desk = desk
        self._views = views

    async def capture(self, request: web.Request) -> web.Response:
        """Capture the current match, and show the result."""
        settings, options = self._desk.actions.settings(), self._desk.options
        return await self._ask(
            request, "Capturing", lambda place: capture_one(settings, place, options)
        )

    async def recheck(self, request: web.Request) -> web.Response:
        """Recheck the current match, and show the result."""
        settings, connect_to = self._desk.actions.settings(), self._desk.connect_to
        return await self._ask(
            request, "Asking about", lambda place: recheck_one(settings, place, connect_to)
        )

    async def captured(self, request: web.Request) -> web.Response:
        """Their picture as last fetched, encoded by our own decoder process."""
        name = MatchId.parse(request.match_info["match"])

        def query(ledger: Ledger) -> bytes | None:
            place = resolve(ledger, name)
            preview = newest_preview(ledger, place) if place else None
            return preview.jpeg if preview else None

        data = await self._desk.ledger.read(query)
        if data is None:
            raise web.HTTPNotFound
        return image(data)

    async def _ask(
        self, request: web.Request, what: str, work: Callable[[MatchKey], Awaitable[ActionResult]]
    ) -> web.Response:
        view, form = View.parse(request.query_string), await form_of(request)
        at = FormMatch.parse(form.get("at", ""))
        if at is None:
            raise UsageError("no match is selected")
        place = await self._desk.ledger.read(lambda ledger: resolve(ledger, at.name))
        if place is None:
            raise web.HTTPNotFound
        name = f"{what} match {at.name}"
        done = await self._desk.jobs.wait(self._desk.jobs.start(name, name, lambda _: work(place)))
        if PART not in form:
            return await self._views.show(view, part=False, at=at, done=done)

        def query(
            ledger: Ledger,
        ) -> tuple[QueuedMatch | None, KeptPreview | None, MatchRecheck | None]:
            return (
                ledger.review_queue.at(place),
                newest_preview(ledger, place),
                ledger.rechecks.latest.of_match(place),
            )

        match, theirs, asked = await self._desk.ledger.read(query)
        if match is None:
            raise web.HTTPNotFound
        values = queue_values.theirs_values(view.at_match(place), match, theirs, asked)
        return pages.html(pages.render("theirs.html", done=done, **values))

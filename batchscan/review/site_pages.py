"""Handlers for the page of one site and its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import ANY, QueuedMatch, ReviewFilter
from batchscan.review import pages, queue_values, site
from batchscan.review.actions import ActionResult
from batchscan.review.asking import capture_site as site_capture
from batchscan.review.asking import recheck_site
from batchscan.review.desk import Desk, picture_names
from batchscan.review.filters import View
from batchscan.review.forms import decision, form_of
from batchscan.review.jobs import BackgroundJob, Work

MAX_MATCHES = 100  # that the page of a site lists
_ORDER = (*(word.value for word in Disposition), "gone")


class SitePages:
    """The page of a site, and what its buttons do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        """Everything on one site."""
        return await self._show(_domain(request))

    async def again(self, request: web.Request) -> web.Response:
        """The page, for a browser that opens the address of a form again."""
        raise web.HTTPSeeOther(f"/site?{request.query_string}")

    async def mark(self, request: web.Request) -> web.Response:
        """Decide about all of it."""
        domain, form = _domain(request), await form_of(request)
        word, note = decision(form.get("word", "")), form.get("note", "") or None
        only = decision(form["only"]) if "only" in form else None
        done = await self._desk.actions.mark_site(domain, word, note, only)
        self._desk.queues.forget()
        return await self._show(domain, done)

    async def allow(self, request: web.Request) -> web.Response:
        """Add a rule that all of it may stay."""
        domain, form = _domain(request), await form_of(request)
        done = await self._desk.actions.allow(domain, form.get("reason", ""))
        self._desk.queues.forget()
        return await self._show(domain, done)

    async def undo(self, request: web.Request) -> web.Response:
        """Take one of these back."""
        domain, form = _domain(request), await form_of(request)
        done = await self._desk.actions.undo(form.get("what", ""))
        self._desk.queues.forget()
        return await self._show(domain, done)

    async def notice(self, request: web.Request) -> web.Response:
        """Draft the notice, as a file."""
        domain, form = _domain(request), await form_of(request)
        kind = form.get("form", "")
        settings = self._desk.actions.settings()
        return _download(await asyncio.to_thread(site.draft_notice, settings, domain, kind))

    async def pack(self, request: web.Request) -> web.Response:
        """Begin to pack the evidence."""
        await form_of(request)
        domain, settings = _domain(request), self._desk.actions.settings()
        return self._begin(
            domain,
            f"Packing the case of {domain}",
            lambda _: self._desk.packs.make(settings, domain),
        )

    async def packed(self, request: web.Request) -> web.StreamResponse:
        """The pack that was made last, as a file."""
        pack = self._desk.packs.get(_domain(request))
        if pack is None:
            raise web.HTTPNotFound
        return web.FileResponse(
            pack.path,
            headers={"Content-Disposition": f'attachment; filename="{pack.name}"'},
        )

    async def capture(self, request: web.Request) -> web.Response:
        """Begin to capture everything on it."""
        await form_of(request)
        domain = _domain(request)
        settings, options = self._desk.actions.settings(), self._desk.options
        there = await self._desk.ledger.read(
            lambda ledger: _there(ledger.review_queue.dispositions_of(domain))
        )
        return self._begin(
            domain,
            f"Capturing what is on {domain}",
            lambda job: site_capture(settings, domain, there, options, job),
        )

    async def recheck(self, request: web.Request) -> web.Response:
        """Begin to ask whether what was noticed is still there."""
        domain, form = _domain(request), await form_of(request)
        removes = form.get("mark", "") == "removed"
        settings, connect_to = self._desk.actions.settings(), self._desk.connect_to

        async def work(job: BackgroundJob) -> ActionResult:
            try:
                return await recheck_site(settings, domain, connect_to, job, removes=removes)
            finally:
                self._desk.queues.forget()

        return self._begin(domain, f"Asking {domain}", work)

    async def job(self, request: web.Request) -> web.Response:
        """The progress of the last job, for the script."""
        domain = _domain(request)
        return pages.html(pages.render("job.html", **self._job(domain)))

    def _begin(self, domain: str, what: str, work: Work) -> web.Response:
        """Start a job and redirect to the page, so that reloading does not start it again."""
        self._desk.jobs.start(f"site {domain}", what, work)
        return web.Response(
            status=303, headers={"Location": f"/site?{pages.site_query(domain)}#act"}
        )

    def _job(self, domain: str) -> dict[str, object]:
        job = self._desk.jobs.get(f"site {domain}")
        return {
            "job": job,
            "running": job is not None and job.result is None,
            "pack": self._desk.packs.get(domain),
            "query": pages.attribute(pages.site_query(domain)),
        }

    async def _show(self, domain: str, done: ActionResult | None = None) -> web.Response:
        everything = ReviewFilter(disposition=ANY, state=ANY)

        def query(
            ledger: Ledger,
        ) -> tuple[Mapping[str, int], list[QueuedMatch], Mapping[int, str]]:
            queue = ledger.review_queue
            matches = queue.of_site(everything, domain, MatchKey(), MAX_MATCHES)
            names = picture_names(ledger, [match.place.picture_id for match in matches])
            return queue.dispositions_of(domain), matches, names

        counts, matches, names = await self._desk.ledger.read(query)
        view = View(everything).query(site=domain or "-")
        return pages.html(
            pages.render(
                "site.html",
                name=domain or pages.UNKNOWN_SITE,
                domain=domain,
                counts=[(word, counts[word]) for word in _ORDER if word in counts],
                left=counts.get(Disposition.OPEN.value, 0),
                reviewed=counts.get(Disposition.REVIEWED.value, 0),
                entries=[_entry(match, view, names) for match in matches],
                more=max(0, sum(counts.values()) - len(matches)),
                forms=site.notice_forms(self._desk.actions.loaded.settings),
                there=_there(counts),
                noticed=counts.get(Disposition.NOTICED.value, 0),
                done=done,
                **self._job(domain),
            )
        )


def _there(counts: Mapping[str, int]) -> int:
    """The number of present matches."""
    return sum(counts.values()) - counts.get("gone", 0)


def _entry(match: QueuedMatch, view: str, names: Mapping[int, str]) -> queue_values.QueueEntry:
    address = f"/queue?{view}&at={queue_values.seen(match).partition(':')[0]}"
    return queue_values.entry(match, address, match.domain, ours=names[match.place.picture_id])


def _domain(request: web.Request) -> str:
    site_ = View.parse(request.query_string).chosen.site
    if site_ is None:
        raise UsageError("the site is missing")
    return site_


def _download(made: site.Download) -> web.Response:
    return web.Response(
        body=made.data,
        content_type=made.content_type,
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )

r"""The server of the review page and its routes.

| address | content |
|---|---|
| `GET /` | how much is left; sites and pictures |
| `GET /queue?FILTERS&at=ID` | one match; `/queue/part` is the same without its frame, for the script |
| `POST /capture`, `/recheck` | asks their site for the match, and shows what it got |
| `POST /decide`, `/allow`, `/undo` | the queue with what came of it; `part=1` as above |
| `GET /site?site=DOMAIN` | everything on one site; `POST /site/...` acts on it, `/site/job` says how far that is |
| `GET /stats` | what was found and decided over time |
| `GET /picture/ID/large\|small` | our picture, by its number in the ledger |
| `GET /capture/ID` | their picture, from our own capture |
| `GET /static/NAME` | style and script |
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from batchscan.errors import BatchscanError, StorageError, UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.review import ReviewFilter
from batchscan.review import pages
from batchscan.review.connections import Connections, is_about_us
from batchscan.review.desk import Desk
from batchscan.review.gate import HEADERS, Gate, RequestRefused
from batchscan.review.match_pages import MatchPages
from batchscan.review.site_pages import SitePages
from batchscan.review.stats_page import StatsPage
from batchscan.review.views import REVIEWED, Views
from batchscan.settings.load import LoadedSettings

_log = logging.getLogger(__name__)
_HTTP_LOG = logging.getLogger(f"{__name__}.http")
_HTTP_LOG.addFilter(is_about_us)
_HOST: Final = "127.0.0.1"
MAX_BODY: Final = 256 * 1024  # bytes of a form: hundreds of matches and a note
KEPT_ALIVE: Final = 75.0  # seconds that a connection waits for its next request
_TIDY: Final = 1.0  # seconds between two checks for idle resources
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReviewServer:
    """Serves the page at `url` from `__aenter__` to `__aexit__`."""

    def __init__(
        self, loaded: LoadedSettings, port: int = 0, connect_to: tuple[str, ...] = ()
    ) -> None:
        """Prepare.

        Args:
            loaded: which ledger, and which rules.
            port: to listen on; 0 for any that is free.
            connect_to: addresses to connect to instead of others, as in curl.

        Raises:
            UsageError: one of these cannot be understood.
        """
        self._desk = Desk.of(loaded, connect_to)
        self._port = port
        self._gate: Gate | None = None
        self._runner: web.AppRunner | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._connections = Connections(time.monotonic)

    @property
    def url(self) -> str:
        """The address that opens the page, once: `http://127.0.0.1:PORT/?token=...`."""
        if self._gate is None:
            raise RuntimeError("the server is not running")
        return self._gate.url

    async def __aenter__(self) -> Self:
        """Open the ledger, and listen.

        Raises:
            StorageError: there is no ledger, or it cannot be used.
            UsageError: the allow rules cannot be read.
            OSError: the port is taken.
        """
        try:
            await self._desk.ledger.read(self._count)
            await self._listen()
        except BaseException:
            await self._close()
            raise
        self._tidying = asyncio.create_task(self._tidy())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening; what is being written is written."""
        await self._close()

    def _count(self, ledger: Ledger) -> None:
        """Fill the cache of counts in advance: 200,000 matches take a while."""
        for chosen in (ReviewFilter(), REVIEWED):
            self._desk.counts(ledger, chosen)
        pages.environment().get_template("overview.html")

    async def _listen(self) -> None:
        listening = socket.create_server((_HOST, self._port))
        self._gate = Gate(listening.getsockname()[1])
        application = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        application.add_routes(_routes(self._desk))
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=_HTTP_LOG,
            keepalive_timeout=KEPT_ALIVE,
            shutdown_timeout=1.0,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def _close(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
            with suppress(asyncio.CancelledError):
                await self._tidying
        if self._runner is not None:
            await self._runner.cleanup()
        await self._desk.aclose()

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY)
            if self._runner is not None and self._runner.server is not None:
                self._connections.tidy(self._runner.server.connections)
            await self._desk.ledger.release()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Check access, and add security headers to every response."""
        self._connections.note(request.protocol)
        try:
            response = await self._answer(request, handler)
        except RequestRefused as refused:
            response = web.Response(status=refused.status, text=f"{refused}\n")
        except web.HTTPException as error:
            title, message = _TITLES.get(error.status, (error.reason, ""))
            response = _message(error.status, title, message)
            response.headers.update(
                {
                    name: error.headers[name]
                    for name in ("Allow", "Location")
                    if name in error.headers
                }
            )
        except UsageError as error:
            response = _message(400, "That cannot be done", str(error), error.advice)
        except BatchscanError as error:
            status = 503 if isinstance(error, StorageError) else 500
            _log.warning("%s", error)
            response = _message(status, "The ledger cannot be used", str(error), error.advice)
        response.headers.update(HEADERS)
        return response

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if self._gate is None:
            raise RequestRefused(503, "The page is not open yet.")
        if self._gate.check(request):
            return self._gate.enter()
        return await handler(request)


_TITLES: Final = {
    404: ("There is nothing here", "No page, picture or file has this address."),
    405: ("This address cannot be opened", "It only takes what a button of the page sends."),
    413: (
        "That is too much at once",
        "Nothing was changed. Select fewer matches, or write a shorter note.",
    ),
}


def _message(status: int, title: str, message: str, advice: str | None = None) -> web.Response:
    text = pages.render("message.html", title=title, message=message, advice=advice)
    return web.Response(status=status, text=text, content_type="text/html")


def _routes(desk: Desk) -> list[web.RouteDef]:
    views, sites, stats = Views(desk), SitePages(desk), StatsPage(desk)
    matches = MatchPages(desk, views)
    return [
        web.get("/", views.overview),
        web.get("/queue", views.queue),
        web.get("/queue/part", views.queue),
        web.post("/decide", views.decide),
        web.post("/allow", views.allow),
        web.post("/undo", views.undo),
        web.post("/capture", matches.capture),
        web.post("/recheck", matches.recheck),
        web.get(r"/{name:decide|allow|undo|capture|recheck}", views.again),
        web.get("/site", sites.page),
        web.post("/site/mark", sites.mark),
        web.post("/site/allow", sites.allow),
        web.post("/site/undo", sites.undo),
        web.post("/site/notice", sites.notice),
        web.post("/site/pack", sites.pack),
        web.post("/site/capture", sites.capture),
        web.post("/site/recheck", sites.recheck),
        web.get("/site/job", sites.job),
        web.get("/site/case.zip", sites.packed),
        web.get(r"/site/{name:mark|allow|undo|notice|pack|capture|recheck}", sites.again),
        web.get(r"/picture/{number:\d{1,18}}/large", views.large),
        web.get(r"/picture/{number:\d{1,18}}/small", views.small),
        web.get("/capture/{match}", matches.captured),
        web.get("/stats", stats.page),
        web.get("/static/{name}", _static),
    ]


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in pages.STATIC:
        raise web.HTTPNotFound
    return web.Response(text=pages.read(name), content_type=pages.STATIC[name])

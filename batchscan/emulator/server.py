"""The emulator's server: the vendor's three routes on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import quote

from aiohttp import web

from batchscan.emulator import bodies, malformed
from batchscan.emulator.account import EmulatedAccount
from batchscan.emulator.bodies import HttpReply
from batchscan.emulator.checks import Checks
from batchscan.emulator.config import EmulatorConfig
from batchscan.emulator.fault_sender import FaultInjector
from batchscan.emulator.faults import Fault, FaultRules
from batchscan.emulator.journal import Journal, RequestRecord, Route
from batchscan.emulator.uploads import BadUpload, read_upload
from batchscan.emulator.web import WebFolder
from batchscan.images.raster import silence_warnings
from batchscan.util.urls import ascii_host

_HOST = "127.0.0.1"
_LOGIN_BYTES = 10_000
_INDEX = "index.html"  # what a site shows at its root
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Answer = Callable[[web.Request, RequestRecord], Awaitable[HttpReply]]


class Emulator:
    """The vendor's API at `url`, from `__aenter__` to `__aexit__`.

    Not thread-safe; see `threaded.serve_in_thread`.
    """

    def __init__(self, config: EmulatorConfig) -> None:
        silence_warnings()
        self.config = config
        self.journal = Journal(config.journal_length)
        self.account = EmulatedAccount(config)
        self._book = FaultRules(config.faults)
        self._internet = WebFolder(config, self.web_url)
        self._checks = Checks(config, self.account, self._internet.find)
        self._started = config.clock()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The address of the API and of the login: `http://127.0.0.1:PORT`."""
        if self._url is None:
            raise RuntimeError("the emulator is not running")
        return self._url

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The fault rules; assigning new ones resets their counts."""
        return self._book.faults

    @faults.setter
    def faults(self, faults: tuple[Fault, ...]) -> None:
        self._book = FaultRules(faults)

    def web_url(self, path: str) -> str:
        """The URL of a file below the web's folder, by its relative path."""
        if not self.config.sites:
            return f"{self.url}/web/{quote(path)}"
        site, slash, rest = path.partition("/")
        return f"http://{ascii_host(site)}{slash}{quote(rest)}"

    async def __aenter__(self) -> Self:
        """Listen, and start to index the web's pictures.

        Raises:
            UsageError: the web's folder does not exist, or its search is not installed.
            OSError: the port is taken.
        """
        self._internet.start()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, _HOST, self.config.port).start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._url = f"http://{_HOST}:{self._runner.addresses[0][1]}"
        self._started = self.config.clock()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut hanging requests, finish the others, and stop listening."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._internet.stop()

    def _application(self) -> web.Application:
        # aiohttp's own bound on bodies would answer in its own words; uploads have theirs
        application = web.Application(client_max_size=2**40)
        application.add_routes(
            [
                web.post("/v3/account/login/api", self._serving("login", self._login)),
                web.post(
                    "/v1/image-plagiarism-detector/{scan_id}/check",
                    self._serving("check", self._check),
                ),
                web.get("/v3/scans/credits", self._serving("credits", self._credits)),
                web.get("/_emulator/journal", self._show_journal),
                web.get("/_emulator/stats", self._show_stats),
                web.get("/web/{path:.*}", self._show_page),
            ]
        )
        if self.config.sites:  # each is asked for by its own name
            application.add_routes([web.get("/{path:.*}", self._show_page_of_site)])
        return application

    def _serving(self, route: Route, answer: _Answer) -> _Handler:
        """The handling that all three routes share."""

        async def serve(request: web.Request) -> web.StreamResponse:
            at = self.config.clock() - self._started
            visit = RequestRecord(route, at, self.journal, request.match_info.get("scan_id"))
            try:
                return await self._visited(request, visit, answer)
            except ConnectionError:  # the client left before its request was whole
                visit.close("reset")
                return web.Response()

        return serve

    async def _visited(
        self, request: web.Request, visit: RequestRecord, answer: _Answer
    ) -> web.StreamResponse:
        failing = FaultInjector(request, visit, self.account, self._closing)
        failing.add(self._book.on_arrival(visit.route, visit.at))
        refusal = None if visit.route == "login" else self._admit(request)
        response = await failing.before_reading()
        if response is not None:
            return response
        if visit.route == "check":
            refusal = await self._upload(request, visit, refusal)
        if visit.upload is not None:
            failing.add(self._book.on_upload(visit.upload.file_name, visit.at))
        response = await failing.before_answering()
        if response is not None:
            return response
        return await failing.send(refusal or await answer(request, visit))

    def _admit(self, request: web.Request) -> HttpReply | None:
        return self.account.admit(request.headers.get("Authorization"), request.remote or "")

    async def _upload(
        self, request: web.Request, visit: RequestRecord, refusal: HttpReply | None
    ) -> HttpReply | None:
        """Read the form, even of a refused request, for the journal."""
        try:
            visit.upload = await read_upload(request, self.config.max_bytes)
        except BadUpload as bad:
            return refusal or bad.reply
        return refusal

    async def _login(self, request: web.Request, visit: RequestRecord) -> HttpReply:  # noqa: ARG002
        if (request.content_length or 0) > _LOGIN_BYTES:
            return HttpReply(413, b"")
        return self.account.login(await request.read())

    async def _check(self, request: web.Request, visit: RequestRecord) -> HttpReply:  # noqa: ARG002
        if visit.upload is None:
            raise RuntimeError("a check that was not refused has an upload")
        return await self._checks.answer(visit, visit.upload)

    async def _credits(self, request: web.Request, visit: RequestRecord) -> HttpReply:  # noqa: ARG002
        return bodies.json_reply(200, {"Amount": self.account.balance})

    async def _show_page(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, request.match_info["path"])

    async def _show_page_of_site(self, request: web.Request) -> web.StreamResponse:
        host = request.url.host or ""
        return await self._page(request, f"{host}/{request.match_info['path'] or _INDEX}")

    async def _page(self, request: web.Request, name: str) -> web.StreamResponse:
        """Serve a file of the web, with its faults; it is not in the journal."""
        at = self.config.clock() - self._started
        visit = RequestRecord("web", at, Journal(1))
        failing = FaultInjector(request, visit, self.account, self._closing)
        failing.add(self._book.on_page(name, at))
        response = await failing.before_answering()
        if response is not None:
            return response
        reply = await self._internet.page(failing.replaced(name))
        if visit.actions:
            return await failing.send(reply)
        return web.Response(
            body=reply.body, headers={**reply.headers, "Content-Type": reply.content_type}
        )

    async def _show_journal(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(body=self.journal.lines(), content_type="application/x-ndjson")

    async def _show_stats(self, request: web.Request) -> web.Response:
        stats = self.journal.stats(self.account.balance)
        return malformed.complete(request, bodies.json_reply(200, stats))

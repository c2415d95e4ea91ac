"""The engine of this machine: threads for inspecting, the vendor's client for uploading."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.answers import LONG_ANSWER
from batchscan.copyleaks.requests import check_form
from batchscan.engines.answers import answer_of
from batchscan.engines.crew import Crew
from batchscan.engines.replies import login_reply_to, reply_to
from batchscan.images.allowance import Allowance
from batchscan.images.inspect import inspect
from batchscan.images.judge import Judge
from batchscan.images.portrait import Portrait, Portraitist
from batchscan.images.raw_process import RawProcess
from batchscan.images.rules import Rules
from batchscan.model import Candidate, Image, NotSendable
from batchscan.replies import Answered, Busy, Reply, Trouble
from batchscan.settings import Settings
from batchscan.urls import load_suffixes

if TYPE_CHECKING:
    from batchscan.copyleaks.client import CopyleaksClient
    from batchscan.copyleaks.transport import Transport


class LocalEngine:
    """Inspects and uploads on this machine; uploading wants an account, inspecting does not."""

    def __init__(
        self, settings: Settings, token_file: Path, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare; nothing is opened before it is needed. `now` gives seconds since 1970."""
        self._settings = settings
        self._now = now
        self._rules = Rules.of(settings.scan)
        # Shared, so that what is decoded at once is bounded whatever it is decoded for.
        pixels, self._raw_process = Allowance(self._rules.max_pixels), RawProcess()
        self._judge = Judge(self._rules, self._raw_process, pixels)
        self._portraitist = Portraitist(pixels, self._raw_process, self._rules.max_pixels)
        threads = min(8, max(2, os.cpu_count() or 2))
        self._crew = Crew(threads, "inspect")
        self._token_file = token_file
        self._opened: tuple[Transport, CopyleaksClient] | None = None

    @property
    def logins(self) -> int:
        """Logins of this run."""
        return self._opened[1].logins if self._opened else 0

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file, in one hop to a thread."""

        def work() -> Image | NotSendable:
            follow = self._settings.scan.follow_symlinks
            return inspect(candidate, self._judge, self._rules, follow=follow)

        return await self._crew.do(work)

    async def portray(self, image: Image) -> Portrait:
        """Make a thumbnail of a picture with matches, and read who made it; never raises."""
        return await self._crew.do(partial(self._portraitist.portray, image))

    @property
    def ready(self) -> bool:
        """Whether there is a token."""
        return self._opened is not None and self._client.ready

    async def prepare(self) -> Busy | Trouble | None:
        """Log in, once for all that ask; None when that went well.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
        """
        first = self._opened is None
        try:
            await self._client.login()
        except vendor.CopyleaksError as error:
            return login_reply_to(error, self._settings.api)
        if first:  # one of all that ask; the first answer is about to need it
            await asyncio.to_thread(load_suffixes)
        return None

    async def upload(self, scan_id: str, image: Image, leaving: Callable[[], None]) -> Reply:
        """Send one picture once, under this scan id; `leaving` is called as it leaves.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address.
        """
        sandbox = self._settings.api.sandbox
        form = check_form(scan_id, image.data, image.file_name, image.content_type, sandbox=sandbox)
        try:
            checked = await self._client.check(scan_id, form, leaving)
        except vendor.CopyleaksError as error:
            return reply_to(error, self._settings.api)
        translate = partial(answer_of, checked.result, checked.body, self._now(), sandbox=sandbox)
        long = len(checked.body) >= LONG_ANSWER
        return Answered(await asyncio.to_thread(translate) if long else translate())

    async def balance(self) -> int | None:
        """Credits left on the account, or None where the service would not say."""
        try:
            return await self._client.credits()
        except vendor.CopyleaksError:
            return None

    async def aclose(self) -> None:
        """Give back connections, threads and child processes."""
        if self._opened is not None:
            await self._opened[0].aclose()
        await asyncio.to_thread(self._crew.close)
        await asyncio.to_thread(self._raw_process.close)

    @property
    def _client(self) -> CopyleaksClient:
        """The vendor's client, from when there is something to ask: often there is nothing."""
        if self._opened is None:
            from batchscan.engines.connecting import (  # noqa: PLC0415 - it takes its time
                open_client,
                open_transport,
            )

            transport = open_transport(self._settings)
            client = open_client(self._settings, transport, self._token_file, self._now)
            self._opened = transport, client
        return self._opened[1]

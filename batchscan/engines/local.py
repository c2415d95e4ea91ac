"""The engine of this machine: threads for inspecting, the vendor's client for uploading."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from batchscan import about
from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.client import LONG_ANSWER, Account, CopyleaksClient
from batchscan.copyleaks.hidden import Hidden
from batchscan.copyleaks.requests import check_form
from batchscan.copyleaks.transport import Transport
from batchscan.engines.answers import answer_of
from batchscan.engines.replies import login_reply_to, reply_to
from batchscan.images.inspect import inspect
from batchscan.images.judge import Judge
from batchscan.images.rules import Rules
from batchscan.model import Answered, Busy, Candidate, Image, NotSendable, Reply, Trouble
from batchscan.settings import Settings


class LocalEngine:
    """Inspects and uploads on this machine; uploading wants an account, inspecting does not."""

    def __init__(
        self, settings: Settings, token_file: Path, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare; nothing is opened before it is needed. `now` gives seconds since 1970."""
        self._settings = settings
        self._now = now
        self._rules = Rules.of(settings.scan)
        self._judge = Judge(self._rules)
        threads = min(8, max(2, os.cpu_count() or 2))
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="inspect")
        self._transport = open_transport(settings)
        self._client = open_client(settings, self._transport, token_file, now)

    @property
    def logins(self) -> int:
        """Logins of this run."""
        return self._client.logins

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file, in one hop to a thread."""

        def work() -> Image | NotSendable:
            follow = self._settings.scan.follow_symlinks
            return inspect(candidate, self._judge, self._rules, follow=follow)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @property
    def ready(self) -> bool:
        """Whether there is a token."""
        return self._client.ready

    async def prepare(self) -> Busy | Trouble | None:
        """Log in, once for all that ask; None when that went well.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
        """
        try:
            await self._client.login()
        except vendor.CopyleaksError as error:
            return login_reply_to(error, self._settings.api)
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
        await self._transport.aclose()
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._judge.close)


def open_transport(settings: Settings) -> Transport:
    """The connections that settings ask for."""
    return Transport(
        user_agent=about.user_agent(),
        connect_timeout=settings.api.connect_timeout,
        read_timeout=settings.api.read_timeout,
        connections=settings.pace.concurrency,
    )


def open_client(
    settings: Settings, transport: Transport, token_file: Path, now: Callable[[], float] = time.time
) -> CopyleaksClient:
    """The vendor's client for an account; without one it is refused at the first login."""
    key = settings.account.api_key
    account = Account(
        api_url=settings.api.url,
        identity_url=settings.api.identity_url,
        email=settings.account.email or "",
        key=Hidden(key.reveal() if key else ""),
    )
    return CopyleaksClient(account, transport, token_file, now)

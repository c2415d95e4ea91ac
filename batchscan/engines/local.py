"""The engine for this machine: threads for inspecting, the vendor's client for uploading."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.proxies import proxies_of_environment, proxy_problem
from batchscan.engines.host_limiter import HostRateLimiter
from batchscan.engines.inspector import Inspector
from batchscan.engines.interface import Engine, Reply, Success, Throttled, TransientError
from batchscan.engines.rehearsal import Rehearsal
from batchscan.engines.vendor_mapping import to_form, to_login_reply, to_reply
from batchscan.errors import UsageError
from batchscan.images.comparing import Content
from batchscan.images.preview import Preview
from batchscan.model import Candidate, Image, NotSendable
from batchscan.pace import Clock, SystemClock
from batchscan.settings import Settings
from batchscan.util.escaping import printable
from batchscan.util.urls import hide_login
from batchscan.version import install_line

if TYPE_CHECKING:
    from batchscan.copyleaks.client import CopyleaksClient
    from batchscan.copyleaks.transport import BeforeLong, Transport


HERE = "this machine"
BYTES_IN_FLIGHT = 256 * 1024 * 1024


class LocalEngine:
    """Inspects and uploads on this machine; only uploading needs an account."""

    def __init__(self, settings: Settings, token_file: Path, clock: Clock | None = None) -> None:
        """Use settings; everything is opened when it is first needed."""
        self._settings = settings
        clock = clock or SystemClock()
        self._now = clock.wall
        self._hosts = HostRateLimiter(settings, clock)
        self._token_file = token_file
        self._rehearsal = Rehearsal()
        self._opened: tuple[Transport, CopyleaksClient] | None = None
        self._inspecting: Inspector | None = None

    @property
    def logins(self) -> int:
        """How often this run has logged in."""
        return self._opened[1].logins if self._opened else 0

    @property
    def cluster(self) -> None:
        """None: this machine."""
        return

    @property
    def bytes_in_flight(self) -> int:
        """The bound from the settings."""
        return BYTES_IN_FLIGHT

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file."""
        return await self._inspector.inspect(candidate)

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture: stripped, converted, or the file as it is."""
        return await self._inspector.make_sendable(image, candidate)

    async def make_preview(self, image: Image) -> Preview:
        """Make a thumbnail of a picture, and read its provenance; never raises."""
        return await self._inspector.make_preview(image)

    async def deviation(self, one: Content, other: Content) -> float:
        """How far two files are from being versions of one picture; up to 1 they are."""
        return await self._inspector.deviation(one, other)

    async def acquire_host_slot(self, image: Image, until: float) -> None:
        """Wait until this machine may send the picture (`pace.per_host`), or until then."""
        await self._hosts.acquire(image, HERE, until)

    def release(self, image: Image) -> None:
        """Release everything that is kept for a picture."""
        self._hosts.cancel_waits(image)

    def cancel_waits(self) -> None:
        """Wake everything that waits, as the run stops."""
        self._hosts.close()

    @property
    def has_token(self) -> bool:
        """Whether there is a token, and answers can be parsed."""
        return self._rehearsal.done and self._opened is not None and self._client.ready

    async def ensure_token(self) -> Throttled | TransientError | None:
        """Log in, once for all concurrent callers; None on success.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
            StorageError: answers cannot be parsed on this machine.
        """
        await self._rehearsal.wait()
        try:
            await self._client.login()
        except vendor.CopyleaksError as error:
            return to_login_reply(error, self._settings.api)
        return None

    async def upload(
        self,
        scan_id: str,
        image: Image,
        leaving: Callable[[], None],
        before_long: BeforeLong | None = None,
    ) -> Reply:
        """Send one picture once, under this scan id; see `Engine.upload`.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address.
        """
        left_host = self._hosts.mark_sent(image)

        def left() -> None:
            left_host()
            leaving()

        form = to_form(scan_id, image, self._settings.api)
        try:
            checked = await self._client.check(scan_id, form, left, before_long)
        except vendor.CopyleaksError as error:
            return to_reply(error, self._settings.api)
        return Success(checked.body, self._now(), checked.headers)

    async def balance(self) -> int | None:
        """Credits left on the account; None if the service gives no answer."""
        try:
            return await self._client.credits()
        except vendor.CopyleaksError:
            return None

    async def aclose(self) -> None:
        """Close connections, threads and child processes."""
        if self._opened is not None:
            await self._opened[0].aclose()
        if self._inspecting is not None:
            await self._inspecting.aclose()

    @property
    def _inspector(self) -> Inspector:
        """The inspector, made for the first file: many runs open none, and it may need numpy."""
        if self._inspecting is None:
            threads = min(8, max(2, os.cpu_count() or 2))
            self._inspecting = Inspector(self._settings, threads)
        return self._inspecting

    @property
    def _client(self) -> CopyleaksClient:
        """The vendor's client, opened for the first request: many runs have none."""
        if self._opened is None:
            from batchscan.engines.vendor_client import (  # noqa: PLC0415 - slow to import
                open_client,
                open_transport,
            )

            transport = open_transport(self._settings, self._token_file.parent)
            client = open_client(self._settings, transport, self._token_file, self._now)
            self._opened = transport, client
        return self._opened[1]


async def open_engine(
    settings: Settings,
    token_file: Path,
    clock: Clock,
    awake: Callable[[], float],
    check_halt: Callable[[], None],
) -> Engine:
    """Open the engine of the settings.

    Args:
        settings: of the run.
        token_file: path of the stored access token.
        clock: paces the requests.
        awake: returns monotonic seconds that stop while the process is suspended.
        check_halt: raises once the run halts.

    Raises:
        UsageError: Dask is not installed, or the cluster cannot be used.
    """
    if settings.engine.dask is None:
        return LocalEngine(settings, token_file, clock)
    try:
        from batchscan.engines.cluster.connect import (  # noqa: PLC0415 - Dask is slow to import
            open_cluster,
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--dask needs Dask, which is not installed ({error.name or 'dask'} is missing)",
            advice=install_line("dask"),
        ) from error
    return await open_cluster(settings, token_file, clock, awake, check_halt)


def check_proxies(settings: Settings) -> None:
    """Refuse an invalid proxy of the environment, before anything is sent.

    Raises:
        UsageError: a proxy cannot be used; the message has no password.
    """
    proxy_for = proxies_of_environment()
    for url in (settings.api.url, settings.api.identity_url):
        proxy = proxy_for(url)
        problem = proxy_problem(proxy) if proxy else None
        if proxy and problem:
            shown = printable(hide_login(proxy))
            raise UsageError(
                f"the proxy {shown} cannot be used: {problem}",
                advice="correct HTTPS_PROXY or HTTP_PROXY, or exclude the service with NO_PROXY",
            )

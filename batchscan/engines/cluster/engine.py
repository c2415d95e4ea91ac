"""The engine for a Dask cluster: workers read, judge and send; the token stays in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.client import CopyleaksClient
from batchscan.copyleaks.received_body import ReceivedBody
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.transport import BeforeLong, Transport
from batchscan.engines.cluster.close_comparison import compare
from batchscan.engines.cluster.messages import Inspect, MakePreview, MakeSendable, Upload
from batchscan.engines.cluster.pool import WorkerPool
from batchscan.engines.cluster.worker_client import MAX_WORKER_LOSSES, WorkerClient, WorkerLost
from batchscan.engines.cluster.worker_replies import LongReply, ambiguous
from batchscan.engines.host_limiter import HostRateLimiter
from batchscan.engines.interface import ClusterInfo, Reply, Throttled, TokenRejected, TransientError
from batchscan.engines.rehearsal import Rehearsal
from batchscan.engines.vendor_mapping import to_login_reply
from batchscan.enums import FailReason
from batchscan.errors import StopRun
from batchscan.images.comparing import Content
from batchscan.images.preview import NOTHING, Preview
from batchscan.model import Candidate, Image, NotSendable
from batchscan.settings import Api

UNBOUNDED = 2**62  # bytes in flight in the driver: the workers' caches are bounded
DISPATCH_LEAD = 0.1  # seconds from counting an upload to its first byte, to reach its worker
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Placement:
    """The worker with a picture; `image` is kept so that its id() is not reused."""

    image: Image
    candidate: Candidate
    worker: WorkerClient
    size: int

    def move(self, client: WorkerClient) -> None:
        """Change the worker."""
        self.leave()
        self.worker = client
        _enter(client, self.size)

    def leave(self) -> None:
        """Leave the worker."""
        self.worker.pictures -= 1
        self.worker.free_bytes += self.size


class DaskEngine:
    """Inspects and uploads pictures on a cluster."""

    def __init__(
        self,
        pool: WorkerPool,
        client: CopyleaksClient,
        transport: Transport,
        hosts: HostRateLimiter,
        api: Api,
        folder: Path,
    ) -> None:
        """Use a cluster; `client` logs in and gets the balance, but sends no pictures.

        Long answers are kept in `folder` as they arrive.
        """
        self._folder = folder
        self._pool = pool
        self._client = client
        self._transport = transport
        self._hosts = hosts
        self._api = api
        self._rehearsal = Rehearsal()
        self._kept: dict[int, _Placement] = {}
        self._distrust = False  # set once any worker got another request's answer

    @property
    def logins(self) -> int:
        """How often this run has logged in."""
        return self._client.logins

    @property
    def cluster(self) -> ClusterInfo:
        """Workers and hosts, for the report."""
        return self._pool.info

    @property
    def bytes_in_flight(self) -> int:
        """No bound here: each worker has its own."""
        return UNBOUNDED

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file on a worker; on another one if that is lost.

        Raises:
            Unavailable: there is no worker any more.
        """
        size = candidate.stat.size if candidate.stat else 0
        for _ in range(MAX_WORKER_LOSSES):
            client = await self._pool.pick_worker()
            _enter(client, size)
            result: Image | NotSendable | None = None
            try:
                result = await client.submit(lambda number: Inspect(number, candidate))
            except WorkerLost:
                log.info("a worker was lost with %r", candidate.path)
                continue
            finally:
                if not isinstance(result, Image):
                    self._leave(client, size)
            if isinstance(result, Image):
                self._kept[id(result)] = _Placement(result, candidate, client, size)
            return cast("Image | NotSendable", result)
        detail = (
            f"{MAX_WORKER_LOSSES} workers were lost while they checked it; the next run tries again"
        )
        return NotSendable(candidate.path, candidate.stat, FailReason.CHECK_FAILED, detail)

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent, on the picture's worker; on another one if that is lost.

        Raises:
            Unavailable: there is no worker any more.
        """
        for _ in range(MAX_WORKER_LOSSES):
            client = await self._worker_of(image)
            try:
                result = await client.submit(lambda number: MakeSendable(number, image, candidate))
            except WorkerLost:
                log.info("a worker was lost with %r", candidate.path)
                continue
            if isinstance(result, Image):
                placement = self._kept.pop(id(image))
                self._kept[id(result)] = replace(placement, image=result)
            return cast("Image | NotSendable", result)
        detail = (
            f"{MAX_WORKER_LOSSES} workers were lost while they decoded it; the next run tries again"
        )
        return NotSendable(candidate.path, candidate.stat, FailReason.CHECK_FAILED, detail)

    async def make_preview(self, image: Image) -> Preview:
        """Make a thumbnail on the picture's worker; never raises."""
        candidate = self._kept[id(image)].candidate
        try:
            client = await self._worker_of(image)
            preview = await client.submit(lambda number: MakePreview(number, image, candidate))
        except (WorkerLost, StopRun):
            return Preview(None, NOTHING)
        return cast("Preview", preview)

    async def deviation(self, one: Content, other: Content) -> float:
        """Compare two files closely on a worker; on another one if that is lost.

        Raises:
            Unavailable: there is no worker any more.
        """
        return await compare(self._pool, one, other)

    @property
    def has_token(self) -> bool:
        """Whether there is a token, and answers can be parsed."""
        return self._rehearsal.done and self._client.ready

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
            return to_login_reply(error, self._api)
        return None

    async def acquire_host_slot(self, image: Image, until: float) -> None:
        """Wait until the picture's host may send, or another one if that is lost, or until then.

        Raises:
            Unavailable: there is no worker any more.
        """
        while True:
            client = await self._worker_of(image)
            await self._hosts.acquire(image, client.host, until)
            if not (client.lost or client.retiring):
                return

    async def upload(
        self,
        scan_id: str,
        image: Image,
        leaving: Callable[[], None],
        before_long: BeforeLong | None = None,
    ) -> Reply:
        """Send one picture once, on its worker, under this scan id.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address, or there is no worker any more.
        """
        try:
            token = await self._client.token()
        except vendor.CopyleaksError as error:
            return to_login_reply(error, self._api)
        while True:
            client = await self._worker_of(image)
            try:
                async with ReceivedBody(self._folder) as body:
                    reply = await self._send(client, scan_id, image, token, leaving, body)
                    if isinstance(reply, LongReply):
                        reply = await reply.with_body(body, before_long)
            except WorkerLost as lost:
                if lost.sent:
                    return ambiguous(lost)
                continue  # the task never reached it
            if isinstance(reply, TokenRejected):
                self._client.refused(token)
            return reply

    async def _send(
        self,
        client: WorkerClient,
        scan_id: str,
        image: Image,
        token: SecretStr,
        leaving: Callable[[], None],
        body: ReceivedBody,
    ) -> Reply | LongReply:
        candidate = self._kept[id(image)].candidate
        # Counted now and sent a fixed time later, so that the way to the worker costs no rate.
        self._hosts.mark_sent(image)()
        leaving()
        at = client.time_there(time.monotonic() + DISPATCH_LEAD)
        reply = await client.submit(
            lambda number: Upload(number, scan_id, image, candidate, at, self._distrust),
            token,
            body,
        )
        outcome = reply.reply if isinstance(reply, LongReply) else reply
        self._distrust |= isinstance(outcome, TransientError) and outcome.mismatched
        return cast("Reply | LongReply", reply)

    def release(self, image: Image) -> None:
        """Drop a picture's bytes and its slot."""
        self._hosts.cancel_waits(image)
        placement = self._kept.pop(id(image), None)
        if placement is not None:
            placement.leave()
            placement.worker.release(image.path, image.sha256)
            self._pool.notify()

    def cancel_waits(self) -> None:
        """Wake everything that waits, as the run stops."""
        self._hosts.close()
        self._pool.notify()

    async def balance(self) -> int | None:
        """Credits left on the account; None if the service gives no answer."""
        try:
            return await self._client.credits()
        except vendor.CopyleaksError:
            return None

    async def aclose(self) -> None:
        """Stop the actors and disconnect."""
        await self._pool.aclose()
        await self._transport.aclose()

    async def _worker_of(self, image: Image) -> WorkerClient:
        """The picture's worker; if that is retiring another one, which reads the file again."""
        placement = self._kept[id(image)]
        if placement.worker.lost or placement.worker.retiring:
            placement.move(await self._pool.pick_worker())
        return placement.worker

    def _leave(self, client: WorkerClient, size: int) -> None:
        client.pictures -= 1
        client.free_bytes += size
        self._pool.notify()


def _enter(client: WorkerClient, size: int) -> None:
    client.pictures += 1
    client.free_bytes -= size

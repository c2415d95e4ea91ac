"""Replies on their way from a worker to the driver.

Of long bodies a worker holds one at a time until the driver has fetched it in parts.
The driver fetches it at once, into a file, as long answers arrive on one machine
(`copyleaks.received_body`): what is paid for should not depend on a worker for long.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.received_body import SHORT_ANSWER, ReceivedBody
from batchscan.copyleaks.transport import BeforeLong
from batchscan.engines.interface import Reply, Success, TransientError
from batchscan.engines.vendor_mapping import to_reply
from batchscan.enums import FailReason
from batchscan.errors import StopRun
from batchscan.model import ServiceError
from batchscan.settings import Api

if TYPE_CHECKING:
    from batchscan.engines.cluster.worker_client import WorkerLost

PART: Final = 1024 * 1024  # bytes that are fetched at a time


@dataclass(frozen=True, slots=True)
class LongReply:
    """The result of an upload whose body is to be fetched."""

    reply: Success | TransientError  # without its body
    bytes: int

    async def with_body(self, body: ReceivedBody, before_long: BeforeLong | None) -> Reply:
        """The reply with its body, in memory; see `Engine.upload`."""
        if before_long is not None:
            await before_long()
        try:
            content = await body.content()
        except OSError as error:
            detail = f"the answer cannot be read back: {error.strerror}"
            unread = ServiceError(http_status=200)
            return TransientError(FailReason.BAD_RESPONSE, detail, unread, True, reached=True)
        return replace(self.reply, body=content)


@dataclass(slots=True)
class HeldBody:
    """The long body that a worker has in memory, by the number of its task."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _number: int | None = None
    _body: bytes = b""

    @property
    def is_waiting(self) -> bool:
        """Whether there is a body that the driver has not fetched yet."""
        return bool(self._body)

    async def take(self, number: int) -> None:
        """Wait until a task's body may be read into memory."""
        await self._turn.acquire()
        self._number = number

    def hold(self, number: int, reply: Reply | StopRun) -> Reply | LongReply | StopRun:
        """Keep a long body until it is released; else the task's turn, if it has it, ends."""
        if number == self._number and isinstance(reply, Success | TransientError):
            body = reply.body or b""
            if len(body) > SHORT_ANSWER:
                self._body = body
                return LongReply(replace(reply, body=b""), len(body))
        self.release(number)
        return reply

    def part(self, number: int, start: int) -> bytes:
        """A part of a task's body; empty if it is not held any more."""
        return self._body[start : start + PART] if number == self._number else b""

    def release(self, number: int | None = None) -> None:
        """Drop the body of a task, or any; without one, only the turn ends."""
        if self._number is not None and number in (None, self._number):
            self._number, self._body = None, b""
            self._turn.release()


def reply_to(error: vendor.CopyleaksError, api: Api) -> Reply | StopRun:
    """The reply for an error; a stop without its cause, which cannot be pickled."""
    try:
        return to_reply(error, api)
    except StopRun as stop:
        stop.__cause__ = stop.__context__ = None
        return stop.with_traceback(None)


def ambiguous(lost: WorkerLost) -> TransientError:
    """The reply for a request on a lost worker, which may have been sent and charged."""
    return TransientError(
        FailReason.NETWORK,
        f"{lost} while it sent this picture",
        ServiceError(),
        ambiguous=True,
        reached=True,
        worker_lost=True,
    )


# Nothing was sent because the driver was silent; when it gets this error, it retries.
UNSENT = TransientError(
    FailReason.NETWORK,
    "the worker had lost its connection to this machine; nothing was sent",
    ServiceError(),
    ambiguous=False,
    reached=True,
    worker_lost=True,
)
